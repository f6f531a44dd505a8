"""The task that `rehearsing` runs: it has an input and an output, and does nothing."""

from __future__ import annotations

from flytekit import task


@task
def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number
