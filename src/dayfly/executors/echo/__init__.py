"""Tasks of type `echo`: the only input becomes the only output, with no process at all.

Knows: one literal. Never knows: anything else. Source: flyteplugins/go/tasks/plugins/testing/echo.go in flyteorg/flyte.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from flyteidl.core import literals_pb2, tasks_pb2

from dayfly.base import errors
from dayfly.model.phases import FailureKind
from dayfly.ports import executor_parts
from dayfly.ports.executors import Observation, ObservationKind

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.executor_parts import ExecutorParts, Plugged
    from dayfly.ports.executors import AttemptSpec

TASK_TYPES = ("echo",)

DONE = b"echoed"
"""The handle: whoever has one has the outputs too."""


class EchoExecutor:
    """Implements `ports.executors.Executor`; an attempt is over when it has been started."""

    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._blobs, self._clock = blobs, clock
        self._seen: asyncio.Queue[Observation | None] = asyncio.Queue()

    async def start(self, spec: AttemptSpec) -> bytes:
        """Copy the input. Raise `InvalidArgument` unless there is at most one of each, and as many."""
        interface = tasks_pb2.TaskTemplate.FromString(spec.template).interface
        taken, given = sorted(interface.inputs.variables), sorted(interface.outputs.variables)
        if len(taken) != len(given) or len(given) > 1:
            raise errors.InvalidArgument(
                f"{spec.task} is of type echo, which copies one input to one output; it has {len(taken)} and "
                f"{len(given)}."
            )
        inputs = literals_pb2.LiteralMap.FromString(await self._blobs.find(spec.inputs_uri) or b"")
        outputs = literals_pb2.LiteralMap()
        for name, source in zip(given, taken, strict=True):
            outputs.literals[name].CopyFrom(inputs.literals[source])
        await self._blobs.put(f"{spec.output_prefix}/outputs.pb", outputs.SerializeToString(deterministic=True))
        self._seen.put_nowait(self._ended(spec.key))
        return DONE

    async def recover(self, key: AttemptKey, handle: bytes) -> Observation:
        """Say that it is over; one that was never started is lost."""
        if handle == DONE:
            return self._ended(key)
        return Observation(
            key,
            ObservationKind.FAILED,
            self._clock.now(),
            failure_kind=FailureKind.SYSTEM,
            code="AttemptLost",
            message="The platform ended before the input was copied.",
        )

    async def watch(self) -> AsyncIterator[Observation]:
        """Yield each end."""
        while (seen := await self._seen.get()) is not None:
            yield seen

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """Do nothing: it has ended already."""

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Do nothing: nothing is kept."""

    async def close(self, *, grace_seconds: float) -> None:
        """Let watching end."""
        self._seen.put_nowait(None)

    def _ended(self, key: AttemptKey) -> Observation:
        return Observation(key, ObservationKind.EXITED, self._clock.now(), exit_code=0)


def plug(parts: ExecutorParts) -> Plugged:
    """Return the executor of echoes."""
    return executor_parts.Plugged(EchoExecutor(parts.blobs, parts.clock), TASK_TYPES)
