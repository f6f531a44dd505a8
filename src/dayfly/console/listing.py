"""What the lists of workflows and tasks have in common: search, archived ones apart, restoring them, launching."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import events, ui

from dayfly.base import errors
from dayfly.console import addresses, confirming, frame, registered, table, wording
from dayfly.console.site import View


@dataclass(frozen=True)
class Entry:
    """One line of a list."""

    entity: Any
    """admin.NamedEntity"""
    row: table.Row
    text: str
    """What it is found by."""
    archived: bool


class List:
    """The list on a page; what is searched for and whether archived ones are shown is in the address."""

    def __init__(
        self, view: View, what: str, columns: Sequence[Mapping[str, Any]], entries: list[Entry], target: str
    ) -> None:
        assert view.place is not None  # All of these pages are about a place.
        self._view, self._what, self._target, self._entries = view, what, target, entries
        self._place = view.place
        self._asked = {"text": view.query.get("text", ""), "archived": view.query.get("archived", "")}
        with ui.element("div").classes("row-of list-bar"):
            field = ui.element("input").classes("field list-find")
            field.props(f'type=search placeholder="Search {what}" aria-label="Search {what}"')
            field.props["value"] = self._asked["text"]
            field.on("input", self._searched, js_handler="(event) => emit(event.target.value)")
            self._toggle = ui.button(on_click=self._toggled, color=None).classes("button").props("unelevated")
            self._count = ui.label().classes("faint").props("role=status")
        self._table = table.Table(columns, label=what.capitalize(), nothing=f"No {what} here.", on_action=self._act)
        self._show()

    async def refresh(self, fetch: Callable[[], Awaitable[list[Entry]]]) -> None:
        """Show what is there now."""
        self._entries = await fetch()
        self._show()

    def _show(self) -> None:
        words = self._asked["text"].lower().split()
        archived = bool(self._asked["archived"])
        found = [
            one for one in self._entries if one.archived == archived and all(word in one.text.lower() for word in words)
        ]
        hidden = sum(one.archived for one in self._entries)
        self._toggle.set_text("Show those in use" if archived else f"Archived ({hidden})")
        self._toggle.set_visibility(bool(hidden or archived))
        self._count.set_text(
            wording.count(len(found), self._what.removesuffix("s")) + (" archived" if archived else "")
        )
        self._table.set_rows([one.row for one in found])

    def _searched(self, told: events.GenericEventArguments) -> None:
        self._asked["text"] = str(told.args)
        self._told()

    def _toggled(self) -> None:
        self._asked["archived"] = "" if self._asked["archived"] else "true"
        self._told()

    def _told(self) -> None:
        ui.navigate.history.replace(addresses.below(self._place, self._what, self._asked))
        self._show()

    async def _act(self, name: str, action: str) -> None:
        if action == "launch":
            frame.go(addresses.launch(self._place, {self._target: name}))
            return
        entity = next(one.entity for one in self._entries if one.row["id"] == name)
        try:
            await registered.set_archived(self._view, entity, False)
        except errors.DayflyError as error:
            confirming.say(error.message, bad=True)
            return
        confirming.say(f"{name} is back in the list.")
        self._entries = [one for one in self._entries if one.row["id"] != name]
        self._show()


@contextlib.contextmanager
def page(
    view: View, what: str, columns: Sequence[Mapping[str, Any]], entries: list[Entry], target: str
) -> Iterator[List]:
    """Put a list on the screen; `target` is what the launch form is asked for."""
    with frame.page(view, title=what.capitalize(), active=what):
        frame.heading(what.capitalize())
        yield List(view, what, columns, entries, target)
