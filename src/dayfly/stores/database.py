"""The way in: opens a database, brings it to today's schema, and gives out the stores that live in it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from dayfly.base.clock import Clock
from dayfly.stores import migrating, postgres
from dayfly.stores.attributes import SqlAttributes
from dayfly.stores.catalog import SqlCatalog
from dayfly.stores.connections import Connections, PatientConnections
from dayfly.stores.definitions import SqlDefinitions
from dayfly.stores.descriptions import SqlDescriptions
from dayfly.stores.history import SqlHistory
from dayfly.stores.kept_definitions import KeptDefinitions
from dayfly.stores.notices import SqlNotices
from dayfly.stores.overview import SqlOverview
from dayfly.stores.runs import SqlRuns
from dayfly.stores.schedules import SqlSchedules
from dayfly.stores.signals import SqlSignals
from dayfly.stores.waking import Listener, Waking


class Stores:
    """The stores in a database, each by its name."""

    def __init__(self, connections: Connections, clock: Clock, waking: Waking, kept: KeptDefinitions) -> None:
        self.definitions = SqlDefinitions(connections, clock, kept)
        self.descriptions = SqlDescriptions(connections)
        self.runs = SqlRuns(connections, clock, waking)
        self.schedules = SqlSchedules(connections)
        self.notices = SqlNotices(connections)
        self.attributes = SqlAttributes(connections)
        self.catalog = SqlCatalog(connections, clock)
        self.history = SqlHistory(connections)
        self.overview = SqlOverview(connections)
        self.signals = SqlSignals(connections, clock, waking.wake)


class Database(Stores):
    """An open database."""

    def __init__(self, connections: Connections, clock: Clock, waking: Waking, listener: Listener | None) -> None:
        kept = KeptDefinitions()
        super().__init__(connections, clock, waking, kept)
        self._connections, self._listener = connections, listener
        self.place = connections.place
        self.for_engine = Stores(PatientConnections(connections), clock, waking, kept)
        """The same stores for who drives executions: what clients ask goes first."""

    async def close(self) -> None:
        """Let transactions under way end and close; the stores raise `StoreUnavailable` from then on."""
        if self._listener is not None:
            await self._listener.close()
        await self._connections.close()


def url_of(file: Path) -> str:
    """Return the URL for `open` of a database in `file`, whatever characters its path has."""
    return sa.URL.create("sqlite", database=str(file)).render_as_string()


async def open(url: str, *, clock: Clock, alone: bool = False) -> Database:
    """Open `sqlite:///FILE` (made if there is none; its folder must exist), `sqlite://` in memory, or
    `postgresql://USER:PASSWORD@HOST/NAME`, which must exist.

    `alone` refuses a Postgres database that another platform has opened so: what that one started is on its own host.

    Raises `StoreUnavailable`, `InvalidArgument` for another kind of URL, `FailedPrecondition` for a database of a newer
    version, one that is not Dayfly's, or one in use.
    """
    connections, waking = Connections(url), Waking()
    listener = None
    try:
        if postgres.names(connections.url):
            listener = Listener(connections.url, connections.place, waking, alone=alone)
            await listener.open()
        await connections.write(lambda connection: migrating.migrate(connection, connections.place))
    except BaseException:
        if listener is not None:
            await listener.close()
        await connections.close()
        raise
    return Database(connections, clock, waking, listener)
