"""Look one execution up, or say that it is not there."""

from __future__ import annotations

from dayfly.base import errors
from dayfly.model.identifiers import ExecutionId
from dayfly.ports.runs import ExecutionRow, Runs


async def get(runs: Runs, execution: ExecutionId) -> ExecutionRow:
    """Return the execution's row. Raise `NotFound`."""
    row = await runs.find_execution(execution)
    if row is None:
        raise errors.NotFound(f"Execution {execution} does not exist.")
    return row
