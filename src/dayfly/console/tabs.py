"""Tabs of a page, the chosen one in the address: what is in them is fetched when they are first looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui

from dayfly.base import errors
from dayfly.console import frame


@dataclass(frozen=True)
class Tab:
    """One tab."""

    name: str
    """In the address."""
    label: str
    build: Callable[[], Awaitable[None]]
    """Puts it on the screen."""


class Tabs:
    """The tabs on a page; `tell` gets the name of the one that was chosen."""

    def __init__(self, tabs: tuple[Tab, ...], chosen: str, tell: Callable[[str], None]) -> None:
        self._tabs, self._tell = {tab.name: tab for tab in tabs}, tell
        self.chosen = chosen if chosen in self._tabs else tabs[0].name
        with ui.tabs(on_change=self._changed).props('dense no-caps align="left"').classes("tabs") as self._bar:
            for tab in tabs:
                ui.tab(tab.name, tab.label)
        self._bar.set_value(self.chosen)
        self._content = ui.element("div").props('role="tabpanel" tabindex="0"').classes("tab-content")

    async def show(self) -> None:
        """Show the chosen tab anew."""
        self._content.clear()
        with self._content:
            try:
                await self._tabs[self.chosen].build()
            except errors.DayflyError as error:
                frame.problem(error)

    async def _changed(self) -> None:
        name = str(self._bar.value)
        if name in self._tabs and name != self.chosen:
            self.chosen = name
            self._tell(name)
            await self.show()
