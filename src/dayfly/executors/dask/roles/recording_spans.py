"""What workers did for tasks, from the scheduler's plugin to a frame's columns and to Dask's own report.

Written to by `recording`, for each task while the scheduler waits: hence one flat list and one array instead of an
object for each. Neither holds anything that the garbage collector would go through, and times are kept as plain
numbers, since every object that outlives its message costs as much as noting the rest.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Any

from .recording_frames import ACTIONS, FAILED, Names

WIDTH = 5
"""Values of a span: its task's key and prefix, its worker's address, its thread's number, its action's number."""


class Spans:
    """Spans of time, each WIDTH values, and when it began and ended in seconds since the epoch; the oldest first."""

    __slots__ = ("times", "values")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.times = array("d")

    def extend(self, later: Spans, most: int) -> None:
        """Append others, and keep so many, the last ones."""
        self.values += later.values
        self.times += later.times
        del self.values[: -most * WIDTH]
        del self.times[: -most * 2]

    def build_columns(self, names: Names, name_of: Callable[[str], str]) -> dict[str, Any]:
        """Return the columns of a frame, as `recording_frames` says; empty where there is no span."""
        if not self.values:
            return {}
        _, prefixes, addresses, _, actions, starts, stops = self._columns()
        prefix_numbers = {prefix: names.number(prefix) for prefix in dict.fromkeys(prefixes)}
        worker_numbers = {address: names.number(name_of(address)) for address in dict.fromkeys(addresses)}
        origin = min(starts)
        return {
            "from": origin,
            "prefix": [prefix_numbers[prefix] for prefix in prefixes],
            "worker": [worker_numbers[address] for address in addresses],
            "start": [round(1000 * (start - origin)) for start in starts],
            # To a tenth: `round` with a number of digits would take three times as long.
            "took": [round(10_000 * (stop - start)) / 10 for start, stop in zip(starts, stops, strict=True)],
            "action": actions,
        }

    def build_tasks(self) -> list[dict[str, Any]]:
        """Return the tasks, each as Dask's scheduler tells of it and its task stream keeps it."""
        tasks = []
        for (key, _, worker, thread), those in groupby(zip(*self._columns(), strict=True), itemgetter(0, 1, 2, 3)):
            rows = [row[4:] for row in those]
            status = "error" if any(action == FAILED for action, _, _ in rows) else "OK"
            did = [{"action": ACTIONS[max(action, 0)], "start": start, "stop": stop} for action, start, stop in rows]
            tasks.append({"key": key, "worker": worker, "thread": thread, "status": status, "startstops": did})
        return tasks

    def _columns(self) -> list[Any]:
        return [*(self.values[place::WIDTH] for place in range(WIDTH)), self.times[0::2], self.times[1::2]]
