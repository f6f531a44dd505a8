"""What `dayfly top` shows and has chosen, and what keys change of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dayfly.base.clock import Micros
from dayfly.client.watching import Snapshot
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase

PAGE = 10
"""Rows that page up and page down go."""


@dataclass(frozen=True)
class Run:
    """One line of the list of runs."""

    id: ExecutionId
    phase: ExecutionPhase
    workflow: str
    created_at: Micros | None
    started_at: Micros | None
    ended_at: Micros | None
    error: str = ""
    """First line of why it failed."""

    @property
    def ended(self) -> bool:
        """Say whether nothing will change any more."""
        return self.phase in TERMINAL_EXECUTION


@dataclass
class ClusterNow:
    """A Dask cluster as its record has it by now. `take` reads on."""

    entry: Mapping[str, Any]
    """As the list of clusters tells it: docs/http-api.md."""
    since: float = 0.0
    workers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    prefixes: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def take(self, frames: Iterable[Mapping[str, Any]]) -> None:
        """Read on in the record."""
        for frame in frames:
            self.since = frame["t"]
            self.workers.update(frame.get("workers", {}))
            self.prefixes.update(frame.get("prefixes", {}))
            # A frame may stand for many: who went is gone unless it has joined again.
            last = {one["worker"]: one["kind"] for one in frame.get("events", ()) if one["kind"] in _COMES_AND_GOES}
            for name, kind in last.items():
                if kind == "remove-worker":
                    self.workers.pop(name, None)


_COMES_AND_GOES = ("add-worker", "remove-worker")


START = Micros(0)
"""Before anything was told."""


@dataclass(frozen=True)
class Seen:
    """What the platform told last."""

    at: Micros = START
    runs: Sequence[Run] = ()
    clusters: Sequence[Mapping[str, Any]] = ()
    """Those that live: of all runs that are listed, or of the run that is open."""
    run: Snapshot | None = None
    """Of the run that is open."""
    details: Sequence[ClusterNow] = ()
    """Of the run that is open."""


class Wish:
    """What a key asks for that is not here to be done."""

    QUIT = "quit"
    LOOK = "look"
    """Another run was opened or closed: ask the platform at once."""
    ABORT = "abort"


@dataclass
class State:
    """What is chosen."""

    seen: Seen = field(default_factory=Seen)
    open: ExecutionId | None = None
    """The run that is shown; None for the list of runs."""
    chosen: dict[str, str] = field(default_factory=lambda: {"runs": "", "nodes": ""})
    """Id of the line that is chosen, of each list."""
    asking: ExecutionId | None = None
    """The run that is to be aborted, if its reader says so once more."""
    note: str = ""
    """What became of what was asked for, or why nothing new is shown."""

    def ids(self) -> list[str]:
        """Return the ids of the lines of the list that is shown."""
        if self.open is None:
            return [str(run.id) for run in self.seen.runs]
        return [] if self.seen.run is None else [str(node.id) for node in self.seen.run.nodes]

    @property
    def shown(self) -> str:
        """Return the name of the list that is shown."""
        return "runs" if self.open is None else "nodes"

    def position(self) -> int:
        """Return which line is chosen, the first one unless another is; -1 where there are none."""
        ids = self.ids()
        return ids.index(self.chosen[self.shown]) if self.chosen[self.shown] in ids else min(0, len(ids) - 1)

    def press(self, key: str) -> str | None:
        """Do what a key says; return a `Wish`, or None."""
        if self.asking is not None:
            return self._answer(key)
        steps = {"up": -1, "down": 1, "page up": -PAGE, "page down": PAGE, "first": -(10**9), "last": 10**9}
        if key in steps:
            self._step(steps[key])
        elif key == "q":
            return Wish.QUIT
        elif key == "open" and self.open is None and self.position() >= 0:
            self.open = self.seen.runs[self.position()].id
            self.chosen["nodes"], self.note = "", ""
            self.seen = Seen(self.seen.at, self.seen.runs, ())
            return Wish.LOOK
        elif key == "back" and self.open is not None:
            self.chosen["runs"], self.open, self.note = str(self.open), None, ""
            return Wish.LOOK
        elif key == "a":
            self._ask()
        return None

    def _step(self, by: int) -> None:
        ids = self.ids()
        if ids:
            self.chosen[self.shown] = ids[max(0, min(len(ids) - 1, self.position() + by))]

    def _ask(self) -> None:
        if self.open is not None:
            target, over = self.open, self.seen.run is not None and self.seen.run.ended
        elif self.position() >= 0:
            run = self.seen.runs[self.position()]
            target, over = run.id, run.ended
        else:
            return
        self.note = f"{target.name} has ended already." if over else ""
        self.asking = None if over else target

    def _answer(self, key: str) -> str | None:
        if key in ("y", "Y"):
            return Wish.ABORT
        self.asking, self.note = None, "Nothing was aborted."
        return None
