"""A node that runs one task: attempt after attempt until one succeeds or the budgets are used up.

Whatever the executor says about an attempt that is not the node's live one is late or repeated, and is ignored.
"""

from __future__ import annotations

from msgspec import structs

from dayfly.engine import caching, enlarging, retrying, stopping, timers, timing_out
from dayfly.engine.drafting import Draft
from dayfly.engine.nodes import dynamic, reporting
from dayfly.model import placing
from dayfly.model.commands import StartAttempt
from dayfly.model.events import AttemptFailed, AttemptProgressed, AttemptStopped, AttemptSucceeded, CacheMissed
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import AttemptPhase, FailureKind, NodePhase
from dayfly.model.run import AttemptState, Failure, Reason

GREW_IN_ARRAY = "DynamicElement"
"""Code of an array's element whose task made further nodes, which Flyte allows as little."""

STOPPED_UNASKED = "StoppedUnasked"
"""Code of an attempt that was ended by somebody else: nobody's fault, and free to retry."""


def begin(draft: Draft, node: NodeId) -> None:
    """Start the first attempt, unless the result may be in the cache."""
    if not caching.begin(draft, node):
        _start_attempt(draft, node)


def missed(draft: Draft, event: CacheMissed) -> None:
    """Start the first attempt: the result is not in the cache."""
    if caching.is_looking(draft, event.node):
        draft.edit_node(event.node, cache=event.status, catalog=event.catalog)
        _start_attempt(draft, event.node)


def progressed(draft: Draft, event: AttemptProgressed) -> None:
    """Note how the live attempt is doing; the first time it is seen running, its clock starts."""
    attempt = draft.find_live(event.node, event.attempt)
    changes = reporting.merge(attempt, event) if attempt is not None else {}
    if attempt is None or not changes:
        return
    phase = changes.pop("phase", attempt.phase)
    if phase is attempt.phase:
        draft.edit_attempt(event.node, **changes)
    elif phase is not AttemptPhase.RUNNING:
        draft.move_attempt(event.node, phase, **changes)
    else:
        started_at = draft.later(attempt.queued_at)
        draft.move_attempt(event.node, phase, started_at=started_at, **changes)
        timers.watch_attempt(draft, event.node, attempt, started_at)
        if draft.state.nodes[event.node].phase is NodePhase.QUEUED:
            draft.move_node(event.node, NodePhase.RUNNING, started_at=started_at)


def succeeded(draft: Draft, event: AttemptSucceeded) -> None:
    """End attempt and node well, unless they are being aborted: then nothing they do counts any more."""
    attempt = draft.find_live(event.node, event.attempt)
    if attempt is None:
        return
    if event.grows and draft.is_element(event.node):
        failed(draft, _grew_in_array(event))
        return
    if attempt.stopping is not None and stopping.is_aborted(attempt.stopping):
        _end_aborted(draft, event.node, attempt.stopping)
        return
    timers.unwatch_attempt(draft, event.node, attempt)
    # Nobody may have seen it running, but it did: clients compute durations from the start.
    seen = attempt.started_at if attempt.started_at is not None else attempt.queued_at
    draft.move_attempt(event.node, AttemptPhase.SUCCEEDED, started_at=seen)
    before = draft.state.nodes[event.node]
    started_at = before.started_at if before.started_at is not None else seen
    draft.edit_node(event.node, started_at=started_at, has_deck=event.has_deck)
    if attempt.stopping is not None and attempt.stopping.code == timing_out.NODE_CODE and event.grows:
        # The task itself was in time for once, but what it made would not be.
        draft.move_node(event.node, NodePhase.TIMED_OUT, failure=attempt.stopping)
    elif event.grows:
        dynamic.begin(draft, event.node, event.attempt)
    elif not caching.fill(draft, event.node):
        draft.move_node(event.node, NodePhase.SUCCEEDED)


