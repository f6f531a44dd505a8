"""How an execution ends: outputs first if all nodes succeeded; else as soon as nothing of it is live any more."""

from __future__ import annotations

from dayfly.engine import failing
from dayfly.engine.drafting import Draft
from dayfly.model.commands import WriteOutputs
from dayfly.model.events import OutputsRejected, OutputsWritten
from dayfly.model.phases import ExecutionPhase, FailureKind
from dayfly.model.run import Failure

UNREACHABLE = "NodesUnreachable"
"""Code of an execution whose plan has nodes that can never start; the compiler lets no such plan through."""


def apply(draft: Draft) -> None:
    """End the execution, or begin to, if nothing is live and nothing waits."""
    if draft.state.live or draft.state.waiting:
        return
    if draft.state.phase is ExecutionPhase.RUNNING:
        _all_done(draft)
    if draft.state.phase is ExecutionPhase.FAILING:
        _end(draft, ExecutionPhase.FAILED)
    elif draft.state.phase is ExecutionPhase.ABORTING:
        _end(draft, ExecutionPhase.ABORTED)


def outputs_written(draft: Draft, event: OutputsWritten) -> None:
    """Succeed."""
    if draft.state.phase is ExecutionPhase.SUCCEEDING:
        draft.edit(outputs_written=True)
        _end(draft, ExecutionPhase.SUCCEEDED)


def outputs_rejected(draft: Draft, event: OutputsRejected) -> None:
    """Fail: all nodes succeeded, but their results don't make the outputs."""
    if draft.state.phase is ExecutionPhase.SUCCEEDING:
        failing.fail(draft, Failure(event.kind, event.code, event.message, event.at))


def _all_done(draft: Draft) -> None:
    if draft.state.failure is not None:
        failing.fail(draft, draft.state.failure)
        return
    # Nothing failed and nothing is live, so that every node with a state has succeeded: counting is enough.
    missing = len(draft.plan.nodes) - len(draft.state.nodes)
    if missing:
        message = f"{missing} node(s) of {draft.plan.workflow} wait for nodes that cannot succeed before them."
        failing.fail(draft, Failure(FailureKind.SYSTEM, UNREACHABLE, message, draft.at))
        return
    draft.move(ExecutionPhase.SUCCEEDING, finishing=True)
    draft.command(WriteOutputs())


def _end(draft: Draft, phase: ExecutionPhase) -> None:
    draft.move(phase, ended_at=draft.later(draft.state.launched_at, draft.state.started_at), finishing=False)
