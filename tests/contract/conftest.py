"""What several suites share: databases to run on, and one Postgres server for them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from dayfly.base.clock import ManualClock
from dayfly.stores import database
from tests.contract import databases
from tests.contract.databases import Place
from tests.contract.stored import at
from tests.platforms import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A server whose database `SHARED` has today's tables."""
    try:
        with postgres.serving(*postgres.FAST) as server:
            server.execute(f"CREATE DATABASE {databases.SHARED}")
            asyncio.run(_migrate(server.url(databases.SHARED)))
            yield server
    except postgres.Unavailable as error:
        pytest.skip(f"NOTHING WAS SHOWN OF POSTGRES: {error}")


async def _migrate(url: str) -> None:
    await (await database.open(url, clock=ManualClock())).close()


@pytest.fixture(params=["file", "memory", "postgres"])
def place(request, tmp_path) -> Place:
    """An empty database of each kind in turn."""
    if request.param == "memory":
        return Place("sqlite://")
    if request.param == "file":
        return Place(f"sqlite:///{tmp_path}/dayfly.db")
    server: postgres.Server = request.getfixturevalue("postgres_server")
    server.execute(databases.EMPTY, databases.SHARED)
    return Place(server.url(databases.SHARED), server)


@pytest.fixture
def clock() -> ManualClock:
    """The platform's clock."""
    return ManualClock(at(100))


@pytest.fixture
async def opened(place: Place, clock: ManualClock) -> AsyncIterator[database.Database]:
    """An open, empty database of each kind in turn."""
    store = await place.open(clock)
    yield store
    await store.close()
