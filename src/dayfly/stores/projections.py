"""Says which rows clients see change between two states of a run. Pure; `driving` writes them with the state itself.

Only nodes and attempts that are other objects than before make rows: states share what did not change, so a run of
ten thousand nodes costs a commit what moved. Doors write two things beside the engine (`Marks`): an abort that the
engine may not have read yet is shown all the same, until it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dayfly.base.clock import Micros
from dayfly.model import identifiers, layout, placing
from dayfly.model.identifiers import END_NODE, ROOT, START_NODE, EntityId, ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_EXECUTION, AttemptPhase, ExecutionPhase, NodePhase
from dayfly.model.placing import Standing
from dayfly.model.plan import NodeKind, Plan, PlanNode
from dayfly.model.run import Abort, AttemptState, NodeState, RunState
from dayfly.stores import closures, run_states

_NONE: Mapping[NodeId, NodeState] = {}


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
    grown: Mapping[str, Plan] = {}
    """The plans that its dynamic nodes made, by digest."""


class Changes(msgspec.Struct, frozen=True):
    """Rows as column values, without the number of their execution."""

    execution: dict[str, Any] | None
    """None where clients see nothing new of the execution itself."""
    nodes: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    elements: list[dict[str, Any]]
    """Of arrays: one row an attempt of an element."""
    moved: dict[NodeId, NodeState]
    """The nodes whose state itself is to be written."""


def rows_for(
    before: RunState, after: RunState, context: Context, folded: Mapping[NodeId, NodeState] = _NONE
) -> Changes:
    """Return the rows that differ between two states of one run. `folded` are elements that ended in between."""
    run = Standing(context.plan, context.grown, after)
    nodes, attempts, elements = _bounds(before, after, context), [], []
    moved = run_states.moved(before, after)
    for element, state in folded.items():
        elements += _element_rows(element, before.nodes.get(element), state, run, context)
    for node, state in moved.items():
        old = before.nodes.get(node)
        if state.phase == NodePhase.UNDEFINED:
            continue
        if identifiers.parse_element(node) is not None:
            elements += _element_rows(node, old, state, run, context)
            continue
        nodes += [_node_row(node, state, run, context), *_inner_bounds(node, old, state, context)]
        if state.kind == NodeKind.ARRAY:
            attempts += _array_rows(node, old, state, run, context)
            continue
        known = old.attempts if old is not None else ()
        for at, attempt in enumerate(state.attempts):
            if at >= len(known) or attempt is not known[at]:
                attempts.append(_attempt_row(node, attempt, placing.rules_of(run, node), context))
    changed = _facts(before) != _facts(after)
    return Changes(execution_row(after, context) if changed else None, nodes, attempts, elements, moved)


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
        rows.append(_bound(ROOT, 0, START_NODE, after.started_at or after.updated_at, context))
    if after.phase == ExecutionPhase.SUCCEEDED != before.phase:
        rows.append(_bound(ROOT, 0, END_NODE, after.ended_at or after.updated_at, context))
    return rows


def _inner_bounds(node: NodeId, old: NodeState | None, state: NodeState, context: Context) -> list[dict[str, Any]]:
    """Return the rows of start and end node of what runs inside a node, in the commit that starts or ends it."""
    inner, was = state.inner, old.inner if old is not None else None
    if inner is None:
        return []
    rows = []
    if was is None or was.round != inner.round:
        rows.append(_bound(node, inner.round, START_NODE, state.updated_at, context))
    if state.phase == NodePhase.SUCCEEDED and (old is None or old.phase != NodePhase.SUCCEEDED):
        rows.append(_bound(node, inner.round, END_NODE, state.updated_at, context))
    return rows


def _bound(owner: NodeId, round: int, spec_id: NodeId, at: Micros, context: Context) -> dict[str, Any]:
    node = identifiers.child_id(owner, round, spec_id, lambda _: False)
    if owner == ROOT:
        uri = layout.node_inputs_uri(context.storage, context.id, spec_id)
    elif spec_id == START_NODE:
        uri = layout.node_inputs_uri(context.storage, context.id, owner)
    else:
        uri = layout.outputs_uri(context.storage, context.id, owner, round)
    state = NodeState(
        NodePhase.SUCCEEDED,
        queued_at=at,
        started_at=at,
        ended_at=at,
        updated_at=at,
        spec_id=spec_id,
        parent=owner,
    )
    metadata = closures.build_node_metadata(state, retry_group=str(round) if owner else "")
    return _columns(node, state, uri, closures.build_bound(uri, state), metadata)


def _began(state: RunState) -> bool:
    return state.started_at is not None or state.phase in (ExecutionPhase.RUNNING, ExecutionPhase.SUCCEEDED)


def _node_row(node: NodeId, state: NodeState, run: Standing, context: Context) -> dict[str, Any]:
    uri = layout.node_inputs_uri(context.storage, context.id, node)
    group = str(run.state.nodes[state.parent].round) if state.parent else ""
    return _columns(
        node,
        state,
        uri,
        closures.build_node(context.storage, context.id, node, state),
        closures.build_node_metadata(state, retry_group=group),
    )


def _columns(node: NodeId, state: NodeState, uri: str, closure: bytes, metadata: bytes) -> dict[str, Any]:
    failure = None if state.phase == NodePhase.SUCCEEDED else state.failure
    return {
        "node_id": node,
        "spec_node_id": state.spec_id or node,
        "parent_id": state.parent,
        "input_uri": uri,
        "closure": closure,
        "metadata": metadata,
        "phase": state.phase.name,
        "created_at": state.queued_at,
        "updated_at": state.updated_at or state.queued_at,
        "started_at": state.started_at,
        "duration": _span(state.started_at, state.ended_at),
        "error_kind": closures.error_kind(failure),
        "error_code": failure.code if failure else "",
        "cache_status": closures.cache_status(state),
    }


def _attempt_row(node: NodeId, attempt: AttemptState, rules: PlanNode, context: Context) -> dict[str, Any]:
    closure = closures.build_attempt(context.storage, context.id, node, rules.task_type, attempt)
    return _attempt_columns(node, attempt, rules.target, closure, context)


def _array_rows(
    node: NodeId, old: NodeState | None, state: NodeState, run: Standing, context: Context
) -> list[dict[str, Any]]:
    """Return the one task execution that clients see of an array, once it was measured."""
    if state.array is None:
        return []
    element = placing.rules_of(run, node).element
    assert element is not None, f"array {node} has no element"
    attempt = closures.array_attempt(state, state.array)
    if old is not None and old.array is not None and attempt == closures.array_attempt(old, old.array):
        return []
    closure = closures.build_array_attempt(context.storage, context.id, node, attempt)
    return [_attempt_columns(node, attempt, element.target, closure, context)]


def _attempt_columns(
    node: NodeId, attempt: AttemptState, target: EntityId, closure: bytes, context: Context
) -> dict[str, Any]:
    return {
        "node_id": node,
        "retry_attempt": attempt.number,
        "task_project": target.project,
        "task_domain": target.domain,
        "task_name": target.name,
        "task_version": target.version,
        "input_uri": layout.node_inputs_uri(context.storage, context.id, node),
        "closure": closure,
        "phase": attempt.phase.name,
        "phase_version": attempt.updates,
        "created_at": attempt.queued_at,
        "updated_at": attempt.updated_at or attempt.queued_at,
        "started_at": attempt.started_at,
        "duration": _span(attempt.started_at, attempt.ended_at),
    }


def _element_rows(
    element: NodeId, old: NodeState | None, state: NodeState, run: Standing, context: Context
) -> list[dict[str, Any]]:
    """Return the rows of an array's element that changed: one an attempt, one in all where it took none."""
    parsed = identifiers.parse_element(element)
    assert parsed is not None, f"{element} is no element"
    known = old.attempts if old is not None else ()
    attempts: list[AttemptState | None] = [
        attempt
        for at, attempt in enumerate(state.attempts)
        if at >= len(known) or attempt is not known[at] or at == len(state.attempts) - 1
    ]
    rows = []
    for attempt in attempts or [None]:
        number = attempt.number if attempt is not None else 0
        resource = closures.build_element(context.id, element, state, attempt)
        rows.append(
            {
                "node_id": parsed[0],
                "element": parsed[1],
                "retry_attempt": number,
                "phase": AttemptPhase(resource.phase).name,
                "ended": state.ended and number == max(0, len(state.attempts) - 1),
                "succeeded": state.phase in (NodePhase.SUCCEEDED, NodePhase.RECOVERED),
                "resource": resource.SerializeToString(),
            }
        )
    return rows


def _span(started_at: Micros | None, ended_at: Micros | None) -> int | None:
    return None if started_at is None or ended_at is None else max(0, ended_at - started_at)
