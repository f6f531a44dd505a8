"""Ends what an eager task has started, when the task itself was ended.

Called by `observing` once the task's process is gone, so that nothing new can be started. flytekit means to do it in
the process, on SIGTERM (`get_signal_handler` in flytekit/core/worker_queue.py), but a process may be killed before it
has, and the handler of 1.16 fails at its first line. A task that fails by itself has a failure node that does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.admin import execution_pb2

from dayfly.base import errors
from dayfly.model.events import AbortRequested
from dayfly.model.phases import ExecutionPhase
from dayfly.ports.definitions import Filter, Page

if TYPE_CHECKING:
    from dayfly.base.clock import Micros
    from dayfly.model.identifiers import ExecutionId
    from dayfly.ports.runs import Runs

TAG = "eager-exec"
"""Label of an execution that an eager task started, with the name of the execution that the task belongs to."""

_LIVE = (ExecutionPhase.UNDEFINED, ExecutionPhase.QUEUED, ExecutionPhase.RUNNING)

_ENDING = (ExecutionPhase.ABORTING.name, ExecutionPhase.FAILING.name)

_PAGE = 100


async def end(runs: Runs, execution: ExecutionId, at: Micros) -> None:
    """Ask for the end of all live executions that were started by eager tasks of one that is coming to its end.

    One that goes on may try its task again, which then takes up what is there: nothing is done.
    """
    parent = await runs.find_execution(execution)
    if parent is None or parent.phase not in _ENDING:
        return
    cause = f"the eager execution {execution.name}, which had started it, was ended"
    principal = execution_pb2.ExecutionSpec.FromString(parent.spec).metadata.principal
    asked = AbortRequested(at, cause, principal)
    filters = (
        Filter("execution_tag.key", "eq", (TAG,)),
        Filter("execution_tag.value", "eq", (execution.name,)),
        Filter("phase", "value_in", tuple(phase.name for phase in _LIVE)),
    )
    # What is asked to end leaves the list, so the next page is again the first.
    while children := await runs.list_executions(execution.project, execution.domain, Page(_PAGE, filters=filters)):
        for child in children:
            try:
                await runs.request_abort(child.id, asked, principal=principal, cause=cause)
            except errors.FailedPrecondition:
                continue  # It has just ended by itself.
