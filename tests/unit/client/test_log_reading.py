"""Logs as the command line reads them: page by page, followed, and on after a restart of the platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes import http_api
from tests.fakes.http_api import World
from tests.fakes.stores import open_in_memory

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.client import log_reading
from dayfly.client.log_reading import Choice, Logs
from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import AttemptPhase


@pytest.fixture
async def world() -> AsyncIterator[World]:
    store = await open_in_memory(ManualClock())
    yield World(store.catalog, store.overview)
    await store.close()


async def read(logs: Logs, key: AttemptKey, choice: Choice) -> list[str]:
    return [line.text async for lines in logs.read(key, choice) for line in lines]


async def test_pages_and_choices(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reading, "PAGE", 2)
    key = world.put(phase=AttemptPhase.SUCCEEDED)
    for role in ("driver", "scheduler", "worker-0", "worker-1"):
        world.logs.write(key, role, f"{role} one\nERROR {role} two\n")
    async with http_api.serving(world, tmp_path) as address, Logs(address) as logs:
        assert await logs.list_roles(key) == ["driver", "scheduler", "worker-0", "worker-1"]
        assert len(await read(logs, key, Choice())) == 8
        assert await read(logs, key, Choice(tail=1)) == ["ERROR worker-1 two"]
        assert await read(logs, key, Choice(roles=("worker",), search="ONE")) == ["worker-0 one", "worker-1 one"]
        assert await read(logs, key, Choice(roles=("driver",), level="warning")) == ["ERROR driver two"]
        assert b"".join([part async for part in logs.read_text(key, "driver")]) == b"driver one\nERROR driver two\n"


async def test_what_is_not_there(world: World, tmp_path: Path) -> None:
    key = world.put()
    async with http_api.serving(world, tmp_path) as address, Logs(address) as logs:
        with pytest.raises(errors.NotFound, match="no log of 'worker-9'"):
            await anext(logs.read_text(key, "worker-9"))
        with pytest.raises(errors.NotFound, match="no attempt"):
            await logs.list_roles(AttemptKey("p/d/e/n0/7"))
        with pytest.raises(errors.InvalidArgument, match="level"):
            await read(logs, key, Choice(level="loud"))
    async with Logs(address) as logs:
        with pytest.raises(errors.PlatformError, match="No server answers"):
            await logs.list_roles(key)


async def test_following_goes_on_after_the_platform_was_started_anew(world: World, tmp_path: Path) -> None:
    key = world.put()
    world.logs.write(key, "driver", "one\n")
    down, up = asyncio.Event(), asyncio.Event()

    async def pause(_: float) -> None:
        down.set()
        await up.wait()

    async with http_api.serving(world, tmp_path) as address:
        followed = Logs(address, pause=pause).follow(key, Choice())
        told = [line.text for line in await anext(followed)]
    following = asyncio.ensure_future(anext(followed))
    await down.wait()  # It has been told of the end, and tries again.
    world.logs.write(key, "driver", "two\n")
    port = int(address.rpartition(":")[2])
    async with http_api.serving(world, tmp_path, port):
        up.set()
        told += [line.text for line in await following]
        world.put(phase=AttemptPhase.SUCCEEDED)
        assert [lines async for lines in followed] == []
    assert told == ["one", "two"]


async def test_following_gives_up_where_nobody_comes_back(world: World, tmp_path: Path) -> None:
    key = world.put()
    world.logs.write(key, "driver", "one\n")
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with http_api.serving(world, tmp_path) as address:
        followed = Logs(address, pause=pause).follow(key, Choice())
        await anext(followed)
    with pytest.raises(errors.PlatformError, match="cannot be followed any more"):
        await anext(followed)
    assert pauses == [log_reading.RETRY_SECONDS] * log_reading.RETRIES
