"""The table that all lists of the console are: rows of typed cells, chosen and walked through by mouse or keyboard.

Rows go to the browser as data, so that a thousand of them are one element here; `table.js` draws those in sight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import events
from nicegui.element import Element

from dayfly.base.clock import SECOND, Micros
from dayfly.console import wording

Cell = Mapping[str, Any]
Row = dict[str, Any]


def column(key: str, label: str, *, kind: str = "", sort: bool = False, width: str = "") -> dict[str, Any]:
    """Return a column. `kind` is `num` for numbers, `grow` for the one that takes what room is left."""
    return {"key": key, "label": label, "kind": kind, "sort": sort, "width": width}


def row(id: str, cells: Mapping[str, Cell | str], *, href: str = "", tone: str = "") -> Row:
    """Return a row. `href` is where Enter and a click lead; `tone` colours its edge, by a phase's name."""
    told = {key: {"text": cell} if isinstance(cell, str) else dict(cell) for key, cell in cells.items()}
    return {"id": id, "cells": told, "href": href, "tone": tone}


def text(told: str, *, title: str = "", faint: bool = False) -> Cell:
    """Return plain text; `title` is shown when it is pointed at."""
    return {"text": told, "title": title, "faint": faint}


def link(told: str, href: str, *, below: str = "") -> Cell:
    """Return a link, with a small line below it."""
    return {"text": told, "href": href, "below": below}


def phase(name: str) -> Cell:
    """Return a phase as a coloured sign and word."""
    return {"phase": name, "mark": wording.MARKS.get(name, wording.WAITING), "text": wording.phase(name)}


def moment(at: Micros | None) -> Cell:
    """Return a time, shown as long ago as it was."""
    return {"at": wording.moment(at) if at is not None else "", "text": ""}


def duration(started: Micros | None, ended: Micros | None, *, longest_seconds: float = 0, tone: str = "") -> Cell:
    """Return how long something took, or a clock that runs; with a bar as a share of the longest one."""
    if started is None:
        return {"text": "–", "faint": True}
    if ended is None:
        return {"since": wording.milliseconds(started), "longest": longest_seconds, "tone": tone, "text": ""}
    took = (ended - started) / SECOND
    share = min(took / longest_seconds, 1) if longest_seconds else 0
    return {"text": wording.duration(took), "share": share, "tone": tone}


def bars(shown: Sequence[Mapping[str, Any]], label: str) -> Cell:
    """Return small bars, such as last runs: each has `tone`, `share`, `title` and `href`. `label` says it in words."""
    return {"bars": list(shown), "label": label, "text": ""}


def actions(*offered: tuple[str, str]) -> Cell:
    """Return buttons: the name that `on_action` is told, and the label."""
    return {"actions": [{"name": name, "label": label} for name, label in offered], "text": ""}


class Table(Element, component="table.js"):
    """The table on a page."""

    def __init__(
        self,
        columns: Sequence[Mapping[str, Any]],
        rows: Sequence[Row] = (),
        *,
        label: str,
        selectable: bool = False,
        nothing: str = "Nothing here yet.",
        on_select: Callable[[list[str]], Any] | None = None,
        on_action: Callable[[str, str], Any] | None = None,
        on_sort: Callable[[str, bool], Any] | None = None,
        on_more: Callable[[], Any] | None = None,
    ) -> None:
        """`label` names the table for those who cannot see it.

        `on_select` gets the ids of all chosen rows, `on_action` a row's id and the action's name, `on_sort` a column's
        key and whether it falls, `on_more` nothing: the end of the rows came in sight, and `set_more(True)` had said
        that there are more.
        """
        super().__init__()
        self._props.update(columns=list(columns), rows=list(rows), label=label, selectable=selectable, nothing=nothing)
        self._props.update(sorted="", falling=True, more=False)
        if on_select is not None:
            self.on("select", lambda told: on_select(_list(told)))
        if on_action is not None:
            self.on("action", lambda told: on_action(told.args["id"], told.args["name"]))
        if on_sort is not None:
            self.on("sort", lambda told: on_sort(told.args["key"], told.args["falling"]))
        if on_more is not None:
            self.on("more", lambda _: on_more())

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows. What did not change stays as it is, what was chosen stays chosen."""
        if self._props["rows"] != rows:
            self._props["rows"] = list(rows)

    def set_sorted(self, key: str, *, falling: bool) -> None:
        """Mark the column that the rows are sorted by."""
        self._props["sorted"], self._props["falling"] = key, falling

    def set_nothing(self, told: str) -> None:
        """Say what stands there where there are no rows."""
        self._props["nothing"] = told

    def set_more(self, more: bool) -> None:
        """Say whether there are rows behind the last one."""
        self._props["more"] = more


def _list(told: events.GenericEventArguments) -> list[str]:
    return [str(one) for one in told.args]
