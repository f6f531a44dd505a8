"""Scaling of a real scheduler whose workers have several processes: what becomes of their data, and of who stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from distributed import Client, Scheduler, Worker
from distributed.core import Status

from dayfly.executors.dask.roles import scaling

PATIENCE_SECONDS = 30

ROLES = ["worker-0", "worker-1", "worker-2"]

PROCESSES = 2


class Cluster:
    """Workers of two processes each, as `dask worker --nworkers 2` names them; all in this process."""

    def __init__(self, scheduler: Scheduler, client: Client) -> None:
        self.scheduler, self.client = scheduler, client
        self.published: list[list[str]] = []
        group = scaling.Group("worker", ROLES, begun=len(ROLES), minimum=0, processes=PROCESSES)
        self.scaling = scaling.Scaling(scheduler, [group], self.published.append, lambda *_, **__: None)

    def addresses(self, *roles: str) -> list[str]:
        return [one.address for one in self.scheduler.workers.values() if str(one.name).rpartition("-")[0] in roles]

    async def hold(self, number: int, name: str) -> Any:
        """Have a worker hold a result."""
        (address,) = [one.address for one in self.scheduler.workers.values() if one.name == name]
        made = self.client.submit(bytes, number, workers=[address], key=f"of-{name}")
        await made
        return made


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    quiet: dict[str, Any] = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    async with AsyncExitStack() as stack:
        scheduler = await stack.enter_async_context(Scheduler(host="127.0.0.1", port=0, **quiet))
        for role in ROLES:
            for number in range(PROCESSES):
                made = Worker(scheduler.address, host="127.0.0.1", name=f"{role}-{number}", nthreads=1, **quiet)
                await stack.enter_async_context(made)
        client = await stack.enter_async_context(Client(scheduler.address, asynchronous=True))
        yield Cluster(scheduler, client)


async def test_what_all_processes_of_a_worker_hold_is_handed_over_before_it_goes(cluster: Cluster) -> None:
    held = [await cluster.hold(number, f"worker-1-{number}") for number in range(PROCESSES)]
    await cluster.scaling._retire(("worker-1",))
    assert cluster.published == [["worker-0", "worker-2"]]
    assert cluster.addresses("worker-1") == []
    assert await cluster.client.gather(held) == [b"", b"\0"]
    assert all(cluster.scheduler.tasks[one.key].state == "memory" for one in held)


async def test_a_worker_whose_data_finds_no_place_keeps_all_its_processes_and_takes_tasks_again(
    cluster: Cluster,
) -> None:
    held = await cluster.hold(3, "worker-1-1")
    # All are to go, so that nobody is left to take it.
    await cluster.scaling._retire(tuple(ROLES))
    assert cluster.published == [["worker-1"]]
    assert cluster.scaling.wanted == PROCESSES
    staying = cluster.addresses("worker-1")
    assert sorted(cluster.scheduler.workers) == sorted(staying)
    assert len(staying) == PROCESSES
    await until(lambda: {one.status for one in cluster.scheduler.workers.values()} == {Status.running})
    for address in staying:
        assert await cluster.client.submit(abs, -1, workers=[address], pure=False) == 1
    assert await held == b"\0\0\0"
