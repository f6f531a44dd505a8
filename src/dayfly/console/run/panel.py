"""The right side of the run page: tabs about what is chosen. Each tab is a file, and an entry in `TABS`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui

from dayfly.base import errors
from dayfly.console import frame
from dayfly.console.run.subject import Subject

Refresh = Callable[[Subject], Awaitable[None]]
"""Shows what changed since, of the same subject at a later moment."""


@dataclass(frozen=True)
class Tab:
    """One tab."""

    name: str
    """In the address."""
    label: str
    applies: Callable[[Subject], bool]
    """Whether there is anything to show."""
    build: Callable[[Subject], Awaitable[Refresh | None]]
    """Puts it on the screen; None where nothing of it changes."""


class Panel:
    """The panel on a page; `tell` gets the name of the tab that was chosen, for the address."""

    def __init__(self, tabs: tuple[Tab, ...], chosen: str, tell: Callable[[str], None]) -> None:
        self._all, self._chosen, self._tell = {tab.name: tab for tab in tabs}, chosen, tell
        self._refresh: Refresh | None = None
        self._subject: Subject | None = None
        self._offered: tuple[str, ...] = ()
        self._bar = ui.tabs(on_change=self._changed).props('dense no-caps align="left" inline-label').classes("tabs")
        self._content = ui.element("div").classes("panel-content").props('role="tabpanel" tabindex="0"')

    def set_visibility(self, visible: bool) -> None:
        """Show or hide all of it: a node that has not started has nothing to be said of it."""
        self._bar.set_visibility(visible)
        self._content.set_visibility(visible)

    def choose(self, name: str) -> None:
        """Have the next `show` choose the tab that the address names; the first one if it names none that applies."""
        self._chosen = name

    async def show(self, subject: Subject) -> None:
        """Show another subject, in the same tab if it has that."""
        self._subject = subject
        self._offer(subject)
        await self._build()

    async def refresh(self, subject: Subject) -> None:
        """Show what changed of the same subject."""
        self._subject, before = subject, self._chosen
        self._offer(subject)
        if self._chosen != before:
            await self._build()
        elif self._refresh is not None:
            with self._content:
                await self._refresh(subject)

    def _offer(self, subject: Subject) -> None:
        offered = tuple(name for name, tab in self._all.items() if tab.applies(subject))
        wanted = self._chosen
        if wanted not in offered:
            self._chosen = offered[0]
        if offered != self._offered:
            self._offered = offered
            self._bar.clear()
            with self._bar:
                for name in offered:
                    ui.tab(name, self._all[name].label)
        self._bar.set_value(self._chosen)
        if wanted not in ("", self._chosen):
            self._tell(self._chosen)

    async def _changed(self, told: object) -> None:
        name = self._bar.value
        if name in self._offered and name != self._chosen:
            self._chosen = name
            self._tell(name)
            await self._build()

    async def _build(self) -> None:
        assert self._subject is not None  # `show` comes first.
        self._content.clear()
        self._refresh = None
        with self._content:
            try:
                self._refresh = await self._all[self._chosen].build(self._subject)
            except errors.DayflyError as error:
                frame.problem(error)
