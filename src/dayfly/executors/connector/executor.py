"""Runs attempts through connectors: creates a task, asks how it is until it is over, stores what it gives.

Called by the controller. The connector's own name for the task is in the handle, so that the next platform
goes on asking. Protocol: flyteidl/protos/flyteidl/service/agent.proto in flyteorg/flyte.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
from flyteidl.admin import agent_pb2
from flyteidl.core import literals_pb2, tasks_pb2
from flyteidl.service import agent_pb2_grpc

from dayfly.base import errors, logs
from dayfly.executors.connector import asking, endpoints, observing
from dayfly.ports.executors import TERMINAL, Observation, ObservationKind

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.executors import AttemptSpec

SLOWER = 1.25
"""Each question waits so much longer than the one before: what takes long is not over soon."""

MOST_SILENCES = 30
"""Questions in a row that a connector may leave unanswered before its task is given up."""

_BUSY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED})

_log = logs.get("connectors")


class ConnectorRefused(errors.UserError):
    """A connector does not take the task."""

    code = "ConnectorError"


class Handle(msgspec.Struct, frozen=True):
    """What outlives the platform."""

    address: str
    task_type: str
    type_version: int
    output_prefix: str
    resource_meta: bytes
    """The connector's own name for the task."""
    is_sync: bool = False


