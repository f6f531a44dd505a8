"""One turn of one execution: load, step over the unread events, commit. The only caller of `engine.step.step`.

Called by `leasing`; what it committed is carried out by `performing`. A lease is only an optimisation: the commit
checks the version, so two controllers with the same execution waste work but never harm it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.base import errors, logs
from dayfly.engine import step

if TYPE_CHECKING:
    from dayfly.model.commands import Command
    from dayfly.model.identifiers import ExecutionId, NodeId
    from dayfly.model.run import NodeState
    from dayfly.ports.runs import Run, Runs

MAX_CLASHES = 20
"""Reloads after a version clash before the turn is left to a later lease."""

_log = logs.get("controller.turn")


async def take(runs: Runs, execution: ExecutionId) -> Run:
    """Step over all unread events of `execution` and commit; return the run as it then is.

    Raises `NotFound`, `StoreUnavailable`, and `VersionClash` where another controller keeps winning.
    """
    for _ in range(MAX_CLASHES):
        run, unread = await runs.load(execution)
        if not unread:
            return run
        state = run.state
        commands: list[Command] = []
        folded: dict[NodeId, NodeState] = {}
        for item in unread:
            taken = step.step(run.plan, state, item.event, run.grown)
            state = taken.state
            commands.extend(taken.commands)
            folded.update(taken.folded)
        try:
            return await runs.commit(run, state, unread, commands, folded)
        except errors.VersionClash:
            _log.info("another controller was faster", execution=str(execution))
    raise errors.VersionClash(f"execution {execution} was committed by somebody else {MAX_CLASHES} times in a row")
