"""An executor that runs nothing: tests say how each attempt ends. It passes the executors' contract.

`world` is what outlives the platform: give it to a second `FakeExecutor` to play a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from dayfly.base import errors
from dayfly.base.clock import Clock
from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import TERMINAL, AttemptSpec, Observation, ObservationKind


class World:
    """The attempts that were ever started, and how often."""

    def __init__(self) -> None:
        self.specs: dict[AttemptKey, AttemptSpec] = {}
        self.last: dict[AttemptKey, Observation] = {}
        self.starts: dict[AttemptKey, int] = {}
        self.stopped: list[AttemptKey] = []


class FakeExecutor:
    """Implements `ports.executors.Executor`. Attempts run until `end` says how they end."""

    def __init__(self, clock: Clock, world: World | None = None) -> None:
        self.world = world or World()
        self._clock = clock
        self._mine: set[AttemptKey] = set()
        self._waiting: list[Observation] = []
        self._news = asyncio.Event()
        self._closed = False

    async def start(self, spec: AttemptSpec) -> bytes:
        if not spec.argv:
            raise errors.InvalidArgument(f"{spec.task} has no command to run.")
        self._mine.add(spec.key)
        if spec.key not in self.world.specs:
            self.world.specs[spec.key] = spec
            self.world.starts[spec.key] = self.world.starts.get(spec.key, 0) + 1
            self._tell(Observation(spec.key, ObservationKind.RUNNING, self._clock.now()))
        else:
            self._yield(self.world.last[spec.key])
        return b"fake"

    async def recover(self, key: AttemptKey, handle: bytes) -> Observation:
        if key not in self.world.last:
            return _failed(key, self._clock, "ProcessLost", "nothing is known of it")
        self._mine.add(key)
        self._yield(self.world.last[key])
        return self.world.last[key]

    async def watch(self) -> AsyncIterator[Observation]:
        while True:
            while self._waiting:
                yield self._waiting.pop(0)
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        if key in self.world.last and self.world.last[key].kind not in TERMINAL:
            self.world.stopped.append(key)
            self._tell(Observation(key, ObservationKind.STOPPED, self._clock.now()))

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        self.world.specs.pop(key, None)
        self.world.last.pop(key, None)
        self._mine.discard(key)

    async def close(self, *, grace_seconds: float) -> None:
        for key in self._mine:
            if self.world.last[key].kind not in TERMINAL:
                self._tell(_failed(key, self._clock, "Interrupted", "the platform ended"))
        self._closed = True
        self._news.set()

    def end(self, key: AttemptKey, **changes: object) -> None:
        """End an attempt: exit code 0, unless `changes` to the observation say otherwise."""
        exited = Observation(key, ObservationKind.EXITED, self._clock.now(), exit_code=0)
        self._tell(msgspec.structs.replace(exited, **changes))

    def _tell(self, seen: Observation) -> None:
        self.world.last[seen.key] = seen
        self._yield(seen)

    def _yield(self, seen: Observation) -> None:
        if seen.key in self._mine:
            self._waiting.append(seen)
            self._news.set()


def _failed(key: AttemptKey, clock: Clock, code: str, message: str) -> Observation:
    return Observation(
        key, ObservationKind.FAILED, clock.now(), failure_kind=FailureKind.SYSTEM, code=code, message=message
    )
