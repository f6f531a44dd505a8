"""Attempts of Dask tasks on this host that fault tests share: started through the executor, looked for on the host."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from dayfly.executors.local import leftovers
from dayfly.executors.local.forked import processes
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.executors import TERMINAL, Observation
from tests.contract import cluster_hosts

DRIVER = str(Path(__file__).with_name("programs") / "dask_driver.py")

# Processes are found by their key, all over the host: runs of this test side by side must not share it.
KEY = AttemptKey(f"p/d/e{os.getpid()}/n0/0")


class Attempts(cluster_hosts.LocalHost):
    """Attempts of Dask tasks on this host, watched through the executor."""

    def follow(self) -> None:
        super().follow()
        self.observed: list[Observation] = []
        self._observing = asyncio.create_task(self._observe())

    async def _observe(self) -> None:
        async for seen in self.executor.watch():
            self.observed.append(seen)

    async def start(self, function: str, **rest: object) -> bytes:
        driver = cluster_hosts.attempt(KEY, sys.executable, DRIVER, function, **rest)  # type: ignore[arg-type]
        return await self.executor.start(driver)

    async def begun(self) -> None:
        await until((self.work(KEY) / "begun").exists)

    async def end(self) -> Observation:
        await until(lambda: self.observed and self.observed[-1].kind in TERMINAL)
        return self.observed[-1]

    async def assert_clean(self, handle: bytes, before: list[int], ports: list[int]) -> None:
        """Look at processes, ports and files: nothing of the cluster is left, once it is forgotten."""
        assert before
        assert ports
        await until(lambda: not any(processes.start_ticks(pid) for pid in before))
        assert leftovers.find_ports(before) == []
        assert not set(ports) & listening()
        await self.executor.forget(KEY, handle)
        assert await self.executor.leftovers(KEY, handle) == []
        assert not self.work(KEY).exists()


async def until(true: Callable[[], object]) -> None:
    async def poll() -> None:
        while not true():  # noqa: ASYNC110  the host tells nobody
            await asyncio.sleep(0.01)

    await asyncio.wait_for(poll(), cluster_hosts.PATIENCE_SECONDS)


def listening() -> set[int]:
    """Return all TCP ports that anybody listens on here."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {int(line.split()[1].rpartition(":")[2], 16) for line in lines if line.split()[3] == "0A"}


@contextlib.asynccontextmanager
async def attempts(data: Path) -> AsyncIterator[Attempts]:
    """Give a host below a data folder, and end what a test has left there."""
    made = Attempts(data)
    yield made
    await made.executor.forget(KEY, b"")
    await until(lambda: not made.pids(KEY))
    await made.groups.abandon()
    await made.unfollow()


def traces(host: Attempts) -> tuple[list[int], list[int]]:
    pids = host.pids(KEY)
    return pids, leftovers.find_ports(pids)
