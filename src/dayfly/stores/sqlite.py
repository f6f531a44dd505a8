"""SQLite: one file, or memory. Called by `connections`.

SQLite has one writer at a time: here one thread, across processes `BEGIN IMMEDIATE` and a patient timeout.
Readers see the last commit and never wait for the writer (WAL).
"""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa

from dayfly.stores import ways
from dayfly.stores.ways import Way, Ways

READERS = 4
"""Threads that read; on a laptop two cores are shared with the tasks themselves."""

BUSY_SECONDS = 10
"""How long a writer waits for another process's write."""

PATIENT = 2
"""Of the engine at once: one writes while another reads. More would not make it faster: they share one interpreter."""

CACHE_KIB = 16 * 1024
"""Of pages, for each connection: the upper levels of all indexes of a million executions."""


def open_ways(url: sa.URL) -> Ways:
    """Return the ways into the file that `url` names, or into memory where it names none."""
    place = url.database or ":memory:"
    plain = url.set(drivername="sqlite+pysqlite")
    write_threads = ways.threads(1, "write")
    if place == ":memory:":
        # Such a database is its connection: everything shares it, on one thread.
        only = Way(_engine(plain, begin="BEGIN IMMEDIATE", poolclass=sa.pool.StaticPool), write_threads)
        return Ways(place, only, only)
    writer = _engine(plain, begin="BEGIN IMMEDIATE", pool_size=1, max_overflow=0)
    reader = _engine(plain, begin="BEGIN", pool_size=READERS, max_overflow=0)
    return Ways(place, Way(writer, write_threads), Way(reader, ways.threads(READERS, "read")), PATIENT)


def _engine(url: sa.URL, *, begin: str, **pool: Any) -> sa.Engine:
    # The threads of a pool hand connections to each other, and close them from the main thread.
    engine = sa.create_engine(url, connect_args={"check_same_thread": False}, **pool)

    @sa.event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # else the driver begins transactions by itself, and too late
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            f"cache_size=-{CACHE_KIB}",
            "case_sensitive_like=ON",  # as Postgres compares
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        try:
            connection.connection.execute(begin)  # not by SQLAlchemy, which makes a result of it
        except sqlite3.Error as error:
            raise sa.exc.DBAPIError.instance(begin, None, error, sqlite3.Error, dialect=connection.dialect) from error

    return engine
