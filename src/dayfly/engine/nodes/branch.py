"""A conditional: one of its cases runs inside of it, and gives its outputs."""

from __future__ import annotations

from dayfly.engine import readying, stopping
from dayfly.engine.drafting import Draft
from dayfly.model.commands import PrepareNode, WriteOutputs
from dayfly.model.events import BranchChosen
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import NodePhase
from dayfly.model.plan import NodeKind


def begin(draft: Draft, node: NodeId) -> None:
    """Have the conditions worked out."""
    draft.command(PrepareNode(node))


def chosen(draft: Draft, event: BranchChosen) -> None:
    """Start the case that was chosen."""
    state = draft.find(event.node, NodeKind.BRANCH)
    cases = draft.rules(event.node).cases if state is not None else ()
    if state is None or state.chosen is not None or not 0 <= event.case < len(cases):
        return
    draft.move_node(event.node, NodePhase.RUNNING, chosen=event.case)
    readying.want(draft, event.node, cases[event.case])


def child_ended(draft: Draft, node: NodeId, child: NodeId) -> None:
    """End as the case did; its outputs are this node's."""
    state, inner = draft.state.nodes[node], draft.state.nodes[child]
    if state.stopping is not None:
        stopping.end_stopped(draft, node)
    elif inner.phase in readying.SUCCEEDED:
        draft.edit_node(node, writing=True)
        draft.command(WriteOutputs(node))
    else:
        draft.move_node(node, NodePhase.FAILED, failure=draft.find_failure(child))
