"""Ending an execution because somebody asked for it."""

from __future__ import annotations

from dayfly.engine import stopping
from dayfly.engine.drafting import Draft
from dayfly.model.events import AbortRequested
from dayfly.model.identifiers import ROOT
from dayfly.model.phases import ExecutionPhase, FailureKind, ScopePhase
from dayfly.model.run import Abort, Failure

CODE = stopping.ABORTED


def request(draft: Draft, event: AbortRequested) -> None:
    """Abort the execution. While it is aborting already, a newer request only replaces who asked and why."""
    abort = Abort(cause=event.cause, principal=event.principal, at=event.at)
    if draft.state.phase is ExecutionPhase.ABORTING:
        if draft.state.abort is None or event.at > draft.state.abort.at:
            draft.edit(abort=abort)
        return
    # Whatever failed before is still told by its node; the execution itself ends aborted, not failed.
    draft.move(ExecutionPhase.ABORTING, abort=abort)
    draft.move_scope(ROOT, ScopePhase.ABORTING, failure=None, ready=())
    draft.unsettled.append(ROOT)
    asked = f" by {event.principal}" if event.principal else ""
    why = Failure(FailureKind.USER, CODE, f"Execution aborted{asked}: {event.cause}", draft.at)
    for node in draft.inside(ROOT):
        stopping.stop(draft, node, why)
