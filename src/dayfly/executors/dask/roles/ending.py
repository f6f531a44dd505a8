"""Ends of a role: signals that ask for one, and waiting for whatever ends it first."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

ASKED_TO_END = 128 + signal.SIGTERM
"""Exit code of a role that a signal has asked to end, as shells tell it."""


def on_signal() -> asyncio.Event:
    """Return an event that is set when this process is asked to end. Call it in the running loop."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, asked.set)
    return asked


async def first_of(*waits: Any) -> None:
    """Return when the first of the awaitables does; the others are given up."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()
