"""A task that made further nodes: they run inside of its node, once its attempt has succeeded."""

from __future__ import annotations

from dayfly.engine import caching, readying, stopping
from dayfly.engine.drafting import Draft
from dayfly.model.commands import Grow
from dayfly.model.events import Grown
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import NodePhase
from dayfly.model.plan import NodeKind


def begin(draft: Draft, node: NodeId, attempt: int) -> None:
    """Have what the attempt left compiled."""
    draft.move_node(node, NodePhase.DYNAMIC_RUNNING, dynamic=True)
    draft.command(Grow(node, attempt))


def resume(draft: Draft, node: NodeId, attempt: int) -> None:
    """Go on with what the task had left in an earlier execution, which is stored as this one's."""
    started_at = draft.later(draft.state.nodes[node].queued_at)
    draft.move_node(node, NodePhase.DYNAMIC_RUNNING, dynamic=True, started_at=started_at)
    draft.command(Grow(node, attempt))


def grown(draft: Draft, event: Grown) -> None:
    """Begin with the nodes that it made."""
    state = draft.find(event.node, NodeKind.TASK)
    if state is None or not state.dynamic or state.inner is not None or state.stopping is not None:
        return
    if event.digest in draft.grown:
        readying.open_scope(draft, event.node, round=event.attempt, grown=event.digest)


def closed(draft: Draft, node: NodeId) -> None:
    """End with them: what they ran into is not repaired by making them again."""
    state = draft.state.nodes[node]
    assert state.inner is not None, f"nothing runs inside node {node}"
    if state.stopping is not None:
        stopping.end_stopped(draft, node)
    elif state.inner.failure is not None:
        draft.move_node(node, NodePhase.FAILED, failure=state.inner.failure)
    elif not caching.fill(draft, node):
        draft.move_node(node, NodePhase.SUCCEEDED)
