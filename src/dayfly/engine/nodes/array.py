"""A node that runs a task or a launch plan once for each element of its inputs: Flyte's map task.

Elements are nodes of their own while they are live, and are only counted afterwards, so that an array of a hundred
thousand weighs no more than what runs of it. Rules: flytepropeller/pkg/controller/nodes/array in flyteorg/flyte.
"""

from __future__ import annotations

import math

from msgspec import structs

from dayfly.engine import locating, readying, stopping
from dayfly.engine.drafting import Draft
from dayfly.model import identifiers
from dayfly.model.commands import PrepareNode, WriteOutputs
from dayfly.model.events import ArrayMeasured
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import NodePhase
from dayfly.model.plan import NodeKind, PlanNode
from dayfly.model.run import ArrayState, Failure, NodeState

_ROUNDING = 1e-9
"""So that 0.07 of a hundred is seven."""


def begin(draft: Draft, node: NodeId) -> None:
    """Have the inputs measured."""
    draft.command(PrepareNode(node))


def measured(draft: Draft, event: ArrayMeasured) -> None:
    """Start the first elements."""
    state = draft.find(event.node, NodeKind.ARRAY)
    if state is None or state.array is not None:
        return
    required = _required(draft.rules(event.node), event.size)
    draft.move_node(event.node, NodePhase.RUNNING, array=ArrayState(event.size, required))
    go_on(draft, event.node)


def element_ended(draft: Draft, node: NodeId, element: NodeId) -> None:
    """Count an element, and start others in its place or end the array."""
    last, array = draft.state.nodes[element], _array(draft, node)
    draft.fold(element)
    succeeded = last.phase in readying.SUCCEEDED
    failed = last.phase in (NodePhase.FAILED, NodePhase.TIMED_OUT)
    array = structs.replace(
        array,
        live=array.live - 1,
        succeeded=array.succeeded + succeeded,
        failed=array.failed + failed,
        failure=array.failure or (_failure_of(last, element) if failed else None),
    )
    draft.edit_node(node, array=array)
    if array.size - array.failed < array.required and not array.failing:
        _fail(draft, node)
    go_on(draft, node)


def go_on(draft: Draft, node: NodeId) -> None:
    """Start as many elements as may run, or end the array where that is all."""
    state, array = draft.state.nodes[node], _array(draft, node)
    if state.ended:
        return
    if state.stopping is not None or array.failing:
        if not array.live:
            _end(draft, node)
        return
    rules, options = draft.rules(node), draft.state.options
    at_once = rules.parallelism or options.elements_at_once
    # Those that are about to start in this step are not live yet.
    coming = sum(owner == node for owner, _, _ in draft.starting)
    more = min(at_once - array.live - coming, array.size - array.cursor)
    for index in range(array.cursor, array.cursor + max(0, more)):
        assert rules.element is not None, f"array {node} has no element"
        draft.start(node, rules.element, NodeId(str(index)))
    if more > 0:
        draft.edit_node(node, array=structs.replace(array, cursor=array.cursor + more))
    elif not array.live and not coming and not state.writing:
        draft.edit_node(node, writing=True)
        draft.command(WriteOutputs(node))


def _fail(draft: Draft, node: NodeId) -> None:
    draft.edit_node(node, array=structs.replace(_array(draft, node), failing=True))
    array = _array(draft, node)
    assert array.failure is not None, f"array {node} fails without a failure"
    message = f"{array.failed} of {array.size} elements failed, {array.required} must succeed."
    why = Failure(array.failure.kind, stopping.ABORTED, message, draft.at)
    for element in draft.inside(node):
        stopping.stop(draft, element, why)


def _end(draft: Draft, node: NodeId) -> None:
    state, array = draft.state.nodes[node], _array(draft, node)
    if state.stopping is not None:
        stopping.end_stopped(draft, node)
        return
    assert array.failure is not None, f"array {node} fails without a failure"
    told = f"{array.failed} of {array.size} elements failed, {array.required} must succeed. The first that failed: "
    failure = structs.replace(array.failure, message=told + array.failure.message)
    draft.move_node(node, NodePhase.FAILED, failure=failure)


def _failure_of(last: NodeState, element: NodeId) -> Failure | None:
    parsed = identifiers.parse_element(element)
    if last.failure is None or parsed is None:
        return last.failure
    index = f"[{parsed[1]}]"
    where = locating.join(index, last.failure.where)
    return structs.replace(last.failure, message=f"{index}: {last.failure.message}", where=where)


def _required(rules: PlanNode, size: int) -> int:
    """Return how many elements must succeed."""
    if rules.min_successes is not None:
        return min(rules.min_successes, size)
    return math.ceil(rules.min_success_ratio * size - _ROUNDING)


def _array(draft: Draft, node: NodeId) -> ArrayState:
    found = draft.state.nodes[node].array
    assert found is not None, f"array {node} was not measured"
    return found
