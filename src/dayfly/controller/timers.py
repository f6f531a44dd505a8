"""Turns due timers into events. Timers are rows; this only looks at the clock. Started by `assembly`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dayfly.base import clock as clocks
from dayfly.base import errors, logs

if TYPE_CHECKING:
    from dayfly.ports.runs import Runs

AT_ONCE = 200
"""Timers fired in one commit."""

_log = logs.get("controller.timers")


async def run(runs: Runs, clock: clocks.Clock, *, poll_seconds: float) -> None:
    """Fire due timers until cancelled; a timer set meanwhile is seen within `poll_seconds`."""
    while True:
        pause = poll_seconds
        try:
            fired, due = await runs.fire_timers(clock.now(), limit=AT_ONCE)
            if fired == AT_ONCE:
                continue
            if due is not None:
                pause = min(pause, max(0.0, (due - clock.now()) / clocks.SECOND))
        except errors.PlatformError as error:
            _log.warning("cannot look at the timers", error=str(error))
        await asyncio.sleep(pause)
