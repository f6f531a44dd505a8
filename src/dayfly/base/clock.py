"""The only callers of the real time. Everything above takes a `Clock`, or a `Micros` that somebody read from one."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import NewType, Protocol

Micros = NewType("Micros", int)
"""A point in time: microseconds since the Unix epoch, UTC. Flyte's timestamps are finer than anyone needs."""

SECOND = 1_000_000
"""Microseconds in a second."""


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> Micros:
        """Return the present moment."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that is never set, for measuring spans."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> Micros:
        """Return the present moment."""
        return Micros(time.time_ns() // 1000)

    def monotonic(self) -> float:
        """Return seconds on a clock that is never set, for measuring spans."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is told to move: for tests and simulations."""

    def __init__(self, start: Micros = Micros(1_700_000_000 * SECOND)) -> None:
        self._now = start

    def now(self) -> Micros:
        """Return the moment that the clock was last set to."""
        return self._now

    def monotonic(self) -> float:
        """Return the same moment in seconds."""
        return self._now / SECOND

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`."""
        self._now = Micros(self._now + int(seconds * SECOND))


def to_datetime(at: Micros) -> datetime:
    """Convert to an aware UTC datetime."""
    return datetime.fromtimestamp(at / SECOND, tz=timezone.utc)


def from_datetime(at: datetime) -> Micros:
    """Convert from an aware datetime (a naive one is taken as UTC)."""
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    delta = at - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return Micros((delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds)
