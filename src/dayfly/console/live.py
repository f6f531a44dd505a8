"""Keeps a page up to date while it is open: ask again, show what changed, say when nobody answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from dayfly.base import errors


class Live:
    """Calls `refresh` every so many seconds while the page is open and not `over`. Made by `every`.

    A refused or unanswered call does not end it: the page says that it is not up to date, until it is again.
    """

    def __init__(self, seconds: float, refresh: Callable[[], Awaitable[bool | None]]) -> None:
        self._refresh = refresh
        self._told = ui.label().classes("stale").props('role="status"')
        self._told.set_visibility(False)
        self._timer = ui.timer(seconds, self._turn, immediate=False)

    def stop(self) -> None:
        """Ask no more: nothing will change."""
        self._timer.deactivate()

    async def now(self) -> None:
        """Ask at once, after something was done."""
        await self._turn()

    async def _turn(self) -> None:
        try:
            over = await self._refresh()
        except errors.DayflyError as error:
            self._told.set_text(f"Not up to date: {error.message}")
            self._told.set_visibility(True)
            return
        self._told.set_visibility(False)
        if over:
            self.stop()


def every(seconds: float, refresh: Callable[[], Awaitable[bool | None]]) -> Live:
    """Keep the page up to date. `refresh` shows what changed, and returns True when nothing will change any more."""
    return Live(seconds, refresh)
