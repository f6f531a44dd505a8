"""Has executors forget attempts that are over and that an earlier platform did not come to forget: it may have died
between the storing of an end and the removal of what was left.

Called by `observing` once, when an executor begins to be followed. What is under way was taken back before.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from dayfly.base import errors, logs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.executors import Executor, Keeps

AWAY_PAUSE_SECONDS = 5.0
"""Between tries while what the executor runs tasks on does not answer."""

_log = logs.get("controller.sweeping")


def keeps(executor: Executor) -> Keeps | None:
    """Return an executor whose attempts go on while no platform runs as such; None for others."""
    return cast("Keeps", executor) if hasattr(executor, "list_kept") else None


async def sweep(
    executor: Keeps, taken_back: Collection[AttemptKey], drop: Callable[[AttemptKey], Awaitable[None]]
) -> None:
    """Drop whatever is kept and was not taken back; `drop` looks whether it is over."""
    while True:
        try:
            kept = await executor.list_kept()
            break
        except errors.PlatformError:
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
        except errors.DayflyError as error:
            _log.warning("it cannot be seen what an earlier platform has left", error=str(error))
            return
    for key in kept:
        if key in taken_back:
            continue
        try:
            await drop(key)
        except Exception as error:  # noqa: BLE001
            # Another's may carry any name; and what is left of one keeps no others from going.
            _log.warning("what is left of an attempt was not removed", attempt=key, error=str(error))
