"""What runs attempts, and outlives every platform: how each goes and ends, and what its executors see of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import NamedTuple

from flyteidl.core import errors_pb2
from msgspec import structs

from dayfly.base.clock import ManualClock
from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import TERMINAL, AttemptSpec, Observation, ObservationKind
from tests.fakes.blobs import MemoryBlobs
from tests.faults.simulation import workflows

_ENDS = ("done",) * 10 + ("grows", "grows", "sorry", "wrong", "lost", "nothing", "failed")
MOST_GROWN = 3
"""Dynamic tasks in one world."""


class Life(NamedTuple):
    """One attempt out there."""

    spec: AttemptSpec
    ending: asyncio.Task[None]


class Host:
    """Where attempts run. `starts` says how often each was started, `last` what was seen of it last."""

    def __init__(self, clock: ManualClock, chance: Random, blobs: MemoryBlobs) -> None:
        self.clock, self.chance, self.blobs = clock, chance, blobs
        self.lives: dict[AttemptKey, Life] = {}
        self.last: dict[AttemptKey, Observation] = {}
        self.starts: dict[AttemptKey, int] = {}
        self.eyes: list[Eye] = []
        self._grown = 0

    def start(self, spec: AttemptSpec) -> None:
        """Begin, or find begun."""
        if spec.key not in self.last:
            self.starts[spec.key] = self.starts.get(spec.key, 0) + 1
            self._see(Observation(spec.key, ObservationKind.QUEUED, self.clock.now(), reason="no room"))
            self.lives[spec.key] = Life(spec, asyncio.get_running_loop().create_task(self._live(spec)))

    def stop(self, key: AttemptKey) -> None:
        """End it, if it is not over."""
        if key in self.lives:
            self.lives.pop(key).ending.cancel()
            self._see(Observation(key, ObservationKind.STOPPED, self.clock.now()))

    def forget(self, key: AttemptKey) -> None:
        """Drop what is kept of it, as an executor does once its end is stored."""
        assert key not in self.lives, f"{key} was forgotten while it ran"
        self.last.pop(key, None)

    async def _live(self, spec: AttemptSpec) -> None:
        await asyncio.sleep(self.chance.expovariate(1 / 2))
        self._see(Observation(spec.key, ObservationKind.RUNNING, self.clock.now()))
        await asyncio.sleep(self.chance.choice((0.1, 1.0, 3.0, 8.0)) * self.chance.random() * 2)
        end = self._end(spec, self.chance.choice(_ENDS))
        del self.lives[spec.key]
        self._see(end)

    def _end(self, spec: AttemptSpec, how: str) -> Observation:
        ended = Observation(spec.key, ObservationKind.EXITED, self.clock.now(), exit_code=0)
        if how == "grows" and self._grown < MOST_GROWN:
            self._grown += 1
            self._leave(spec, "futures.pb", workflows.futures(self.chance.randint(1, 3)))
        elif how in ("done", "grows"):
            self._leave(spec, "outputs.pb", workflows.values(len(self.starts)))
        elif how in ("sorry", "wrong"):
            kind = (
                errors_pb2.ContainerError.RECOVERABLE if how == "sorry" else errors_pb2.ContainerError.NON_RECOVERABLE
            )
            error = errors_pb2.ContainerError(code="USER:E", message=how, kind=kind, origin=1)
            self._leave(spec, "error.pb", errors_pb2.ErrorDocument(error=error).SerializeToString())
        elif how == "lost":
            return structs.replace(ended, exit_code=137, signal=9)
        elif how == "failed":
            return Observation(
                spec.key, ObservationKind.FAILED, self.clock.now(), failure_kind=FailureKind.SYSTEM, code="NodeLost"
            )
        return ended

    def _leave(self, spec: AttemptSpec, name: str, data: bytes) -> None:
        self.blobs.stored[f"{spec.output_prefix}/{name}"] = data

    def _see(self, seen: Observation) -> None:
        self.last[seen.key] = seen
        for eye in self.eyes:
            eye.see(seen)


class Eye:
    """`ports.executors.Executor` of one platform: sees late, twice, out of order, and loses what is no end."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._mine: set[AttemptKey] = set()
        self._seen: list[Observation] = []
        self._news = asyncio.Event()
        host.eyes.append(self)

    async def start(self, spec: AttemptSpec) -> bytes:
        self._mine.add(spec.key)
        before = self._host.last.get(spec.key)
        self._host.start(spec)
        if before is not None:
            self.see(before)
        return b"handle"

    async def recover(self, key: AttemptKey, handle: bytes) -> Observation:
        if key not in self._host.last:
            kind, code = FailureKind.SYSTEM, "ProcessLost"
            return Observation(key, ObservationKind.FAILED, self._host.clock.now(), failure_kind=kind, code=code)
        self._mine.add(key)
        self.see(self._host.last[key])
        return self._host.last[key]

    async def watch(self) -> AsyncIterator[Observation]:
        while True:
            while self._seen:
                yield self._seen.pop(0)
            self._news.clear()
            await self._news.wait()

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        self._host.stop(key)

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        self._host.forget(key)
        self._mine.discard(key)

    def close(self) -> None:
        """The platform is gone."""
        self._host.eyes.remove(self)

    def see(self, seen: Observation) -> None:
        """Tell what was seen, sooner or later."""
        if seen.key not in self._mine:
            return
        chance = self._host.chance
        for _ in range(2 if chance.random() < 0.1 else 1):
            if seen.kind in TERMINAL or chance.random() < 0.9:
                delay = chance.choice((0.0, 0.0, 0.01, 0.5, 4.0)) * chance.random()
                asyncio.get_running_loop().call_later(delay, self._notice, seen)

    def _notice(self, seen: Observation) -> None:
        self._seen.append(seen)
        self._news.set()
