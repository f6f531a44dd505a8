"""What a supervisor tells the platform of its group: state, reason and facts, at once or, of progress, now and then."""

from __future__ import annotations

import time
from typing import Any

from . import wire

PROGRESS_SECONDS = 0.5
"""Facts named `progress...` reach the platform at most this often; all others at once."""


class Reporter:
    """The reports of one group."""

    def __init__(self, key: str, server: wire.Peer) -> None:
        self._key, self._server = key, server
        self.state = "starting"
        self.reason = ""
        self.facts: dict[str, Any] = {}
        self.due_at = 0.0
        """When a report that was put off is due; 0 where none was."""
        self._reported_at = 0.0

    def report(self) -> None:
        """Tell how the group is doing; once it has ended, that has been told."""
        if self.state != "ended":
            self.due_at, self._reported_at = 0.0, time.monotonic()
            self._server.send({"op": "report", "report": self.build()})

    def report_later(self) -> None:
        """Tell it as soon as that is not too often."""
        due_at = self._reported_at + PROGRESS_SECONDS
        if time.monotonic() >= due_at:
            self.report()
        else:
            self.due_at = due_at

    def build(self) -> dict[str, Any]:
        """Return the report, as the platform reads it."""
        return {
            "key": self._key,
            "at": time.time_ns() // 1000,
            "state": self.state,
            "reason": self.reason,
            "facts": self.facts,
        }
