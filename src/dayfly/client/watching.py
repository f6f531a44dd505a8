"""Follow an execution: frozen snapshots of it, one at each poll, until it has ended.

Nodes and attempts that have ended are not asked for again; an execution of a thousand finished nodes costs one list
call and the attempts of those still running.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from google.protobuf import json_format

from dayfly.base.clock import SECOND, Micros
from dayfly.client.connecting import Client
from dayfly.model.identifiers import END_NODE, START_NODE, ExecutionId, NodeId
from dayfly.model.phases import (
    TERMINAL_ATTEMPT,
    TERMINAL_EXECUTION,
    TERMINAL_NODE,
    AttemptPhase,
    ExecutionPhase,
    NodePhase,
)


class ErrorView(msgspec.Struct, frozen=True):
    """Why something failed."""

    code: str
    message: str
    kind: str
    """USER, SYSTEM or UNKNOWN."""


class LogView(msgspec.Struct, frozen=True):
    """A link to a log."""

    name: str
    uri: str


class AttemptView(msgspec.Struct, frozen=True):
    """One attempt as clients see it."""

    number: int
    phase: AttemptPhase
    task: str
    created_at: Micros | None
    started_at: Micros | None
    ended_at: Micros | None
    reason: str
    """What was said last."""
    reasons: tuple[tuple[Micros, str], ...]
    logs: tuple[LogView, ...]
    error: ErrorView | None
    info: Mapping[str, Any]
    """custom_info as plain values; for Dask: workers and tasks done."""


class NodeView(msgspec.Struct, frozen=True):
    """One node as clients see it."""

    id: NodeId
    spec_id: str
    phase: NodePhase
    created_at: Micros | None
    started_at: Micros | None
    ended_at: Micros | None
    error: ErrorView | None
    attempts: tuple[AttemptView, ...]
    has_deck: bool = False

    @property
    def name(self) -> str:
        """Return the task's name without its module, else the node's id."""
        return self.attempts[-1].task.rsplit(".", 1)[-1] if self.attempts else self.spec_id


class Snapshot(msgspec.Struct, frozen=True):
    """One execution at one moment."""

    id: ExecutionId
    phase: ExecutionPhase
    workflow: str
    version: str
    created_at: Micros | None
    started_at: Micros | None
    ended_at: Micros | None
    error: ErrorView | None
    abort_cause: str
    nodes: tuple[NodeView, ...]
    """In the order they appeared, without start and end node."""

    @property
    def ended(self) -> bool:
        """Say whether nothing will change any more."""
        return self.phase in TERMINAL_EXECUTION


async def snapshot(client: Client, execution: ExecutionId, known: Snapshot | None = None) -> Snapshot:
    """Return the execution as it is now; what ended in `known` is taken from there. Raise `NotFound`."""
    # The execution first: what it shows as ended, its nodes show as ended too.
    message = await client.get_execution(execution)
    before = {node.id: node for node in known.nodes} if known else {}
    rows = [one for one in await client.list_nodes(execution) if one.id.node_id not in (START_NODE, END_NODE)]
    nodes = await asyncio.gather(*(_node(client, execution, row, before.get(row.id.node_id)) for row in rows))
    closure = message.closure
    started, ended = span(closure, closure.phase in TERMINAL_EXECUTION)
    return Snapshot(
        id=execution,
        phase=ExecutionPhase(closure.phase),
        workflow=closure.workflow_id.name,
        version=closure.workflow_id.version,
        created_at=_time(closure, "created_at"),
        started_at=started,
        ended_at=ended,
        error=error(closure),
        abort_cause=closure.abort_metadata.cause,
        nodes=tuple(nodes),
    )


async def watch(client: Client, execution: ExecutionId, *, interval_seconds: float = 0.5) -> AsyncIterator[Snapshot]:
    """Yield snapshots until one has ended, that one included. Raise `NotFound`."""
    last = await snapshot(client, execution)
    yield last
    while not last.ended:
        await asyncio.sleep(interval_seconds)
        last = await snapshot(client, execution, last)
        yield last


async def wait_until_ended(client: Client, execution: ExecutionId, *, interval_seconds: float = 0.5) -> Snapshot:
    """Return the last snapshot."""
    last = None
    async for seen in watch(client, execution, interval_seconds=interval_seconds):
        last = seen
    assert last is not None
    return last


async def _node(client: Client, execution: ExecutionId, row: Any, known: NodeView | None) -> NodeView:
    closure = row.closure
    phase = NodePhase(closure.phase)
    if known is not None and known.phase in TERMINAL_NODE:
        return known
    node = NodeId(row.id.node_id)
    attempts = [_attempt(one) for one in await client.list_attempts(execution, node)]
    started, ended = span(closure, phase in TERMINAL_NODE)
    return NodeView(
        id=node,
        spec_id=row.metadata.spec_node_id or node,
        phase=phase,
        created_at=_time(closure, "created_at"),
        started_at=started,
        ended_at=ended,
        error=error(closure),
        attempts=tuple(attempts),
        has_deck=bool(closure.deck_uri),
    )


def _attempt(row: Any) -> AttemptView:
    closure = row.closure
    phase = AttemptPhase(closure.phase)
    started, ended = span(closure, phase in TERMINAL_ATTEMPT)
    return AttemptView(
        number=row.id.retry_attempt,
        phase=phase,
        task=row.id.task_id.name,
        created_at=_time(closure, "created_at"),
        started_at=started,
        ended_at=ended,
        reason=closure.reason,
        reasons=tuple((_micros(one.occurred_at), one.message) for one in closure.reasons),
        logs=tuple(LogView(log.name, log.uri) for log in closure.logs),
        error=error(closure),
        info=json_format.MessageToDict(closure.custom_info),
    )


def span(closure: Any, ended: bool) -> tuple[Micros | None, Micros | None]:
    """Return start and end of an execution, node or attempt.

    The end is told as a duration, or, where nothing started, as the last update.
    """
    started = _time(closure, "started_at")
    if not ended:
        return started, None
    seconds = closure.duration.seconds * SECOND + closure.duration.nanos // 1000
    return started, Micros(started + seconds) if started is not None and seconds else _time(closure, "updated_at")


def _time(closure: Any, field: str) -> Micros | None:
    return _micros(getattr(closure, field)) if closure.HasField(field) else None


def _micros(message: Any) -> Micros:
    return Micros(message.seconds * SECOND + message.nanos // 1000)


def error(closure: Any) -> ErrorView | None:
    """Return why an execution, node or attempt failed; None where it did not."""
    if not closure.HasField("error"):
        return None
    kind = type(closure.error).ErrorKind.Name(closure.error.kind)
    return ErrorView(closure.error.code, closure.error.message, kind)
