"""How a node begins: told to the world by its kind, after a look at what an earlier execution came to."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from dayfly.engine import readying, timers
from dayfly.engine.drafting import Draft
from dayfly.engine.nodes import array, branch, dynamic, gate, launch_plan, subworkflow, task
from dayfly.model import identifiers, placing
from dayfly.model.commands import RecoverNode
from dayfly.model.events import Launched, NodeRecovered, NothingRecovered
from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import ExecutionPhase, NodePhase, ScopePhase
from dayfly.model.plan import NodeKind, PlanNode

_BEGIN: dict[NodeKind, Callable[[Draft, NodeId], None]] = {
    NodeKind.TASK: task.begin,
    NodeKind.SUB_WORKFLOW: subworkflow.begin,
    NodeKind.BRANCH: branch.begin,
    NodeKind.LAUNCH_PLAN: launch_plan.begin,
    NodeKind.GATE: gate.begin,
    NodeKind.ARRAY: array.begin,
}


def launch(draft: Draft, event: Launched) -> None:
    """Begin the execution."""
    if draft.state.phase is ExecutionPhase.UNDEFINED:
        draft.move(ExecutionPhase.RUNNING, options=event.options, launched_at=event.at, started_at=event.at)
        readying.open_scope(draft, ROOT)


def start(draft: Draft, owner: NodeId, rules: PlanNode, spec_id: NodeId) -> bool:
    """Queue a node inside `owner` and begin with it; say whether `owner` is one that anything may start in."""
    if not _counted(draft, owner):
        return False
    is_element = owner != ROOT and draft.state.nodes[owner].kind is NodeKind.ARRAY
    node = identifiers.element_id(owner, int(spec_id)) if is_element else draft.child(owner, spec_id)
    draft.add_node(node, owner, rules, spec_id)
    timers.watch_node(draft, node)
    if draft.state.options.recovers and not placing.handles_a_failure(draft, owner):
        draft.edit_node(node, recovering=True)
        draft.command(RecoverNode(node))
    else:
        _BEGIN[rules.kind](draft, node)
    return True


def recovered(draft: Draft, event: NodeRecovered) -> None:
    """End the node as it had ended in the execution that is recovered."""
    if _is_recovering(draft, event.node):
        started_at = draft.later(draft.state.nodes[event.node].queued_at)
        draft.move_node(
            event.node, NodePhase.RECOVERED, has_deck=event.has_deck, started_at=started_at, recovering=False
        )


def not_recovered(draft: Draft, event: NothingRecovered) -> None:
    """Run the node after all; a dynamic task that had made its nodes goes on with these."""
    if not _is_recovering(draft, event.node):
        return
    draft.edit_node(event.node, recovering=False, recovered_from=event.checkpoints)
    kind = draft.state.nodes[event.node].kind
    if event.grew is not None and kind is NodeKind.TASK and not draft.is_element(event.node):
        dynamic.resume(draft, event.node, event.grew)
    else:
        _BEGIN[kind](draft, event.node)


def _is_recovering(draft: Draft, node: NodeId) -> bool:
    state = draft.find(node)
    return state is not None and state.recovering


def _counted(draft: Draft, owner: NodeId) -> bool:
    """Count one more as live inside `owner`, if anything may still start there."""
    state = draft.state.nodes.get(owner)
    if state is not None and (state.ended or state.stopping is not None):
        return False
    if state is not None and state.kind is NodeKind.ARRAY:
        assert state.array is not None, f"array {owner} was not measured"
        if state.array.failing:
            return False
        draft.edit_node(owner, array=structs.replace(state.array, live=state.array.live + 1))
        return True
    if state is not None and state.kind is NodeKind.BRANCH:
        return True
    scope = draft.scope(owner)
    if scope.phase not in (ScopePhase.OPEN, ScopePhase.HANDLING):
        return False
    draft.edit_scope(owner, live=scope.live + 1)
    return True
