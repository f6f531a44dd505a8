"""A log's bytes, as lines with their times and levels. Pure.

A line that says no time of its own was written with or after the one before it, and after the last look at the log
that had not seen it. Tracebacks and other continuations have the level of what they continue.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from dayfly.base import clock
from dayfly.base.clock import Micros
from dayfly.gateway.extras import line_heads
from dayfly.ports.attempt_logs import Mark

MAX_LINE_BYTES = 16 * 1024
"""A longer line is told in pieces of so many bytes."""

ZONE_STEP = 900 * clock.SECOND
"""Time zones differ by quarters of an hour."""


class Reading(msgspec.Struct, frozen=True, array_like=True):
    """Where one log is being read, and what the lines before have said."""

    offset: int = 0
    at: Micros = Micros(0)
    """No line from here on is older."""
    level: int = line_heads.PLAIN
    in_traceback: bool = False


class Line(NamedTuple):
    """One line of one log."""

    at: Micros
    role: str
    offset: int
    """Of its first byte."""
    level: int
    text: str
    timed: bool
    """The line itself says when; else it was written at `at` or later."""


def find_end(data: bytes, start: int, *, whole: bool) -> tuple[int, int] | None:
    """Return where the line ends that begins at `start`, and where the next begins; None where there is no line.

    The last line of `data`, where it has no end yet, is one only if `whole`.
    """
    end = data.find(b"\n", start, start + MAX_LINE_BYTES + 1)
    if end >= 0:
        return end, end + 1
    end = min(start + MAX_LINE_BYTES, len(data))
    return (end, end) if start < end and (whole or end < len(data)) else None


def split(data: bytes, *, whole: bool) -> Iterator[tuple[int, int, int]]:
    """Yield start and end of each line in `data`, and where the next begins."""
    start = 0
    while (found := find_end(data, start, whole=whole)) is not None:
        yield start, *found
        start = found[1]


def shown(raw: bytes) -> str:
    """Return a line as a terminal shows it in the end: what a progress bar wrote last."""
    return raw.decode(errors="replace").rstrip("\r").rpartition("\r")[2]


def read_line(before: Reading, role: str, raw: bytes, end: int, marks: Sequence[Mark]) -> tuple[Line, Reading]:
    """Return the line that begins at `before.offset`, and the reading of what follows at `end`."""
    text = shown(raw)
    earliest, latest = _written(before, end, marks)
    head = line_heads.read(text, latest or earliest)
    at = earliest if head.at is None else max(earliest, _in_zone(head.at, earliest, latest))
    level, in_traceback = _level(before, head, text)
    line = Line(at, role, before.offset, level, text, head.at is not None)
    return line, Reading(end, at, level, in_traceback)


def _written(before: Reading, end: int, marks: Sequence[Mark]) -> tuple[Micros, Micros]:
    """Return between which moments a line was written; 0 for a later one that is not known."""
    at = bisect.bisect_right(marks, before.offset, key=_size)
    earliest = max(before.at, marks[at - 1].at) if at else before.at
    at = bisect.bisect_left(marks, end, key=_size)
    return earliest, max(earliest, marks[at].at) if at < len(marks) else Micros(0)


def _size(mark: Mark) -> int:
    return mark.size_bytes


def _in_zone(said: Micros, earliest: Micros, latest: Micros) -> Micros:
    """Return a time as meant, where the process has another time zone than this one: looks at the log show it."""
    if not latest or abs(latest - said) < ZONE_STEP / 2:
        return said
    return Micros(min(latest, said + round((latest - said) / ZONE_STEP) * ZONE_STEP))


_TRACEBACK = "Traceback (most recent call last)"
_LINKING = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)


def _level(before: Reading, head: line_heads.Head, text: str) -> tuple[int, bool]:
    if head.begins:
        return head.level, False
    if text.startswith(_TRACEBACK) or text in _LINKING:
        return max(before.level, line_heads.LEVELS["ERROR"]), True
    if not text.strip() or text[0].isspace():
        return before.level, before.in_traceback
    if before.in_traceback:
        return before.level, False  # the exception itself, which ends its traceback
    return line_heads.PLAIN, False
