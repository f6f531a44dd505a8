"""Making a node end: at once where nothing of it is out in the world, else as soon as the world says so.

Each attempt and each child is told once, whatever reasons come after the first. A later, stronger reason (the node's
deadline over an attempt's timeout, an abort over both) takes the place of the earlier one.
"""

from __future__ import annotations

from msgspec import structs

from dayfly.engine import timers
from dayfly.engine.drafting import Draft
from dayfly.model.commands import CancelTimer, StopAttempt, StopChild
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import NodePhase, ScopePhase
from dayfly.model.plan import NodeKind
from dayfly.model.run import Failure, NodeState

ABORTED = "NodeAborted"
"""Code of nodes and attempts that ended for no fault of their own."""

NODE_TIMEOUT = "Timeout"
"""Code of a node that took too long in all."""

_UNDER_WAY = (ScopePhase.OPEN, ScopePhase.FAILING, ScopePhase.HANDLING, ScopePhase.ABORTING)


def stop(draft: Draft, node: NodeId, why: Failure) -> None:
    """Let the node end for this reason; one that has ended stays as it is."""
    state = draft.find(node)
    if state is None:
        return
    last = state.attempts[-1] if state.attempts else None
    if last is not None and last.live:
        if not is_aborted(last.stopping):
            if is_aborted(why):
                timers.unwatch_attempt(draft, node, last)
                timers.unwatch_node(draft, node)
            tell(draft, node, why)
        return
    told = state.stopping is not None
    if not told or not is_aborted(state.stopping):
        draft.edit_node(node, stopping=why)
    # What is inside ends for no fault of its own, also where the node itself took too long.
    of_inside = structs.replace(why, code=ABORTED)
    if state.inner is not None and state.inner.phase in _UNDER_WAY:
        _stop_inside(draft, node, of_inside)
    elif draft.inside(node):
        for child in draft.inside(node):
            stop(draft, child, of_inside)
    elif state.kind is NodeKind.LAUNCH_PLAN and not state.writing and not state.recovering:
        if not told:
            draft.command(StopChild(node, why=why.message))
    else:
        _cancel_waiting(draft, node, state)
        end_stopped(draft, node)


def _stop_inside(draft: Draft, owner: NodeId, why: Failure) -> None:
    if draft.scope(owner).phase is not ScopePhase.ABORTING:
        draft.move_scope(owner, ScopePhase.ABORTING, ready=())
        draft.unsettled.append(owner)
    for child in draft.inside(owner):
        stop(draft, child, why)


def tell(draft: Draft, node: NodeId, why: Failure) -> None:
    """Note why the node's live attempt must end, and have it stopped unless it was told before."""
    attempt = draft.state.nodes[node].attempts[-1]
    if attempt.stopping is None:
        draft.command(StopAttempt(node, attempt.number, why=why.message))
    draft.edit_attempt(node, stopping=why)


def end_stopped(draft: Draft, node: NodeId) -> None:
    """End a node that was stopped and of which nothing is out in the world any more."""
    why = draft.state.nodes[node].stopping
    assert why is not None, f"node {node} was not stopped"
    draft.move_node(node, NodePhase.TIMED_OUT if why.code == NODE_TIMEOUT else NodePhase.ABORTED, failure=why)


def is_aborted(why: Failure | None) -> bool:
    """Say whether something is stopping for an abort, after which nothing it does counts any more."""
    return why is not None and why.code == ABORTED


def _cancel_waiting(draft: Draft, node: NodeId, state: NodeState) -> None:
    sleeps = state.kind is NodeKind.GATE and draft.rules(node).sleep_seconds is not None
    if sleeps and state.phase is NodePhase.RUNNING and not state.writing:
        draft.command(CancelTimer(timers.gate_timer(node)))
    if state.waits_for_cache:
        draft.command(CancelTimer(timers.cache_timer(node, state.waits)))
