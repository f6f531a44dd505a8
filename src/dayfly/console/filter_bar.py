"""The bar above a list that says what it is filtered by: phases one press away, all other filters in a panel, what is
set as chips, and views that the reader has kept. Drawn by `filter_bar.js`; what it tells is put into the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui.element import Element

Field = Mapping[str, Any]


def field(key: str, label: str, hint: str, *, known: Sequence[str] = (), choices: Sequence[str] = ()) -> Field:
    """Return a filter. `known` are values to offer, among others; `choices` are the only ones."""
    return {"key": key, "label": label, "hint": hint, "known": list(known), "choices": list(choices)}


class FilterBar(Element, component="filter_bar.js"):
    """The bar on a page. `on_change` gets all filters by key, those that are empty left out."""

    def __init__(
        self,
        fields: Sequence[Field],
        values: Mapping[str, str],
        *,
        quick: Sequence[tuple[str, str]] = (),
        quick_key: str = "",
        on_change: Callable[[dict[str, str]], Any],
    ) -> None:
        """`quick` are labels and values of the filter `quick_key`."""
        super().__init__()
        self._props.update(fields=list(fields), values=dict(values), quick=list(quick), quickKey=quick_key, problem="")
        self.on("change", lambda told: on_change({str(key): str(value) for key, value in told.args.items()}))

    def set_values(self, values: Mapping[str, str]) -> None:
        """Show what is set."""
        self._props["values"] = dict(values)

    def set_problem(self, told: str) -> None:
        """Say why the filters cannot be used; nothing for an empty text."""
        self._props["problem"] = told
