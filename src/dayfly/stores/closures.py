"""Builds the `flyteidl` closures that clients read from run state. Pure; called by `projections`.

Which field is filled when follows flyteadmin/pkg/repositories/transformers in flyteorg/flyte.
"""

from __future__ import annotations

from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import execution_pb2 as core_execution_pb2
from flyteidl.event import event_pb2
from google.protobuf import struct_pb2

from dayfly.base.clock import Micros
from dayfly.model import identifiers, layout
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase
from dayfly.model.run import Abort, AttemptState, Failure, NodeState, RunState

_ABORTED = (ExecutionPhase.ABORTING, ExecutionPhase.ABORTED)


def build_execution(
    state: RunState, phase: ExecutionPhase, abort: Abort | None, *, outputs_uri: str, workflow: EntityId
) -> Any:
    """Return the ExecutionClosure without what doors add: created_at, updated_at, state_change_details."""
    closure = execution_pb2.ExecutionClosure(phase=int(phase), workflow_id=identifiers.to_identifier(workflow))
    if phase == ExecutionPhase.SUCCEEDED:
        closure.outputs.uri = outputs_uri
    elif abort is not None and phase in _ABORTED:
        closure.abort_metadata.cause, closure.abort_metadata.principal = abort.cause, abort.principal
    elif state.failure is not None:
        _set_error(closure.error, state.failure)
    _set_span(closure, state.started_at, state.ended_at)
    return closure


def build_node(storage: str, execution: ExecutionId, node: NodeId, state: NodeState) -> bytes:
    """Return the NodeExecutionClosure of a node that has started."""
    closure = node_execution_pb2.NodeExecutionClosure(phase=int(state.phase))
    attempt = state.attempts[-1].number if state.attempts else 0
    if state.phase == NodePhase.SUCCEEDED:
        closure.output_uri = layout.outputs_uri(storage, execution, node, attempt)
    elif state.failure is not None:
        _set_error(closure.error, state.failure)
    if state.has_deck:
        closure.deck_uri = f"{layout.output_prefix(storage, execution, node, attempt)}/deck.html"
    closure.created_at.FromMicroseconds(state.queued_at)
    closure.updated_at.FromMicroseconds(state.updated_at or state.queued_at)
    _set_span(closure, state.started_at, state.ended_at)
    if node not in (identifiers.START_NODE, identifiers.END_NODE):
        closure.task_node_metadata.SetInParent()
    return bytes(closure.SerializeToString())


def build_node_metadata(spec_node_id: str) -> bytes:
    """Return the NodeExecutionMetaData of a task node."""
    return bytes(node_execution_pb2.NodeExecutionMetaData(spec_node_id=spec_node_id).SerializeToString())


def build_attempt(storage: str, execution: ExecutionId, node: NodeId, task_type: str, attempt: AttemptState) -> bytes:
    """Return the TaskExecutionClosure of one attempt."""
    closure = task_execution_pb2.TaskExecutionClosure(phase=int(attempt.phase), task_type=task_type)
    if attempt.phase == AttemptPhase.SUCCEEDED:
        closure.output_uri = layout.outputs_uri(storage, execution, node, attempt.number)
    elif attempt.failure is not None:
        _set_error(closure.error, attempt.failure)
    for link in attempt.logs:
        closure.logs.add(name=link.name, uri=link.uri)
    for reason in attempt.reasons:
        closure.reasons.add(message=reason.message).occurred_at.FromMicroseconds(reason.at)
    if attempt.reasons:
        closure.reason = attempt.reasons[-1].message
    if attempt.custom_info:
        closure.custom_info.CopyFrom(struct_pb2.Struct.FromString(attempt.custom_info))
    closure.metadata.generated_name = identifiers.generated_name(execution, node, attempt.number)
    if attempt.interruptible:
        closure.metadata.instance_class = event_pb2.TaskExecutionMetadata.INTERRUPTIBLE
    closure.created_at.FromMicroseconds(attempt.queued_at)
    closure.updated_at.FromMicroseconds(attempt.updated_at or attempt.queued_at)
    _set_span(closure, attempt.started_at, attempt.ended_at)
    return bytes(closure.SerializeToString())


def error_kind(failure: Failure | None) -> str:
    """Return the kind as filters compare it; empty where there is no failure."""
    return "" if failure is None else str(core_execution_pb2.ExecutionError.ErrorKind.Name(int(failure.kind)))


def _set_error(error: Any, failure: Failure) -> None:
    error.code, error.message, error.kind = failure.code, failure.message, int(failure.kind)
    error.timestamp.FromMicroseconds(failure.at)


def _set_span(closure: Any, started_at: Micros | None, ended_at: Micros | None) -> None:
    if started_at is None:
        return
    closure.started_at.FromMicroseconds(started_at)
    if ended_at is not None:
        closure.duration.FromMicroseconds(max(0, ended_at - started_at))
