"""Time limits: one for each attempt, counted from RUNNING, and one for a node, counted from its first QUEUED.

A limit that is passed stops what runs; what follows waits until it has ended. An attempt that succeeds in that moment
has succeeded: its outputs are stored and checked, and running it again would help nobody.
"""

from __future__ import annotations

from dayfly.engine import stopping, timers
from dayfly.engine.drafting import Draft
from dayfly.model.events import TimerFired
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import FailureKind
from dayfly.model.run import Failure

ATTEMPT_CODE = "TimeoutExpired"
"""Code of an attempt that took too long: a user failure that may be retried."""

NODE_CODE = stopping.NODE_TIMEOUT
"""Code of a node that took too long over all its attempts, and of the execution that fails with it."""


def attempt_fired(draft: Draft, event: TimerFired, name: str) -> None:
    """Stop the attempt that the timer was set for, if it is still live and may go on."""
    node_name, _, number = name.rpartition("/")
    node = NodeId(node_name)
    attempt = draft.find_last_attempt(node)
    if attempt is None or str(attempt.number) != number or not attempt.live:
        return
    limit = draft.rules(node).attempt_timeout_seconds
    if limit > 0 and attempt.started_at is not None and attempt.stopping is None:
        message = f"Attempt {number} of node {node} ran longer than its timeout of {limit:g} s."
        stopping.tell(draft, node, Failure(FailureKind.USER, ATTEMPT_CODE, message, draft.at))


def node_fired(draft: Draft, event: TimerFired, name: str) -> None:
    """Stop the node that the timer was set for, if it has not ended and is not being aborted."""
    node = NodeId(name)
    state = draft.find(node)
    if state is None or not state.watched:
        return
    draft.edit_node(node, watched=False)
    attempt = draft.find_last_attempt(node)
    if attempt is not None and attempt.live:
        timers.unwatch_attempt(draft, node, attempt)
    tries = f", over {attempt.number + 1} attempt(s)" if attempt is not None else ""
    message = f"Node {node} was not done within {timers.node_limit(draft.rules(node)):g} s of being queued{tries}."
    stopping.stop(draft, node, Failure(FailureKind.USER, NODE_CODE, message, draft.at))
