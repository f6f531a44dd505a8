"""Takes back one attempt that an earlier platform started, whatever is wrong with what is kept of it.

Called by `observing` for each. A record that cannot be read ends its own attempt, as the system's fault, so that the
platform begins and sees the others; what was made for it is found without the record when it is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.base import errors, logs
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import Observation, ObservationKind

if TYPE_CHECKING:
    from dayfly.base.clock import Micros
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.executors import Executor
    from dayfly.ports.runs import LiveHandle

CODE = "CannotBeTakenBack"

_log = logs.get("controller.taking_back")


async def recover(executor: Executor, live: LiveHandle, now: Micros) -> Observation:
    """Return how the attempt is; its end where that cannot be said, ever. Raise `PlatformError` where only its place
    does not answer."""
    try:
        return await executor.recover(live.key, live.handle)
    except errors.PlatformError:
        raise
    except Exception as error:  # noqa: BLE001
        _log.exception("an attempt cannot be taken back, and is ended", attempt=live.key, error=str(error))
        told = f"{type(error).__name__}: {error}".rstrip(": ").rstrip(".")
        return Observation(
            live.key,
            ObservationKind.FAILED,
            now,
            failure_kind=FailureKind.SYSTEM,
            code=CODE,
            message=f"The platform came back and cannot take this attempt back ({told}); its log says more.",
        )


async def forget(executor: Executor, key: AttemptKey, handle: bytes) -> None:
    """Let the executor forget an attempt, also by a handle that it cannot read."""
    try:
        await executor.forget(key, handle)
    except errors.DayflyError:
        raise
    except Exception as error:
        if not handle:
            raise
        _log.exception("what is left of an attempt is looked for without its handle", attempt=key, error=str(error))
        await executor.forget(key, b"")
