"""The left side of the run page in the browser: one element with grid, graph and timeline of the same nodes.

`board.js` holds what `feeding` tells it, and draws what is in sight. Nodes go over as short lists: see `packed`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from nicegui import events
from nicegui.element import Element

from dayfly.base import errors
from dayfly.console.run.flows import Flow
from dayfly.console.run.layout import Picture
from dayfly.console.run.nodes import State

VIEWS = ("grid", "graph", "timeline")
"""Names in the address. The first one is where the address says nothing."""

PHASES = (
    *("UNDEFINED", "QUEUED", "RUNNING", "SUCCEEDED", "FAILING", "FAILED", "ABORTED", "SKIPPED", "TIMED_OUT"),
    *("DYNAMIC_RUNNING", "RECOVERED", "PAUSED"),
)
"""By their places in this; `board.js` has the same list."""

Answer = Callable[..., Awaitable[None]]


class Board(Element, component="board.js", esm={"dayfly-board": "board_parts"}):
    """The board on a page."""

    def __init__(self, start: Mapping[str, Any], answers: Mapping[str, Answer]) -> None:
        """`answers` are called with what the browser asks for.

        `choose` (node and attempt), `view` (its name), `unfold` (a node), `seen` (view, and nodes in sight by parent),
        `graph` (what is unfolded in it), `came` (the address's query, after the browser went back or forth).
        """
        super().__init__()
        # As text: a tenth of the memory, for as long as the page is open.
        self._props["start"] = msgspec.json.encode(start).decode()
        for name, answer in answers.items():
            self.on(name, self._guarded(answer))

    def tell(self, news: Mapping[str, Any]) -> None:
        """Have the browser show what has changed."""
        self.run_method("hear", msgspec.json.encode(news).decode())

    def _guarded(self, answer: Answer) -> Callable[[events.GenericEventArguments], Awaitable[None]]:
        async def called(told: events.GenericEventArguments) -> None:
            try:
                await answer(**told.args)
            except errors.DayflyError as error:
                self.tell({"problem": error.message})

        return called


def packed(states: Iterable[State], base: int) -> dict[str, list[list[Any]]]:
    """Return nodes by parent: spec, phase, three times, hit, kind, page, id; without the zeros at the end.

    Each time is told as the difference to the one before it, the first one to `base`.
    """
    found: dict[str, list[list[Any]]] = {}
    for one in states:
        found.setdefault(one.parent, []).append(_packed(one, base))
    return found


def named(flow: Flow) -> list[list[str]]:
    """Return the nodes of a flow: spec, name, kind."""
    return [[spec, part.name, part.kind] for spec, part in flow.parts.items()]


def drawn(picture: Picture) -> dict[str, Any]:
    """Return a graph as the browser draws it."""
    return {
        "width": round(picture.width),
        "height": round(picture.height),
        "hidden": picture.hidden,
        "boxes": [
            [one.owner, one.specs, *map(round, (one.x, one.y, one.width, one.height)), int(one.group)]
            for one in picture.boxes
        ],
        "lines": [[round(number) for point in line for number in point] for line in picture.lines],
    }


def _packed(one: State, base: int) -> list[Any]:
    created = one.created if one.created is not None else one.started
    row: list[Any] = [
        one.spec,
        PHASES.index(one.phase),
        *_differences((base, created, one.started, one.ended)),
        int(one.hit),
        one.kind,
        one.href,
        one.id if one.id != one.spec else "",
    ]
    while not row[-1] and row[-1] is not None:
        row.pop()
    return row


def _differences(times: Sequence[int | None]) -> list[int | None]:
    """Return each time but the first as a difference to the last known one before it."""
    before, found = times[0] or 0, []
    for at in times[1:]:
        found.append(None if at is None else at - before)
        before = before if at is None else at
    return found
