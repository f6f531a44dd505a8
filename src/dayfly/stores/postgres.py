"""Postgres, by psycopg. Called by `connections`.

Transactions run side by side here: what writes an execution locks its row first (`run_rows.get_facts`), and what reads
sees one snapshot. A transaction that Postgres ends so that others can go on is run again.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.stores import ways
from dayfly.stores.ways import Way, Ways

WRITERS = 4
"""Transactions that write at once; more of them wait in this process rather than for each other's locks."""

READERS = 4
"""Transactions that read at once."""

PATIENT = 4
"""Transactions of the engine at once, which spend most of their time on the way to the server and back."""

CONNECT_SECONDS = 10
"""How long a server may take to answer before it counts as gone."""

_SCHEMES = ("postgresql", "postgres")


def names(url: sa.URL) -> bool:
    """Say whether the URL is one of Postgres."""
    return url.get_backend_name() in _SCHEMES


def open_ways(url: sa.URL) -> Ways:
    """Return the ways into the database that `url` names. Raises `InvalidArgument` where the driver is missing."""
    require_driver()
    place = url.set(drivername="postgresql").render_as_string(hide_password=True)
    return Ways(
        place,
        Way(_engine(url, WRITERS), ways.threads(WRITERS, "write")),
        Way(_reading(_engine(url, READERS)), ways.threads(READERS, "read")),
        PATIENT,
    )


def require_driver() -> None:
    """Raise `InvalidArgument` unless psycopg is there: only who uses Postgres needs it."""
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise errors.InvalidArgument(
            "Postgres needs the package psycopg.", remedy="Install it with: pip install 'dayfly[postgres]'."
        ) from error


def conninfo(url: sa.URL) -> str:
    """Return the URL as psycopg itself takes it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _reading(engine: sa.Engine) -> sa.Engine:
    @sa.event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        # Else, from the tenth time on, a list is read by a plan made for no value in particular: one that suits a phase
        # that half of all executions have reads all of them for one that ten have.
        raw.execute("SET plan_cache_mode = force_custom_plan")
        raw.commit()

    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _engine(url: sa.URL, connections: int) -> sa.Engine:
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,  # after a restart of the server, connections of before are replaced, not reported
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "dayfly"},
    )
