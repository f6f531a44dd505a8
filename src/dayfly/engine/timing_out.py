"""Time limits: one for each attempt, counted from RUNNING, and one for a node, counted from its first QUEUED.

A limit that is passed stops the attempt; what follows waits until the attempt has ended. An attempt that succeeds in
that moment has succeeded: its outputs are stored and checked, and running it again would help nobody. Timers are
cancelled with the first thing that makes them moot; a timer that fires all the same changes nothing.
"""

from __future__ import annotations

from dayfly.base.clock import SECOND, Micros
from dayfly.engine import stopping
from dayfly.engine.drafting import Draft
from dayfly.model.commands import CancelTimer, SetTimer
from dayfly.model.events import TimerFired
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import FailureKind
from dayfly.model.run import AttemptState, Failure

ATTEMPT_CODE = "TimeoutExpired"
"""Code of an attempt that took too long: a user failure that may be retried."""

NODE_CODE = "Timeout"
"""Code of a node that took too long over all its attempts, and of the execution that fails with it."""


def watch_node(draft: Draft, node: NodeId) -> None:
    """Set the node's timer as it is queued for the first time."""
    seconds = draft.plan.nodes[node].active_deadline_seconds
    if seconds > 0:
        draft.command(SetTimer(_node_timer(node), _due(draft.at, seconds)))


def watch_attempt(draft: Draft, node: NodeId, attempt: AttemptState, started_at: Micros) -> None:
    """Set the attempt's timer as it is seen running for the first time; one told to stop needs none."""
    seconds = draft.plan.nodes[node].attempt_timeout_seconds
    if seconds > 0 and attempt.stopping is None:
        draft.command(SetTimer(_attempt_timer(node, attempt.number), _due(started_at, seconds)))


def unwatch_attempt(draft: Draft, node: NodeId, attempt: AttemptState) -> None:
    """Cancel the attempt's timer if it is set: call it with the attempt as it was before it ended or was stopped."""
    is_set = draft.plan.nodes[node].attempt_timeout_seconds > 0 and attempt.started_at is not None
    if is_set and attempt.stopping is None:
        draft.command(CancelTimer(_attempt_timer(node, attempt.number)))


def unwatch_node(draft: Draft, node: NodeId, attempt: AttemptState) -> None:
    """Cancel the node's timer if it is set: call it with the live attempt as it was before it ended or was stopped."""
    fired_or_cancelled = attempt.stopping is not None and attempt.stopping.code != ATTEMPT_CODE
    if draft.plan.nodes[node].active_deadline_seconds > 0 and not fired_or_cancelled:
        draft.command(CancelTimer(_node_timer(node)))


def fired(draft: Draft, event: TimerFired) -> None:
    """Stop the attempt that the timer was set for, if it is still live and may go on."""
    machine, _, name = event.timer.partition("/")
    if machine == "attempt":
        _attempt_fired(draft, name)
    elif machine == "node":
        _node_fired(draft, NodeId(name))


def _attempt_fired(draft: Draft, name: str) -> None:
    node_name, _, number = name.rpartition("/")
    node = NodeId(node_name)
    attempt = draft.find_last_attempt(node)
    if attempt is None or str(attempt.number) != number or not attempt.live:
        return
    limit = draft.plan.nodes[node].attempt_timeout_seconds
    if limit > 0 and attempt.started_at is not None and attempt.stopping is None:
        message = f"Attempt {number} of node {node} ran longer than its timeout of {limit:g} s."
        stopping.tell(draft, node, Failure(FailureKind.USER, ATTEMPT_CODE, message, draft.at))


def _node_fired(draft: Draft, node: NodeId) -> None:
    attempt = draft.find_last_attempt(node)
    if attempt is None or not attempt.live:
        return
    limit = draft.plan.nodes[node].active_deadline_seconds
    if limit <= 0 or (attempt.stopping is not None and attempt.stopping.code != ATTEMPT_CODE):
        return
    unwatch_attempt(draft, node, attempt)
    message = f"Node {node} was not done within {limit:g} s of being queued, over {attempt.number + 1} attempt(s)."
    stopping.tell(draft, node, Failure(FailureKind.USER, NODE_CODE, message, draft.at))


def _attempt_timer(node: NodeId, attempt: int) -> str:
    return f"attempt/{node}/{attempt}"


def _node_timer(node: NodeId) -> str:
    return f"node/{node}"


def _due(since: Micros, seconds: float) -> Micros:
    return Micros(since + int(seconds * SECOND))
