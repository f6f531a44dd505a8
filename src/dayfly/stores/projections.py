"""Says which rows clients see change between two states of a run. Pure; `driving` writes them with the state itself.

Only nodes and attempts that are other objects than before make rows: states share what did not change, so a run of
ten thousand nodes costs a commit what moved. Doors write two things beside the engine (`Marks`): an abort that the
engine may not have read yet is shown all the same, until it has.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dayfly.base.clock import Micros
from dayfly.model import identifiers, layout
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase, NodePhase
from dayfly.model.plan import Plan
from dayfly.model.run import Abort, AttemptState, NodeState, RunState
from dayfly.stores import closures, run_states


class Marks(msgspec.Struct, frozen=True):
    """What doors have said of an execution."""

    archived: int
    """flyteidl.admin.ExecutionState: 0 active, 1 archived."""
    changed_by: str
    changed_at: Micros
    abort: Abort | None = None


class Context(msgspec.Struct, frozen=True):
    """What a run's rows need beside its states."""

    id: ExecutionId
    storage: str
    workflow: EntityId
    plan: Plan
    created_at: Micros
    marks: Marks


class Changes(msgspec.Struct, frozen=True):
    """Rows as column values, without the number of their execution."""

    execution: dict[str, Any] | None
    """None where clients see nothing new of the execution itself."""
    nodes: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    moved: dict[NodeId, NodeState]
    """The nodes whose state itself is to be written."""


def rows_for(before: RunState, after: RunState, context: Context) -> Changes:
    """Return the rows that differ between two states of one run."""
    nodes, attempts = _bounds(before, after, context), []
    moved = run_states.moved(before, after)
    for node, state in moved.items():
        if state.phase == NodePhase.UNDEFINED:
            continue
        nodes.append(_node_row(node, state, context))
        old = before.nodes.get(node)
        known = old.attempts if old is not None else ()
        for at, attempt in enumerate(state.attempts):
            if at >= len(known) or attempt is not known[at]:
                attempts.append(_attempt_row(node, attempt, context))
    changed = _facts(before) != _facts(after)
    return Changes(execution_row(after, context) if changed else None, nodes, attempts, moved)


def execution_row(state: RunState, context: Context) -> dict[str, Any]:
    """Return the execution's changing columns: for the first time, and after each change of state or marks."""
    marks = context.marks
    abort, phase = marks.abort or state.abort, state.phase
    if marks.abort is not None and phase not in TERMINAL_EXECUTION:
        phase = ExecutionPhase.ABORTING
    outputs_uri = layout.execution_outputs_uri(context.storage, context.id)
    closure = closures.build_execution(state, phase, abort, outputs_uri=outputs_uri, workflow=context.workflow)
    updated_at = max(state.updated_at, context.created_at, marks.abort.at if marks.abort else 0)
    closure.created_at.FromMicroseconds(context.created_at)
    closure.updated_at.FromMicroseconds(updated_at)
    details = closure.state_change_details
    details.state, details.principal = marks.archived, marks.changed_by
    details.occurred_at.FromMicroseconds(marks.changed_at)
    failure = state.failure if closure.HasField("error") else None
    return {
        "closure": closure.SerializeToString(),
        "phase": phase.name,
        "updated_at": updated_at,
        "started_at": state.started_at,
        "duration": _span(state.started_at, state.ended_at),
        "error_kind": closures.error_kind(failure),
        "error_code": failure.code if failure else "",
        "abort_cause": abort.cause if abort else "",
        "abort_principal": abort.principal if abort else "",
        "abort_at": marks.abort.at if marks.abort else None,
        "state": marks.archived,
        "state_changed_by": marks.changed_by,
        "state_changed_at": marks.changed_at,
    }


def _facts(state: RunState) -> tuple[object, ...]:
    return state.phase, state.started_at, state.ended_at, state.failure, state.abort


def _bounds(before: RunState, after: RunState, context: Context) -> list[dict[str, Any]]:
    """Return the rows of start and end node, in the commit that starts or ends the run."""
    rows = []
    if _began(after) and not _began(before):
        at = after.started_at or after.updated_at
        rows.append(_node_row(identifiers.START_NODE, _instant(at), context))
    if after.phase == ExecutionPhase.SUCCEEDED != before.phase:
        at = after.ended_at or after.updated_at
        rows.append(_node_row(identifiers.END_NODE, _instant(at), context))
    return rows


def _began(state: RunState) -> bool:
    return state.started_at is not None or state.phase in (ExecutionPhase.RUNNING, ExecutionPhase.SUCCEEDED)


def _instant(at: Micros) -> NodeState:
    return NodeState(NodePhase.SUCCEEDED, queued_at=at, started_at=at, ended_at=at, updated_at=at)


def _node_row(node: NodeId, state: NodeState, context: Context) -> dict[str, Any]:
    failure = None if state.phase == NodePhase.SUCCEEDED else state.failure
    return {
        "node_id": node,
        "spec_node_id": node,
        "parent_id": "",
        "input_uri": layout.node_inputs_uri(context.storage, context.id, node),
        "closure": closures.build_node(context.storage, context.id, node, state),
        "metadata": closures.build_node_metadata(node),
        "phase": state.phase.name,
        "created_at": state.queued_at,
        "updated_at": state.updated_at or state.queued_at,
        "started_at": state.started_at,
        "duration": _span(state.started_at, state.ended_at),
        "error_kind": closures.error_kind(failure),
        "error_code": failure.code if failure else "",
    }


def _attempt_row(node: NodeId, attempt: AttemptState, context: Context) -> dict[str, Any]:
    planned = context.plan.nodes[node]
    return {
        "node_id": node,
        "retry_attempt": attempt.number,
        "task_project": planned.task.project,
        "task_domain": planned.task.domain,
        "task_name": planned.task.name,
        "task_version": planned.task.version,
        "input_uri": layout.node_inputs_uri(context.storage, context.id, node),
        "closure": closures.build_attempt(context.storage, context.id, node, planned.task_type, attempt),
        "phase": attempt.phase.name,
        "phase_version": attempt.updates,
        "created_at": attempt.queued_at,
        "updated_at": attempt.updated_at or attempt.queued_at,
        "started_at": attempt.started_at,
        "duration": _span(attempt.started_at, attempt.ended_at),
    }


def _span(started_at: Micros | None, ended_at: Micros | None) -> int | None:
    return None if started_at is None or ended_at is None else max(0, ended_at - started_at)
