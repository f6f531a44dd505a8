"""Events that somebody outside reports: checked by Flyte's rules, and never the cause of a change.

Executions are driven by the engine inside, the one writer of their state. So a report of what is known already is
answered as Flyte answers it, one that breaks a rule is refused with Flyte's reason, and one that would change something
is refused as well. Rules: flyteadmin's execution_manager.go, node_execution_manager.go and task_execution_manager.go
in flyteorg/flyte.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NoReturn

from flyteidl.admin import event_pb2, execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import identifier_pb2
from flyteidl.event import event_pb2 as reports

from dayfly.base import errors
from dayfly.model import phases
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase
from dayfly.ports.runs import ExecutionRow, Runs
from dayfly.services import executions_found, naming, node_executions, refusals

ANY_CLUSTER = ("", "propeller")
"""Producers that do not say which cluster they are of."""


class OutsideEvents:
    """CreateWorkflowEvent, CreateNodeEvent, CreateTaskEvent."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def of_execution(self, request: event_pb2.WorkflowExecutionEventRequest) -> NoReturn:
        """Check what is said of an execution. NOT_FOUND, ALREADY_EXISTS, else FAILED_PRECONDITION."""
        event: reports.WorkflowExecutionEvent = _given(request)
        row = await self._execution(event.execution_id, event.producer_id)
        said = _phase(ExecutionPhase, event.phase)
        known = ExecutionPhase[row.phase]
        told = f"execution {row.id}"
        _refuse_known(told, known, said, ended=known in phases.TERMINAL_EXECUTION)
        if known == ExecutionPhase.RUNNING and said == ExecutionPhase.QUEUED:
            raise errors.FailedPrecondition(f"{told} is RUNNING and cannot be QUEUED any more.")
        if known == ExecutionPhase.ABORTING and said not in phases.TERMINAL_EXECUTION:
            raise errors.FailedPrecondition(f"{told} is ABORTING and cannot be {said.name} any more.")
        _refuse_change(told, said)

    async def of_node(self, request: event_pb2.NodeExecutionEventRequest) -> NoReturn:
        """Check what is said of a node execution. NOT_FOUND, ALREADY_EXISTS, else FAILED_PRECONDITION."""
        event: reports.NodeExecutionEvent = _given(request)
        execution, node = node_executions.read_id(event.id)
        await self._execution(event.id.execution_id, event.producer_id)
        said = _phase(NodePhase, event.phase)
        told = f"node {node} of execution {execution}"
        row = await self._runs.find_node(execution, node)
        if row is not None:
            closure = node_execution_pb2.NodeExecutionClosure.FromString(row.closure)
            known = NodePhase(closure.phase)
            _refuse_known(told, known, said, ended=known in phases.TERMINAL_NODE)
        elif (parent := event.parent_node_metadata.node_id) and (
            await self._runs.find_node(execution, NodeId(parent)) is None
        ):
            raise errors.NotFound(f"The parent {parent!r} of {told} does not exist.")
        _refuse_change(told, said)

    async def of_task(self, request: event_pb2.TaskExecutionEventRequest) -> NoReturn:
        """Check what is said of an attempt. NOT_FOUND, ALREADY_EXISTS, else FAILED_PRECONDITION."""
        event: reports.TaskExecutionEvent = _given(request)
        naming.entity(event.task_id, identifier_pb2.TASK)
        execution, node = node_executions.read_id(event.parent_node_execution_id)
        await self._execution(event.parent_node_execution_id.execution_id, event.producer_id)
        await node_executions.find(self._runs, event.parent_node_execution_id)
        said = _phase(AttemptPhase, event.phase)
        told = f"attempt {event.retry_attempt} of node {node} of execution {execution}"
        row = await self._runs.find_attempt(execution, node, event.retry_attempt)
        if row is not None:
            known = AttemptPhase(task_execution_pb2.TaskExecutionClosure.FromString(row.closure).phase)
            if known != said or event.phase_version <= row.phase_version:
                _refuse_known(told, known, said, ended=known in phases.TERMINAL_ATTEMPT)
        _refuse_change(told, said)

    async def _execution(self, message: identifier_pb2.WorkflowExecutionIdentifier, producer: str) -> ExecutionRow:
        row = await executions_found.get(self._runs, naming.execution(message))
        metadata = execution_pb2.ExecutionSpec.FromString(row.spec).metadata
        cluster = metadata.system_metadata.execution_cluster
        if cluster and producer not in (*ANY_CLUSTER, cluster):
            reason = event_pb2.EventFailureReason()
            reason.incompatible_cluster.cluster = cluster
            raise refusals.ExplainedPrecondition(
                f"Execution {row.id} runs on cluster {cluster!r}, and the event comes from {producer!r}.", reason
            )
        return row


def _given(request: event_pb2.WorkflowExecutionEventRequest) -> reports.WorkflowExecutionEvent:
    """Return the request's event. Raise `InvalidArgument` where it or its time is missing."""
    if not request.HasField("event"):
        raise errors.InvalidArgument("missing event.")
    if not request.event.HasField("occurred_at"):
        raise errors.InvalidArgument("missing occurred_at of the event.")
    return request.event


def _phase(kind: type[IntEnum], number: int) -> IntEnum:
    try:
        return kind(number)
    except ValueError:
        raise errors.InvalidArgument(f"The event's phase {number} is none of {kind.__name__}.") from None


def _refuse_known(told: str, known: IntEnum, said: IntEnum, *, ended: bool) -> None:
    if known == said:
        raise errors.AlreadyExists(f"{told} is {known.name} already.")
    if ended:
        reason = event_pb2.EventFailureReason()
        reason.already_in_terminal_state.current_phase = known.name
        raise refusals.ExplainedPrecondition(
            f"{told} has ended as {known.name} and cannot be {said.name} any more.", reason
        )


def _refuse_change(told: str, said: IntEnum) -> NoReturn:
    raise errors.FailedPrecondition(
        f"An event from outside cannot make {told} {said.name}.",
        remedy="Executions are driven by the engine inside the platform; end them with TerminateExecution.",
    )
