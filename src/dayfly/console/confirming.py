"""Asks before something is done that others would notice, and tells that it was done."""

from __future__ import annotations

import asyncio

from nicegui import ui
from nicegui.element import Element


class Dialog(Element, component="confirmation.js"):
    """A dialog, open at once. What is put into it is shown above its buttons; with no `label` it can but be closed.

    A `bare` one has no buttons of its own: who made it calls `close`.
    """

    def __init__(
        self, title: str, told: str = "", label: str = "", *, danger: bool = False, bare: bool = False
    ) -> None:
        super().__init__()
        self._props.update(title=title, told=told, label=label, danger=danger, bare=bare)
        self.answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Set once it is closed: whether the button that does it was pressed."""
        self.on("answer", lambda told: self._closed(bool(told.args)))

    def close(self) -> None:
        """Close it, as if its reader had."""
        self._closed(False)

    def _closed(self, answer: bool) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)
        self.delete()


async def confirm(title: str, told: str, label: str, *, danger: bool = False) -> bool:
    """Return whether the reader wants it. `told` says what would happen, `label` is on the button that does it."""
    return await Dialog(title, told, label, danger=danger).answer


def say(told: str, *, bad: bool = False) -> None:
    """Tell in a corner that something was done, or why it was not."""
    # A colour of its own for the text, or it is white in both themes.
    look = "said said-bad" if bad else "said"
    ui.notify(told, position="bottom-right", classes=look, timeout=6000, textColor="inherit")
