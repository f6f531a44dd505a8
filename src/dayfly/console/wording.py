"""Times, sizes and phases in words. Pure."""

from __future__ import annotations

from datetime import datetime

from dayfly.base import clock
from dayfly.base.clock import SECOND, Micros
from dayfly.compiler import single_task

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")

MARKS = {
    "SUCCEEDED": "✓",
    "FAILED": "✕",
    "TIMED_OUT": "✕",
    "FAILING": "✕",
    "ABORTED": "⊘",
    "ABORTING": "⊘",
    "RUNNING": "▶",
    "DYNAMIC_RUNNING": "▶",
    "SUCCEEDING": "▶",
    "RECOVERED": "↺",
    "SKIPPED": "–",
    "PAUSED": "‖",
}
"""A sign beside each phase's colour, for those who cannot tell colours apart. Any other phase waits."""

WAITING = "◌"


def phase(name: str) -> str:
    """Return a phase as a word: `Timed out`."""
    return name.replace("_", " ").capitalize()


def is_of_one_task(name: str) -> bool:
    """Say whether a workflow, or its launch plan, is one that the platform has made to run a single task."""
    return name.startswith(single_task.NAME_PREFIX)


def entity(name: str) -> str:
    """Return the name of what is run as people gave it: the workflow of a single task has a prefix before that."""
    return name.removeprefix(single_task.NAME_PREFIX)


def duration(seconds: float) -> str:
    """Return a time span as people say it: 0.34 s, 12.3 s, 4 min 03 s, 2 h 05 min, 3 d 4 h."""
    if seconds < 1:
        return f"{max(seconds, 0):.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def size(count: float) -> str:
    """Return a number of bytes: 512 B, 1.5 MiB."""
    unit = 0
    while abs(count) >= 1024 and unit < len(UNITS) - 1:
        count /= 1024
        unit += 1
    return f"{count:.0f} {UNITS[unit]}" if unit == 0 or abs(count) >= 100 else f"{count:.1f} {UNITS[unit]}"


def count(number: int, thing: str, things: str = "") -> str:
    """Return a number of things: `1 run`, `12,345 runs`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def moment(at: Micros) -> str:
    """Return a time as machines read it, RFC 3339 in UTC; pages show it in the reader's own zone."""
    return clock.to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_moment(told: str) -> Micros:
    """Return a time that an answer of Dayfly's HTTP API has."""
    return clock.from_datetime(datetime.fromisoformat(told.replace("Z", "+00:00")))


def milliseconds(at: Micros) -> int:
    """Return a time as JavaScript counts it."""
    return at * 1000 // SECOND
