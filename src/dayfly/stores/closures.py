"""Builds the `flyteidl` closures that clients read from run state. Pure; called by `projections`.

Which field is filled when follows flyteadmin/pkg/repositories/transformers in flyteorg/flyte.
"""

from __future__ import annotations

from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import catalog_pb2
from flyteidl.core import execution_pb2 as core_execution_pb2
from flyteidl.event import event_pb2
from google.protobuf import struct_pb2

from dayfly.base.clock import Micros
from dayfly.model import identifiers, layout
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase, CacheStatus, ExecutionPhase, NodePhase
from dayfly.model.plan import NodeKind
from dayfly.model.run import Abort, ArrayState, AttemptState, Failure, NodeState, RunState

ARRAY_TYPE = "container_array"
ARRAY_PLUGIN = "k8s-array"
"""What clients know the task execution of a map task by."""

_SUCCEEDED = (NodePhase.SUCCEEDED, NodePhase.RECOVERED)

_OF_NODE = {
    NodePhase.QUEUED: AttemptPhase.QUEUED,
    NodePhase.RUNNING: AttemptPhase.RUNNING,
    NodePhase.SUCCEEDED: AttemptPhase.SUCCEEDED,
    NodePhase.RECOVERED: AttemptPhase.SUCCEEDED,
    NodePhase.FAILED: AttemptPhase.FAILED,
    NodePhase.TIMED_OUT: AttemptPhase.FAILED,
    NodePhase.ABORTED: AttemptPhase.ABORTED,
}
"""An attempt's phase where a node stands for it."""

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
        if state.failure.where:
            closure.error.message += f"\n\nFailed at: {state.failure.where}"
    _set_span(closure, state.started_at, state.ended_at)
    return closure


def build_node(storage: str, execution: ExecutionId, node: NodeId, state: NodeState) -> bytes:
    """Return the NodeExecutionClosure of a node that has started."""
    closure = _node_closure(state)
    if state.phase in _SUCCEEDED:
        closure.output_uri = layout.outputs_uri(storage, execution, node, state.round)
    elif state.failure is not None:
        _set_error(closure.error, state.failure)
    prefix = layout.output_prefix(storage, execution, node, state.round)
    if state.has_deck:
        closure.deck_uri = f"{prefix}/deck.html"
    if state.kind == NodeKind.LAUNCH_PLAN:
        if state.child is not None:
            launched = identifiers.to_execution_identifier(state.child)
            closure.workflow_node_metadata.executionId.CopyFrom(launched)
    elif state.kind == NodeKind.TASK:
        closure.task_node_metadata.cache_status = int(state.cache)
        if state.catalog:
            closure.task_node_metadata.catalog_key.MergeFromString(state.catalog)
    if state.inner is not None and state.inner.grown:
        closure.dynamic_job_spec_uri = layout.futures_uri(storage, execution, node, state.inner.round)
    return bytes(closure.SerializeToString())


def build_bound(uri: str, state: NodeState) -> bytes:
    """Return the NodeExecutionClosure of a start or end node, whose outputs lie at `uri`."""
    closure = _node_closure(state)
    closure.output_uri = uri
    return bytes(closure.SerializeToString())


def _node_closure(state: NodeState) -> Any:
    closure = node_execution_pb2.NodeExecutionClosure(phase=int(state.phase))
    closure.created_at.FromMicroseconds(state.queued_at)
    closure.updated_at.FromMicroseconds(state.updated_at or state.queued_at)
    _set_span(closure, state.started_at, state.ended_at)
    return closure


def build_node_metadata(state: NodeState, *, retry_group: str = "") -> bytes:
    """Return the NodeExecutionMetaData.

    Sub-workflows and what dynamic tasks made are parents to clients; branches, launch plans and arrays are not
    (flytekit's `sync_node_execution` goes by that).
    """
    grown = state.inner is not None and bool(state.inner.grown)
    metadata = node_execution_pb2.NodeExecutionMetaData(
        spec_node_id=state.spec_id,
        retry_group=retry_group,
        is_parent_node=grown or state.kind == NodeKind.SUB_WORKFLOW,
        is_dynamic=grown,
        is_array=state.kind == NodeKind.ARRAY,
    )
    return bytes(metadata.SerializeToString())


def cache_status(state: NodeState) -> str:
    """Return the status as filters compare it; empty where nothing is cached."""
    if state.cache == CacheStatus.DISABLED:
        return ""
    return str(catalog_pb2.CatalogCacheStatus.Name(int(state.cache)))


def array_attempt(state: NodeState, array: ArrayState) -> AttemptState:
    """Return the one attempt that clients see of an array. Its version grows with each element that starts or ends."""
    phase = _OF_NODE.get(state.phase, AttemptPhase.RUNNING)
    return AttemptState(
        0,
        phase,
        queued_at=state.queued_at,
        started_at=state.started_at,
        ended_at=state.ended_at,
        updated_at=state.updated_at,
        failure=None if phase is AttemptPhase.SUCCEEDED else state.failure,
        updates=array.cursor + array.succeeded + array.failed,
    )


def build_array_attempt(storage: str, execution: ExecutionId, node: NodeId, attempt: AttemptState) -> bytes:
    """Return the TaskExecutionClosure of an array, without its elements: these are read from their own rows."""
    raw = build_attempt(storage, execution, node, ARRAY_TYPE, attempt)
    closure = task_execution_pb2.TaskExecutionClosure.FromString(raw)
    closure.event_version = 1
    closure.metadata.plugin_identifier = ARRAY_PLUGIN
    return bytes(closure.SerializeToString())


def build_element(
    execution: ExecutionId, element: NodeId, state: NodeState, attempt: AttemptState | None
) -> event_pb2.ExternalResourceInfo:
    """Return what an array's task execution says of one attempt of an element, or of one that took none."""
    parsed = identifiers.parse_element(element)
    number = attempt.number if attempt is not None else 0
    phase = attempt.phase if attempt is not None else _OF_NODE.get(state.phase, AttemptPhase.QUEUED)
    resource = event_pb2.ExternalResourceInfo(
        external_id=identifiers.generated_name(execution, element, number),
        index=parsed[1] if parsed is not None else 0,
        retry_attempt=number,
        phase=int(phase),
        cache_status=int(state.cache),
    )
    for link in attempt.logs if attempt is not None else ():
        resource.logs.add(name=f"{link.name}-{resource.index}", uri=link.uri)
    if attempt is not None and attempt.custom_info:
        resource.custom_info.MergeFromString(attempt.custom_info)
    if state.child is not None:
        resource.workflow_node_metadata.execution_id.CopyFrom(identifiers.to_execution_identifier(state.child))
    return resource


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
