"""Runs transactions on threads of their own, so that the event loop never waits for a disk or a server.

A transaction is a plain function of a connection: one hop to a thread and back, however many statements it has. That
is why Postgres is driven by psycopg, blocking: with an asynchronous driver every statement would be a hop of its own.
How each kind of database is opened is in `sqlite` and `postgres`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.stores import postgres, sqlite, translating
from dayfly.stores.ways import Way, Ways

T = TypeVar("T")
Work = Callable[[sa.Connection], T]

ATTEMPTS = 5
"""How often a transaction is run that Postgres ends in favour of another; each time the other has got further."""


class Connections:
    """The two ways into one database: `read` and `write`, each a transaction of its own."""

    def __init__(self, url: str) -> None:
        self.url = _parsed(url)
        self._ways = _open_ways(self.url)
        self.place = self._ways.place
        self._closed = False

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction that is committed, or rolled back whole when it raises.

        `work` may be run more than once, and only its last run counts. Raises `StoreUnavailable`, `InvalidArgument` for
        a value that the database cannot hold, and whatever `work` raises of ours.
        """
        return await self._run(self._ways.writing, work)

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent view of what is committed. Raises as `write`."""
        return await self._run(self._ways.reading, work)

    async def close(self) -> None:
        """Let transactions under way end and close the database; after that nothing works any more."""
        self._closed = True
        for way in (self._ways.reading, self._ways.writing):
            way.threads.shutdown(wait=True)
            way.engine.dispose()

    async def _run(self, way: Way, work: Work[T]) -> T:
        if self._closed:
            raise errors.StoreUnavailable(f"database {self.place}: it is closed.", remedy="The platform is ending.")
        return await asyncio.get_running_loop().run_in_executor(way.threads, self._transact, way.engine, work)

    def _transact(self, engine: sa.Engine, work: Work[T]) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with engine.begin() as connection:
                    return work(connection)
            except sa.exc.SQLAlchemyError as error:
                if attempt == ATTEMPTS or not translating.may_be_repeated(error):
                    raise translating.translate(error, self.place) from error
        raise AssertionError("the last attempt returns or raises")


class PatientConnections(Connections):
    """The same ways for the engine, which drives many executions side by side: only so many transactions at once.

    The others wait where nobody waits behind them. Else a client's call would wait, at each transaction of its own, for
    one of each execution: first for a thread, and then for the event loop, on which all that were run go on.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.url, self.place, self._ways = connections.url, connections.place, connections._ways
        self._room = asyncio.Semaphore(self._ways.patient)

    async def close(self) -> None:
        """Do nothing: those that this was made from are closed instead."""

    async def _run(self, way: Way, work: Work[T]) -> T:
        # Kept until the caller goes on, hence for the loop's share too.
        async with self._room:
            return await self._connections._run(way, work)


def _parsed(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise errors.InvalidArgument("The database's URL cannot be read.", remedy=_REMEDY) from error


def _open_ways(url: sa.URL) -> Ways:
    if postgres.names(url):
        return postgres.open_ways(url)
    if url.get_backend_name() == "sqlite":
        return sqlite.open_ways(url)
    raise errors.InvalidArgument(
        f"database {url.render_as_string()}: only SQLite and Postgres are known here.", remedy=_REMEDY
    )


_REMEDY = "Use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
