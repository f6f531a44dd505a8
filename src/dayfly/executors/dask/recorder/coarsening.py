"""Makes few frames of many, for those who look at a long record as a whole. Pure.

Works on frames as they lie in the file: to name a million tasks of which some thousands are told would take longer than
all the rest.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

HIGHEST = "memory_high"
"""Figure of a worker: most that it held in the time that one frame stands for, where that is more than it held last."""

COLUMNS = ("prefix", "worker", "start", "took", "action")

COUNTS = ("events_dropped", "frames_dropped")


class Gathered:
    """What one frame is made of that stands for several. `to_frame` has the form of those in the file."""

    def __init__(self) -> None:
        self.began = self.last = 0.0
        self.highest: dict[int, int] = {}
        self._told: dict[str, Any] = {}
        self._tasks: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self._dropped = 0

    def add(self, frame: Mapping[str, Any]) -> None:
        """Take one frame more."""
        self.last = frame["t"]
        self.began = self.began or self.last
        for kind in ("prefixes", "roles", "workers"):
            if kind in frame:
                self._told.setdefault(kind, {}).update(frame[kind])
        highest = self.highest
        for number, row in frame.get("workers", {}).items():
            if row[0] > highest.get(number, -1):
                highest[number] = row[0]
        if "events" in frame:
            self._told.setdefault("events", []).extend(frame["events"])
        for kind in COUNTS:
            if kind in frame:
                self._told[kind] = self._told.get(kind, 0) + frame[kind]
        if "tasks" in frame:
            self._add_tasks(frame["tasks"])

    def to_frame(self, most_tasks: int | None) -> dict[str, Any]:
        """Return the frame, with the longest of its tasks."""
        tasks, dropped = self._tasks, self._dropped
        count = len(tasks["took"])
        if most_tasks is not None and count > most_tasks:
            kept = sorted(heapq.nlargest(most_tasks, range(count), key=tasks["took"].__getitem__))
            tasks = {name: [column[place] for place in kept] for name, column in tasks.items()}
            dropped += count - most_tasks
        told = {"t": self.last, **self._told}
        if count or dropped:
            told["tasks"] = {"from": self.began, **tasks, **({"dropped": dropped} if dropped else {})}
        return told

    def _add_tasks(self, columns: Mapping[str, Any]) -> None:
        # Cut off where the file is damaged: all columns have the length of the shortest.
        length = min(len(columns.get(name, ())) for name in COLUMNS)
        later = (columns.get("from", 0.0) - self.began) * 1000
        for name in COLUMNS:
            column = columns.get(name, ())[:length]
            self._tasks[name] += [start + later for start in column] if name == "start" else column
        self._dropped += columns.get("dropped", 0)


def coarsen(frames: Iterable[Mapping[str, Any]], *, every_seconds: float) -> Iterator[Gathered]:
    """Yield what one frame is to be made of, for all of each `every_seconds`.

    Workers and prefixes are as they were last.
    """
    gathered = Gathered()
    for frame in frames:
        if gathered.began and frame["t"] - gathered.began >= every_seconds:
            yield gathered
            gathered = Gathered()
        gathered.add(frame)
    if gathered.began:
        yield gathered
