"""The timers that rules set, and the names by which they know them again when they fire.

A timer is cancelled with the first thing that makes it moot; one that fires all the same changes nothing.
"""

from __future__ import annotations

from dayfly.base.clock import SECOND, Micros
from dayfly.engine.drafting import Draft
from dayfly.model.commands import CancelTimer, SetTimer
from dayfly.model.identifiers import NodeId
from dayfly.model.plan import NodeKind, PlanNode
from dayfly.model.run import AttemptState


def watch_node(draft: Draft, node: NodeId) -> None:
    """Set the node's timer as it is queued for the first time."""
    seconds = node_limit(draft.rules(node))
    if seconds > 0:
        draft.edit_node(node, watched=True)
        draft.command(SetTimer(node_timer(node), due(draft.at, seconds)))


def unwatch_node(draft: Draft, node: NodeId) -> None:
    """Cancel the node's timer if it is set."""
    if draft.state.nodes[node].watched:
        draft.edit_node(node, watched=False)
        draft.command(CancelTimer(node_timer(node)))


def watch_attempt(draft: Draft, node: NodeId, attempt: AttemptState, started_at: Micros) -> None:
    """Set the attempt's timer as it is seen running for the first time; one told to stop needs none."""
    seconds = draft.rules(node).attempt_timeout_seconds
    if seconds > 0 and attempt.stopping is None:
        draft.command(SetTimer(attempt_timer(node, attempt.number), due(started_at, seconds)))


def unwatch_attempt(draft: Draft, node: NodeId, attempt: AttemptState) -> None:
    """Cancel the attempt's timer if it is set: call it with the attempt as it was before it ended or was stopped."""
    is_set = draft.rules(node).attempt_timeout_seconds > 0 and attempt.started_at is not None
    if is_set and attempt.stopping is None:
        draft.command(CancelTimer(attempt_timer(node, attempt.number)))


def node_limit(rules: PlanNode) -> float:
    """Return the seconds a node may take in all. What is no task has no attempts: its timeout is the node's own."""
    return rules.active_deadline_seconds if rules.kind is NodeKind.TASK else rules.attempt_timeout_seconds


def due(since: Micros, seconds: float) -> Micros:
    """Return the time so many seconds later."""
    return Micros(since + int(seconds * SECOND))


def attempt_timer(node: NodeId, attempt: int) -> str:
    """Return the name of the timer of one attempt."""
    return f"attempt/{node}/{attempt}"


def node_timer(node: NodeId) -> str:
    """Return the name of the timer of the whole node."""
    return f"node/{node}"


def gate_timer(node: NodeId) -> str:
    """Return the name of the timer of a gate that sleeps."""
    return f"gate/{node}"


def cache_timer(node: NodeId, wait: int) -> str:
    """Return the name of the timer after which the node has waited for the `wait`th time."""
    return f"cache/{node}/{wait}"
