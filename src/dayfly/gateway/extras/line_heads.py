"""What a line of a log says of itself: its time and its level. Pure.

Knows the forms that dask's, flytekit's and Python's own loggers write, and JSON objects. Times without a zone are this
machine's, as the loggers of local processes write them; a time without a date is taken on the day that is nearest.
"""

from __future__ import annotations

import functools
import re
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import msgspec

from dayfly.base import clock
from dayfly.base.clock import Micros

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
"""Python's own numbers."""

PLAIN = 0
"""Of a line that no logger wrote."""

HEAD = 200
"""Characters of a line in which its time and level are looked for."""

DAY = 86_400 * clock.SECOND


class Head(NamedTuple):
    """What a line begins with."""

    at: Micros | None = None
    level: int = PLAIN

    @property
    def begins(self) -> bool:
        """Say whether a logger began a record with this line."""
        return self.at is not None or self.level != PLAIN


def read(line: str, near: Micros) -> Head:
    """Return what the line says of itself; `near` is about when it was written, 0 if nobody knows."""
    if line[:1] == "{":
        return _json_head(line, near)
    stamp = _STAMP.match(line)
    if stamp is not None:
        level = _LEVEL.search(line, stamp.end(), HEAD)
        return Head(_moment(stamp, near), _number(level[0]) if level else PLAIN)
    level = _LEADING.match(line)
    return Head(None, _number(level[1])) if level else Head()


def name(level: int) -> str:
    """Return a level's name, empty for a plain line."""
    return _NAMES.get(level, "")


_NAMES = {number: name for name, number in LEVELS.items()}

_WORDS = "DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL"
_LEVEL = re.compile(rf"\b(?:{_WORDS})\b")
_LEADING = re.compile(rf"\[?({_WORDS})\b(?=[\]:\s])|(?:Fatal) Python error")
_STAMP = re.compile(
    r"[\[(]?(?:(?P<day>\d{4}-\d\d-\d\d)[ T])?(?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    r" ?(?P<zone>Z\b|[+-]\d\d:?\d\d\b)?"
)

_TIMES = ("asctime", "time", "timestamp", "ts", "@timestamp")
_LEVEL_NAMES = ("levelname", "level", "severity", "log_level")
"""Fields of JSON lines, as usual formatters name them."""


def _number(word: str | None) -> int:
    if word is None:
        return LEVELS["CRITICAL"]  # the interpreter itself gives up
    return LEVELS.get({"WARN": "WARNING", "FATAL": "CRITICAL"}.get(word, word), PLAIN)


def _moment(stamp: re.Match[str], near: Micros) -> Micros | None:
    day, time, fraction, zone = stamp.group("day", "time", "fraction", "zone")
    seconds = _seconds(day or _day(near), time, zone)
    if seconds is None:
        return None  # Looks like a time and is none.
    at = seconds * clock.SECOND + int((fraction or "0").ljust(6, "0")[:6])
    if day is None and near:
        at += round((near - at) / DAY) * DAY
    return Micros(at)


@functools.lru_cache(maxsize=1024)
def _seconds(day: str, time: str, zone: str | None) -> int | None:
    """Return a moment in seconds since the epoch. Lines of one second follow each other."""
    try:
        when = datetime.fromisoformat(f"{day}T{time}")
        return int((when.replace(tzinfo=_zone(zone)) if zone else when).timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def _day(near: Micros) -> str:
    return clock.to_datetime(near).astimezone().date().isoformat()


def _zone(text: str) -> timezone:
    if text == "Z":
        return timezone.utc
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _json_head(line: str, near: Micros) -> Head:
    try:
        told = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Head()
    if not isinstance(told, dict):
        return Head()
    level = next((told[field] for field in _LEVEL_NAMES if isinstance(told.get(field), str)), "")
    when = next((told[field] for field in _TIMES if field in told), None)
    return Head(_json_moment(when, near), _number(level.upper()))


def _json_moment(when: Any, near: Micros) -> Micros | None:
    if isinstance(when, str) and (stamp := _STAMP.match(when)) is not None:
        return _moment(stamp, near)
    if isinstance(when, int | float) and 1 < when < 1e11:
        return Micros(int(when * clock.SECOND))  # seconds since the epoch, as structured loggers write them
    return None
