"""A group as its fork server sees it: the supervisor, and the last that it said."""

from __future__ import annotations

import time
from typing import Any

from . import wire

ELSEWHERE = "elsewhere"
"""Told as the end of a group that had been claimed before its supervisor came to it: its record says how it ends."""


class Group:
    """A supervisor, and the last that it said."""

    def __init__(self, pid: int, peer: wire.Peer) -> None:
        self.pid, self.peer = pid, peer
        self.record_dir = ""
        self.due = 0.0
        """When the group must have ended: a supervisor that has not done it by then is stuck. 0 is never."""
        self.report: dict[str, Any] = {}
        self.standing: dict[str, Any] = {}
        """The order of a group that stands by; of one that has not been taken over yet, for all that is known here."""
        self.adopting: dict[str, Any] = {}
        """The order of the group that it has been told to take over, until it has."""
        self.end_asked: dict[str, Any] = {}
        """The last order to end."""

    def hurry(self, seconds: float) -> None:
        """Note that the group is to end within this time."""
        due = time.monotonic() + seconds
        self.due = min(self.due, due) if self.due else due


def build_report(key: str, state: str) -> dict[str, Any]:
    """Return what is told of a group whose supervisor has said nothing yet."""
    return {"key": key, "at": time.time_ns() // 1000, "state": state, "reason": "", "facts": {}}


def build_end(key: str, end: str, message: str) -> dict[str, Any]:
    """Return the end of a group whose supervisor cannot tell it."""
    return build_report(key, "ended") | {"end": end, "message": message}
