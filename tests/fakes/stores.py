"""Definitions and runs in memory: the SQL stores over a database that is gone when it is closed."""

from __future__ import annotations

from dayfly.base.clock import Clock
from dayfly.stores import database


async def open_in_memory(clock: Clock) -> database.Database:
    """Return an empty database; its `definitions` and `runs` are the ports."""
    return await database.open("sqlite://", clock=clock)
