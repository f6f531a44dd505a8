"""Makes of a failure what people can act on: what its executor knows of it, the task's own words, a remedy, the log.

Called by `observing`. An executor that looks into failures (`ports.executors.Explains`) sees the error as the task left
it; people see it as `tracebacks` makes it. Whose fault it is, and its code, only an executor may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from dayfly.controller import remedies, tracebacks
from dayfly.model import phases
from dayfly.ports import executors

if TYPE_CHECKING:
    from dayfly.model.events import AttemptFailed, AttemptStopped
    from dayfly.ports.executors import Executor, Explains, Explanation, Observation

MAIN_LOG = "driver"
"""The log that is told, of several."""


async def explained(executor: Executor, seen: Observation, failed: AttemptFailed) -> AttemptFailed:
    """Return the failure as people see it, and as its executor explains it."""
    found = await _explain(executor, seen, f"{failed.code}: {failed.message}") if explains(executor) else None
    if seen.kind is executors.ObservationKind.FAILED:
        return failed if found is None else merge(failed, found, by_platform=True)
    failed = msgspec.structs.replace(failed, message=tracebacks.readable(failed.message))
    closing = _tell_log(seen)
    remedy = ""
    if found is None or not found.code:  # Who knows a cause of its own also says what to do.
        remedy = remedies.find(failed.message) or remedies.of_exit(seen.exit_code or None, seen.signal)
    if found is not None:
        failed = merge(failed, found, by_platform=False)
    if remedy:
        closing = f"What to do: {remedy}{closing}"
    return msgspec.structs.replace(failed, message=f"{failed.message}\n\n{closing.strip()}".rstrip("\n"))


def explains(executor: Executor) -> bool:
    """Say whether an executor looks into failures."""
    return hasattr(executor, "explain")


async def explained_stop(executor: Executor, seen: Observation, stopped: AttemptStopped) -> AttemptStopped:
    """Return the end of an attempt that took too long, with what its executor says that it was at."""
    found = await _explain(executor, seen, "")
    return stopped if found is None else msgspec.structs.replace(stopped, told=found.sentence)


def merge(failed: AttemptFailed, found: Explanation, *, by_platform: bool) -> AttemptFailed:
    """Return the failure with the explanation; the task's own words stay below it, the platform's are replaced."""
    return msgspec.structs.replace(
        failed,
        message=found.sentence if by_platform else f"{found.sentence}\n\n{failed.message}",
        code=found.code or failed.code,
        kind=failed.kind if found.kind is phases.FailureKind.UNKNOWN else found.kind,
        recoverable=failed.recoverable if found.recoverable is None else found.recoverable,
    )


async def _explain(executor: Executor, seen: Observation, error: str) -> Explanation | None:
    return await cast("Explains", executor).explain(seen, error)


def _tell_log(seen: Observation) -> str:
    link = next((link for link in seen.logs if link.name == MAIN_LOG), seen.logs[0] if seen.logs else None)
    return f"\nIts log: {link.uri}" if link is not None else ""
