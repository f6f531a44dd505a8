"""Dayfly's own HTTP API over fakes, as tests ask it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes import http_api
from tests.fakes.http_api import World
from tests.fakes.stores import open_in_memory

from dayfly.base.clock import ManualClock


@pytest.fixture
async def world() -> AsyncIterator[World]:
    store = await open_in_memory(ManualClock())
    yield World(store.catalog, store.overview)
    await store.close()


@pytest.fixture
async def http(world: World, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        http_api.serving(world, tmp_path) as address,
        httpx.AsyncClient(base_url=f"http://{address}/api/dayfly/v1", timeout=30) as client,
    ):
        yield client


class Events:
    """Server-sent events of one answer, as they come."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def take(self) -> dict[str, Any]:
        """Return the next event: `event`, `id` and `data` as plain values."""
        told: dict[str, Any] = {}
        async for line in self._lines:
            name, _, value = line.partition(": ")
            if not line and "event" in told:
                return {**told, "data": json.loads(told["data"])}
            if name in ("event", "id", "data"):
                told[name] = value
        raise AssertionError("there are no more events")


@pytest.fixture
def events() -> type[Events]:
    return Events
