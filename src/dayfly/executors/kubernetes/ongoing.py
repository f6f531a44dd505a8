"""Calls that are not broken off at once when whoever asked is gone.

httpcore closes the socket of a connection that fails amid its TLS handshake, and leaves that of one whose task is
cancelled then (`start_tls` in httpcore/_backends/anyio.py): it is closed when it is collected, which Python warns of.
So a call goes on for a moment alone, and what it brings is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

ALONE_SECONDS = 5.0
"""How long a call may go on that nobody waits for any more: a handshake takes milliseconds."""

LAST_SECONDS = 1.0
"""The same where all is let go."""

T = TypeVar("T")


class Ongoing:
    """The calls of one connection to a cluster."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def do(self, call: Coroutine[Any, Any, T], let_go: Callable[[T], Awaitable[Any]] | None = None) -> T:
        """Return what the call does; `let_go` is given that where nobody waits for it any more."""
        task = self._keep(call)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._keep(_end(task, let_go))
            raise

    async def finish(self) -> None:
        """Return when no call goes on any more."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_SECONDS)
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._drop)
        return task

    def _drop(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Whoever waited for it has it, or is gone.


async def _end(task: asyncio.Task[T], let_go: Callable[[T], Awaitable[Any]] | None) -> None:
    try:
        done, _ = await asyncio.wait({task}, timeout=ALONE_SECONDS)
    finally:
        task.cancel()
    if done and let_go is not None:
        with contextlib.suppress(Exception):  # It has failed, and nobody asks how.
            await let_go(task.result())