class ConnectorExecutor:
    """Implements `ports.executors.Executor` for the types that connectors know."""

    def __init__(
        self,
        known: endpoints.Endpoints,
        blobs: Blobs,
        clock: Clock,
        *,
        poll_seconds: float,
        slowest_poll_seconds: float,
        call_seconds: float,
        sync_seconds: float,
    ) -> None:
        self._known, self._blobs, self._clock = known, blobs, clock
        self._poll_seconds, self._slowest = poll_seconds, slowest_poll_seconds
        self._call_seconds, self._sync_seconds = call_seconds, sync_seconds
        self._handles: dict[AttemptKey, Handle] = {}
        self._last: dict[AttemptKey, Observation] = {}
        self._work: dict[AttemptKey, asyncio.Task[None]] = {}
        self._seen: asyncio.Queue[Observation | None] = asyncio.Queue()

    async def start(self, spec: AttemptSpec) -> bytes:
        """Create the task, or find it created. Raise `ConnectorRefused`, `ExecutorUnavailable`."""
        if spec.key not in self._handles:
            endpoint = await self._known.find(spec.task_type)
            if endpoint is None:
                raise errors.ExecutorUnavailable(f"No connector does tasks of type {spec.task_type} any more.")
            version = tasks_pb2.TaskTemplate.FromString(spec.template).task_type_version
            handle = Handle(
                endpoint.address, spec.task_type, version, spec.output_prefix, b"", is_sync=endpoint.is_sync
            )
            inputs = literals_pb2.LiteralMap.FromString(await self._blobs.find(spec.inputs_uri) or b"")
            if endpoint.is_sync:
                self._begin(spec.key, handle, self._execute(spec, handle, inputs))
            else:
                meta = await self._create(spec, handle, inputs)
                handle = msgspec.structs.replace(handle, resource_meta=meta)
                self._begin(spec.key, handle, self._poll(spec.key, handle))
        return msgspec.msgpack.encode(self._handles[spec.key])

    async def recover(self, key: AttemptKey, handle: bytes) -> Observation:
        """Go on asking about a task that an earlier platform created."""
        if key in self._last:
            return self._last[key]
        if not handle:
            return observing.lost(key, self._clock.now(), "AttemptLost", "No connector is known to have it.")
        read = msgspec.msgpack.decode(handle, type=Handle)
        if read.is_sync:
            told = "The platform ended while a connector was doing it."
            return observing.lost(key, self._clock.now(), "Interrupted", told)
        self._begin(key, read, self._poll(key, read))
        return Observation(key, ObservationKind.RUNNING, self._clock.now())

    async def watch(self) -> AsyncIterator[Observation]:
        """Yield what changes; an end always."""
        while (seen := await self._seen.get()) is not None:
            yield seen

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """Have the task deleted; STOPPED follows."""
        known = self._handles.get(key)
        if known is None or (key in self._last and self._last[key].kind in TERMINAL):
            return
        if (work := self._work.pop(key, None)) is not None:
            work.cancel()
        self._begin(key, known, self._delete(key, known))

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Drop what is kept."""
        if (work := self._work.pop(key, None)) is not None and work is not asyncio.current_task():
            work.cancel()
        self._handles.pop(key, None)
        self._last.pop(key, None)

    async def close(self, *, grace_seconds: float) -> None:
        """Stop asking. Tasks that run elsewhere go on, and the next platform asks again; others are interrupted."""
        work = list(self._work.values())
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for key, handle in self._handles.items():
            ended = key in self._last and self._last[key].kind in TERMINAL
            if handle.is_sync and not ended:
                self._tell(observing.lost(key, self._clock.now(), "Interrupted", "The platform ended."))
        self._seen.put_nowait(None)
        await self._known.close()

    def _begin(self, key: AttemptKey, handle: Handle, work: Coroutine[Any, Any, None]) -> None:
        self._handles[key] = handle
        self._work[key] = asyncio.create_task(work, name=f"connector {key}")

    async def _create(self, spec: AttemptSpec, handle: Handle, inputs: literals_pb2.LiteralMap) -> bytes:
        stub = agent_pb2_grpc.AsyncAgentServiceStub(await self._known.channel(handle.address))
        try:
            created = await stub.CreateTask(asking.create(spec, inputs), timeout=self._call_seconds)
        except grpc.aio.AioRpcError as error:
            raise _told(spec.task_type, error) from error
        meta: bytes = created.resource_meta
        return meta

    async def _execute(self, spec: AttemptSpec, handle: Handle, inputs: literals_pb2.LiteralMap) -> None:
        """Let a connector that answers at once do the task."""
        self._tell(Observation(spec.key, ObservationKind.RUNNING, self._clock.now()))
        header = agent_pb2.CreateRequestHeader(
            template=asking.template(spec),
            output_prefix=spec.output_prefix,
            task_execution_metadata=asking.metadata(spec),
        )
        asked = (
            agent_pb2.ExecuteTaskSyncRequest(header=header),
            agent_pb2.ExecuteTaskSyncRequest(inputs=inputs),
        )
        try:
            stub = agent_pb2_grpc.SyncAgentServiceStub(await self._known.channel(handle.address))
            answers = [one async for one in stub.ExecuteTaskSync(iter(asked), timeout=self._sync_seconds)]
            resource = agent_pb2.Resource()
            for answer in answers:
                if answer.HasField("header"):
                    resource.CopyFrom(answer.header.resource)
                elif answer.HasField("outputs"):
                    resource.outputs.CopyFrom(answer.outputs)
            await self._settle(spec.key, handle, resource)
        except (grpc.aio.AioRpcError, errors.PlatformError) as error:
            self._tell(_failed(spec.key, spec.task_type, error, self._clock))

    async def _poll(self, key: AttemptKey, handle: Handle) -> None:
        """Ask until the task is over, ever more rarely."""
        asked = agent_pb2.GetTaskRequest(
            task_type=handle.task_type,
            task_category=agent_pb2.TaskCategory(name=handle.task_type, version=handle.type_version),
            resource_meta=handle.resource_meta,
            output_prefix=handle.output_prefix,
        )
        pause, silences = self._poll_seconds, 0
        while True:
            try:
                stub = agent_pb2_grpc.AsyncAgentServiceStub(await self._known.channel(handle.address))
                answer = await stub.GetTask(asked, timeout=self._call_seconds)
                await self._settle(key, handle, answer.resource)
                silences = 0
            except (grpc.aio.AioRpcError, errors.PlatformError) as error:
                silences += 1
                _log.warning("a connector does not say how a task is", attempt=key, error=_details(error))
                if silences >= MOST_SILENCES or _is_final(error):
                    self._tell(_failed(key, handle.task_type, error, self._clock))
            if self._last.get(key) is not None and self._last[key].kind in TERMINAL:
                return
            await asyncio.sleep(pause)
            pause = min(pause * SLOWER, self._slowest)

    async def _settle(self, key: AttemptKey, handle: Handle, resource: agent_pb2.Resource) -> None:
        seen = observing.observe(key, resource, self._clock.now())
        if seen.kind is ObservationKind.EXITED and resource.outputs.literals:
            raw = resource.outputs.SerializeToString(deterministic=True)
            await self._blobs.put(f"{handle.output_prefix}/outputs.pb", raw)
        self._tell(seen)

    async def _delete(self, key: AttemptKey, handle: Handle) -> None:
        """Have the task deleted, until it is or its connector does not know it."""
        asked = agent_pb2.DeleteTaskRequest(
            task_type=handle.task_type,
            task_category=agent_pb2.TaskCategory(name=handle.task_type, version=handle.type_version),
            resource_meta=handle.resource_meta,
        )
        for _ in range(1 if handle.is_sync else MOST_SILENCES):
            try:
                if not handle.is_sync:
                    stub = agent_pb2_grpc.AsyncAgentServiceStub(await self._known.channel(handle.address))
                    await stub.DeleteTask(asked, timeout=self._call_seconds)
                break
            except (grpc.aio.AioRpcError, errors.PlatformError) as error:
                if isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.NOT_FOUND:
                    break
                _log.warning("a connector does not delete a task", attempt=key, error=_details(error))
                await asyncio.sleep(self._poll_seconds)
        self._tell(Observation(key, ObservationKind.STOPPED, self._clock.now(), "stopped"))

    def _tell(self, seen: Observation) -> None:
        last = self._last.get(seen.key)
        if last is not None and last.kind in TERMINAL:
            return
        self._last[seen.key] = seen
        if last is None or msgspec.structs.replace(seen, at=last.at) != last:
            self._seen.put_nowait(seen)


def _told(task_type: str, error: grpc.aio.AioRpcError) -> errors.DayflyError:
    """Say whose fault it is that a task could not be created."""
    told = f"The connector for {task_type} does not take the task: {_details(error)}"
    return errors.ExecutorUnavailable(told) if error.code() in _BUSY else ConnectorRefused(told)


def _failed(key: AttemptKey, task_type: str, error: Exception, clock: Clock) -> Observation:
    told = f"The connector for {task_type} does not say how the task is: {_details(error)}"
    return observing.lost(key, clock.now(), ConnectorRefused.code, told)


def _is_final(error: Exception) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and error.code() in (
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
    )


def _details(error: Exception) -> str:
    return f"{error.code().name}: {error.details()}" if isinstance(error, grpc.aio.AioRpcError) else str(error)
