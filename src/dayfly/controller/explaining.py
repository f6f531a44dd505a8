"""Puts what an executor knows of a failure before what the task left: a sentence with a remedy, and whose fault it is.

Called by `observing`, for executors that look into failures (`ports.executors.Explains`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from dayfly.model import phases
from dayfly.ports import executors

if TYPE_CHECKING:
    from dayfly.model.events import AttemptFailed
    from dayfly.ports.executors import Executor, Explains, Explanation, Observation


async def explained(executor: Executor, seen: Observation, failed: AttemptFailed) -> AttemptFailed:
    """Return the failure as its executor explains it, or as it is."""
    if not hasattr(executor, "explain"):
        return failed
    found = await cast("Explains", executor).explain(seen, f"{failed.code}: {failed.message}")
    return failed if found is None else merge(failed, found, by_platform=seen.kind is executors.ObservationKind.FAILED)


def merge(failed: AttemptFailed, found: Explanation, *, by_platform: bool) -> AttemptFailed:
    """Return the failure with the explanation; the task's own words stay below it, the platform's are replaced."""
    return msgspec.structs.replace(
        failed,
        message=found.sentence if by_platform else f"{found.sentence}\n\n{failed.message}",
        code=found.code or failed.code,
        kind=failed.kind if found.kind is phases.FailureKind.UNKNOWN else found.kind,
        recoverable=failed.recoverable if found.recoverable is None else found.recoverable,
    )
