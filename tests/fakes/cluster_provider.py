"""Clusters that are only claimed to be there: tests say what happens to each. Passes the providers' contract.

`world` is what outlives the platform: give it to a second `FakeClusters` to play a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from dayfly.base import errors
from dayfly.base.clock import Clock
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.clusters import ClusterEnd, ClusterReport, ClusterSpec, ClusterState, Progress


class World:
    """The clusters that were ever made and not forgotten, and how often each was made."""

    def __init__(self) -> None:
        self.specs: dict[AttemptKey, ClusterSpec] = {}
        self.last: dict[AttemptKey, ClusterReport] = {}
        self.made: dict[AttemptKey, int] = {}


class FakeClusters:
    """Implements `ports.clusters.ClusterProvider`. A cluster is ready at once and runs until it is told to end."""

    def __init__(self, clock: Clock, world: World | None = None) -> None:
        self.world = world or World()
        self._clock = clock
        self._mine: set[AttemptKey] = set()
        self._waiting: list[ClusterReport] = []
        self._news = asyncio.Event()
        self._closed = False

    async def make(self, spec: ClusterSpec) -> bytes:
        if not spec.groups:
            raise errors.InvalidArgument(f"{spec.name} has no workers.")
        self._mine.add(spec.key)
        if spec.key in self.world.specs:
            self._yield(self.world.last[spec.key])
            return b"fake"
        self.world.specs[spec.key] = spec
        self.world.made[spec.key] = self.world.made.get(spec.key, 0) + 1
        self._tell(ClusterReport(spec.key, self._clock.now(), ClusterState.STARTING))
        ready = Progress(workers=spec.worker_count, wanted=spec.worker_count)
        self.tell(spec.key, state=ClusterState.READY, scheduler_address=f"fake://{spec.name}", progress=ready)
        return b"fake"

    async def recover(self, key: AttemptKey, handle: bytes) -> ClusterReport | None:
        if key not in self.world.last:
            return None
        self._mine.add(key)
        self._yield(self.world.last[key])
        return self.world.last[key]

    async def watch(self) -> AsyncIterator[ClusterReport]:
        while True:
            while self._waiting:
                yield self._waiting.pop(0)
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        if self._lives(key):
            self.tell(key, state=ClusterState.ENDED, end=ClusterEnd.STOPPED)

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        self.world.specs.pop(key, None)
        self.world.last.pop(key, None)
        self._mine.discard(key)

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        if key not in self.world.last:
            return []
        return [f"process of {key}"] if self._lives(key) else [f"record of {key}"]

    async def close(self, *, grace_seconds: float) -> None:
        for key in self._mine:
            if self._lives(key):
                self.tell(key, state=ClusterState.ENDED, end=ClusterEnd.INTERRUPTED)
        self._closed = True
        self._news.set()

    def tell(self, key: AttemptKey, **changes: object) -> None:
        """Let something happen to a cluster: `changes` to its last report."""
        self._tell(msgspec.structs.replace(self.world.last[key], at=self._clock.now(), **changes))

    def _lives(self, key: AttemptKey) -> bool:
        return key in self.world.last and self.world.last[key].state is not ClusterState.ENDED

    def _tell(self, report: ClusterReport) -> None:
        self.world.last[report.key] = report
        self._yield(report)

    def _yield(self, report: ClusterReport) -> None:
        if report.key in self._mine:
            self._waiting.append(report)
            self._news.set()
