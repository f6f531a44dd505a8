"""The way in: opens a database, brings it to today's schema, and gives out the stores that live in it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from dayfly.base.clock import Clock
from dayfly.stores import migrating
from dayfly.stores.connections import Connections
from dayfly.stores.definitions import SqlDefinitions
from dayfly.stores.runs import SqlRuns
from dayfly.stores.schedules import SqlSchedules
from dayfly.stores.signals import SqlSignals


class Database:
    """An open database."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self.definitions = SqlDefinitions(connections, clock)
        self.runs = SqlRuns(connections, clock)
        self.schedules = SqlSchedules(connections)
        self.signals = SqlSignals(connections, clock, self.runs.wake)

    async def close(self) -> None:
        """Let transactions under way end and close; the stores raise `StoreUnavailable` from then on."""
        await self._connections.close()


def url_of(file: Path) -> str:
    """Return the URL for `open` of a database in `file`, whatever characters its path has."""
    return sa.URL.create("sqlite", database=str(file)).render_as_string()


async def open(url: str, *, clock: Clock) -> Database:
    """Open `sqlite:///FILE` (made if there is none; its folder must exist), or `sqlite://` in memory.

    Raises `StoreUnavailable`, `InvalidArgument` for another kind of URL, `FailedPrecondition` for a database of a newer
    version or one that is not Dayfly's.
    """
    connections = Connections(url)
    try:
        await connections.write(lambda connection: migrating.migrate(connection, connections.place))
    except BaseException:
        await connections.close()
        raise
    return Database(connections, clock)
