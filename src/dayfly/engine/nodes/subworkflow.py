"""A node that runs a sub-workflow: its nodes run inside of it, round after round until one succeeds."""

from __future__ import annotations

from dayfly.engine import readying, stopping
from dayfly.engine.drafting import Draft
from dayfly.model.commands import PrepareNode
from dayfly.model.events import InputsPrepared
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import NodePhase
from dayfly.model.plan import NodeKind


def begin(draft: Draft, node: NodeId) -> None:
    """Have the inputs stored that the first nodes begin with."""
    draft.command(PrepareNode(node))


def prepared(draft: Draft, event: InputsPrepared) -> None:
    """Begin the first round."""
    state = draft.find(event.node, NodeKind.SUB_WORKFLOW)
    if state is not None and state.inner is None and state.stopping is None:
        draft.move_node(event.node, NodePhase.RUNNING)
        readying.open_scope(draft, event.node)


def closed(draft: Draft, node: NodeId) -> None:
    """End with the round, or begin another where it failed and the node's retries allow it."""
    state = draft.state.nodes[node]
    assert state.inner is not None, f"nothing runs inside node {node}"
    if state.stopping is not None:
        stopping.end_stopped(draft, node)
    elif state.inner.failure is None:
        draft.move_node(node, NodePhase.SUCCEEDED)
    elif state.user_failures + 1 < draft.rules(node).max_attempts:
        draft.edit_node(node, user_failures=state.user_failures + 1)
        readying.open_scope(draft, node, round=state.inner.round + 1)
    else:
        draft.move_node(node, NodePhase.FAILED, failure=state.inner.failure)