def failed(draft: Draft, event: AttemptFailed) -> None:
    """End the attempt badly; the node gets another one if its budgets allow."""
    attempt = draft.find_live(event.node, event.attempt)
    if attempt is None:
        return
    if attempt.stopping is not None:
        _end_stopped(draft, event.node, attempt, attempt.stopping)
    else:
        failure = Failure(event.kind, event.code, event.message, event.at)
        _end_failed(draft, event.node, attempt, failure, recoverable=event.recoverable, has_deck=event.has_deck)


def stopped(draft: Draft, event: AttemptStopped) -> None:
    """End the attempt as whatever it was stopped for."""
    attempt = draft.find_live(event.node, event.attempt)
    if attempt is None:
        return
    if attempt.stopping is not None:
        _end_stopped(draft, event.node, attempt, attempt.stopping, event.told)
    else:
        message = f"Attempt {event.attempt} of node {event.node} was ended from outside."
        failure = Failure(FailureKind.SYSTEM, STOPPED_UNASKED, message, event.at)
        _end_failed(draft, event.node, attempt, failure, recoverable=True)


def _grew_in_array(event: AttemptSucceeded) -> AttemptFailed:
    message = (
        f"Attempt {event.attempt} of element {event.node} made further nodes, which elements of an array cannot run. "
        "Call the dynamic workflow from a launch plan, and map over that."
    )
    kind = FailureKind.USER
    return AttemptFailed(event.at, event.node, event.attempt, kind, GREW_IN_ARRAY, message, recoverable=False)


def _start_attempt(draft: Draft, node: NodeId, why: str = "") -> None:
    state, options = draft.state.nodes[node], draft.state.options
    graph, rules = draft.graph(placing.workflow_scope(draft, node)), draft.rules(node)
    risky = retrying.interruptible(graph, rules, options, state.system_failures)
    attempt = draft.add_attempt(node, interruptible=risky)
    if why:
        safe = retrying.interruptible(graph, rules, options, 0) and not risky
        why += "; it runs where nobody interrupts it, since it is the last of these" if safe else ""
        draft.edit_attempt(node, reasons=(Reason(attempt.queued_at, why),))
    draft.command(StartAttempt(node, attempt.number, risky, enlarging.count(state)))


def _end_stopped(draft: Draft, node: NodeId, attempt: AttemptState, why: Failure, told: str = "") -> None:
    if stopping.is_aborted(why):
        _end_aborted(draft, node, why)
        return
    if told:
        why = structs.replace(why, message=f"{why.message} {told}")
    if why.code == timing_out.NODE_CODE:
        draft.move_attempt(node, AttemptPhase.FAILED, failure=why)
        draft.move_node(node, NodePhase.TIMED_OUT, failure=why)
    else:
        _end_failed(draft, node, attempt, why, recoverable=True)


def _end_aborted(draft: Draft, node: NodeId, why: Failure) -> None:
    draft.move_attempt(node, AttemptPhase.ABORTED, failure=why)
    draft.move_node(node, NodePhase.ABORTED, failure=why)


def _end_failed(
    draft: Draft, node: NodeId, attempt: AttemptState, failure: Failure, *, recoverable: bool, has_deck: bool = False
) -> None:
    before, rules = draft.state.nodes[node], draft.rules(node)
    final = retrying.find_final_failure(rules, draft.state.options, before, failure, recoverable=recoverable)
    timers.unwatch_attempt(draft, node, attempt)
    told = retrying.tell(rules, draft.state.options, before, failure, final, recoverable=recoverable)
    reasons = (*attempt.reasons, Reason(draft.later(attempt.updated_at), told))
    draft.move_attempt(node, AttemptPhase.FAILED, failure=failure, reasons=reasons)
    if failure.kind is FailureKind.SYSTEM:
        draft.edit_node(node, system_failures=before.system_failures + 1)
    else:
        draft.edit_node(node, user_failures=before.user_failures + 1)
    if final is None:
        _start_attempt(draft, node, told)
    else:
        draft.move_node(node, NodePhase.FAILED, failure=final, has_deck=has_deck)
