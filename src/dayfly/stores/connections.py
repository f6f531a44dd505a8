"""Runs transactions on threads of their own, so that the event loop never waits for a disk.

A transaction is a plain function of a connection: one hop to a thread and back, however many statements it has.
SQLite has one writer at a time: here one thread, across processes `BEGIN IMMEDIATE` and a patient timeout.
Readers see the last commit and never wait for the writer (WAL).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.stores import translating

T = TypeVar("T")
Work = Callable[[sa.Connection], T]

READERS = 4
"""Threads that read; on a laptop two cores are shared with the tasks themselves."""

BUSY_SECONDS = 10
"""How long a writer waits for another process's write."""


class Connections:
    """The two ways into one database: `read` and `write`, each a transaction of its own."""

    def __init__(self, url: str) -> None:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() != "sqlite":
            raise errors.InvalidArgument(
                f"database {parsed.render_as_string()}: only SQLite is known here.", remedy="Use sqlite:///FILE."
            )
        self.place = parsed.database or ":memory:"
        self._closed = False
        plain = parsed.set(drivername="sqlite+pysqlite")
        self._write_threads = ThreadPoolExecutor(1, thread_name_prefix="dayfly-store-write")
        if self.place == ":memory:":
            # Such a database is its connection: everything shares it, on one thread.
            self._writer = _engine(plain, begin="BEGIN IMMEDIATE", poolclass=sa.pool.StaticPool)
            self._reader, self._read_threads = self._writer, self._write_threads
        else:
            self._writer = _engine(plain, begin="BEGIN IMMEDIATE", pool_size=1, max_overflow=0)
            self._reader = _engine(plain, begin="BEGIN", pool_size=READERS, max_overflow=0)
            self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="dayfly-store-read")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction that is committed, or rolled back whole when it raises.

        Raises `StoreUnavailable`, and whatever `work` raises of ours.
        """
        return await self._run(self._write_threads, self._writer, work)

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent view of what is committed. Raises `StoreUnavailable`."""
        return await self._run(self._read_threads, self._reader, work)

    async def close(self) -> None:
        """Let transactions under way end and close the database; after that nothing works any more."""
        self._closed = True
        for threads in (self._read_threads, self._write_threads):
            threads.shutdown(wait=True)
        self._reader.dispose()
        self._writer.dispose()

    async def _run(self, threads: ThreadPoolExecutor, engine: sa.Engine, work: Work[T]) -> T:
        if self._closed:
            raise errors.StoreUnavailable(f"database {self.place}: it is closed.", remedy="The platform is ending.")
        return await asyncio.get_running_loop().run_in_executor(threads, self._transact, engine, work)

    def _transact(self, engine: sa.Engine, work: Work[T]) -> T:
        try:
            with engine.begin() as connection:
                return work(connection)
        except sa.exc.SQLAlchemyError as error:
            raise translating.translate(error, self.place) from error


def _engine(url: sa.URL, *, begin: str, **pool: Any) -> sa.Engine:
    # The threads of a pool hand connections to each other, and close them from the main thread.
    engine = sa.create_engine(url, connect_args={"check_same_thread": False}, **pool)

    @sa.event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # else the driver begins transactions by itself, and too late
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
