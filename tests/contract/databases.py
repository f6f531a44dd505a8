"""The databases that the suites of the stores run on: SQLite in a file and in memory, Postgres on a real server."""

from __future__ import annotations

from typing import NamedTuple

from dayfly.base import clock as clocks
from dayfly.base.clock import ManualClock
from dayfly.stores import database, schema
from tests.platforms import postgres

SHARED = "shared"
"""The one database of Postgres, emptied for each test: making one takes half a second."""

EMPTY = "; ".join(f"DELETE FROM {table.name}" for table in reversed(schema.metadata.sorted_tables))


class Place(NamedTuple):
    """An empty database of one test."""

    url: str
    server: postgres.Server | None = None
    """Where it is one of Postgres."""

    async def open(self, clock: clocks.Clock) -> database.Database:
        """Open it; the test closes it."""
        return await database.open(self.url, clock=clock)

    def pass_seconds(self, clock: ManualClock, seconds: float) -> None:
        """Let leases age: by the clock, on Postgres by the server's time, which nobody can wind on."""
        clock.advance(seconds)
        if self.server is not None:
            for table, until in (("runs", "lease_until"), ("reservations", "expires_at")):
                past = f"UPDATE {table} SET {until} = {until} - {int(seconds * clocks.SECOND)}"
                self.server.execute(past, SHARED)
