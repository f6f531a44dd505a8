"""After the event's own rule: tells everybody whom it concerns, from the inside to the outside, until all is quiet.

The only place that knows which kind of node has what inside of it. Nodes that ended are told to what they are inside
of, workflows that ended to their nodes, and what became ready starts where there is room.
"""

from __future__ import annotations

from dayfly.engine import caching, finishing, locating, readying, starting, timers
from dayfly.engine.drafting import Draft
from dayfly.engine.nodes import array, branch, dynamic, subworkflow
from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import ExecutionPhase
from dayfly.model.plan import NodeKind


def settle(draft: Draft) -> None:
    """Bring the draft to a state in which nothing more follows from what happened."""
    while True:
        if draft.ended:
            _node_ended(draft, draft.ended.pop(0))
        elif draft.closed:
            _scope_ended(draft, draft.closed.pop(0))
        elif draft.unsettled:
            _look_at(draft, draft.unsettled.pop(0))
        elif draft.starting or _filled(draft):
            _start(draft)
        else:
            return


def _look_at(draft: Draft, owner: NodeId) -> None:
    if owner != ROOT and draft.state.nodes[owner].kind is NodeKind.ARRAY:
        array.go_on(draft, owner)
    elif owner == ROOT or draft.state.nodes[owner].kind is not NodeKind.BRANCH:
        finishing.check(draft, owner)


def _start(draft: Draft) -> None:
    owner, rules, spec_id = draft.starting.pop(0)
    if not starting.start(draft, owner, rules, spec_id):
        draft.unsettled.append(owner)


def _filled(draft: Draft) -> bool:
    readying.fill(draft)
    return bool(draft.starting)


def _node_ended(draft: Draft, node: NodeId) -> None:
    timers.unwatch_node(draft, node)
    caching.leave(draft, node)
    owner = draft.state.nodes[node].parent
    kind = draft.state.nodes[owner].kind if owner != ROOT else None
    if kind is NodeKind.ARRAY:
        array.element_ended(draft, owner, node)
    elif kind is NodeKind.BRANCH:
        branch.child_ended(draft, owner, node)
    else:
        finishing.child_ended(draft, owner, node)
        finishing.check(draft, owner)


def _scope_ended(draft: Draft, owner: NodeId) -> None:
    if owner == ROOT:
        _execution_ended(draft)
    elif draft.state.nodes[owner].kind is NodeKind.SUB_WORKFLOW:
        subworkflow.closed(draft, owner)
    else:
        dynamic.closed(draft, owner)


def _execution_ended(draft: Draft) -> None:
    if draft.state.phase is ExecutionPhase.ABORTING:
        draft.move(ExecutionPhase.ABORTED)
    elif draft.state.failure is not None:
        draft.edit_scope(ROOT, failure=locating.located(draft, draft.state.failure))
        draft.move(ExecutionPhase.FAILED)
    else:
        draft.move(ExecutionPhase.SUCCEEDED)
    draft.edit(queue=())
