"""Ending what runs: because somebody asked for it, or because another node failed."""

from __future__ import annotations

from dayfly.engine import stopping, timing_out
from dayfly.engine.drafting import Draft
from dayfly.model.events import AbortRequested
from dayfly.model.phases import ExecutionPhase, FailureKind
from dayfly.model.run import Abort, Failure

CODE = "NodeAborted"
"""Code of nodes and attempts that ended for no fault of their own."""


def request(draft: Draft, event: AbortRequested) -> None:
    """Abort the execution. While it is aborting already, a newer request only replaces who asked and why."""
    abort = Abort(cause=event.cause, principal=event.principal, at=event.at)
    if draft.state.phase is ExecutionPhase.ABORTING:
        if draft.state.abort is None or event.at > draft.state.abort.at:
            draft.edit(abort=abort)
        return
    # Whatever failed before is still told by its node; the execution itself ends aborted, not failed.
    draft.move(ExecutionPhase.ABORTING, abort=abort, failure=None)
    asked = f" by {event.principal}" if event.principal else ""
    stop_all(draft, FailureKind.USER, f"Execution aborted{asked}: {event.cause}")


def stop_all(draft: Draft, kind: FailureKind, message: str) -> None:
    """Let nothing new start, and tell each live attempt to stop that was not told so for an abort before.

    Looks through all nodes, but happens at most twice in an execution.
    """
    if draft.state.waiting:
        draft.edit(waiting=())
    if draft.state.live == 0:
        return
    why = Failure(kind, CODE, message, draft.at)
    for node, state in tuple(draft.state.nodes.items()):
        attempt = state.attempts[-1]
        if attempt.live and not is_aborted(attempt.stopping):
            timing_out.unwatch_attempt(draft, node, attempt)
            timing_out.unwatch_node(draft, node, attempt)
            stopping.tell(draft, node, why)


def is_aborted(why: Failure | None) -> bool:
    """Say whether an attempt is stopping for an abort, after which nothing it does counts any more."""
    return why is not None and why.code == CODE
