"""Looks at a growing log, written down: at that moment it had so many bytes. From them is told when plain lines came.

The supervisor looks at the logs of its roles whenever it is awake. A look that finds a log grown is added to
`<role>.times` beside it, and so is the last one that had not: each is microseconds since the epoch and the log's size,
eight bytes each, big-endian. Standard library only.
"""

from __future__ import annotations

import os
import struct

SUFFIX = ".times"

ENTRY = struct.Struct(">QQ")

FIRST_LOOKS = 512
FIRST_SECONDS = 0.02
"""So many looks may follow each other so soon: most happens at the beginning."""

LATER_SECONDS = 0.25
LATER_LOOKS = 4096
"""After so many more, looks become rarer, each time by as much: the entries of a week are a few megabytes."""


class Looks:
    """The looks at one log."""

    def __init__(self, log: str) -> None:
        self.log = log
        self.times = os.path.splitext(log)[0] + SUFFIX
        self._size = -1
        self._seen_micros = 0  # of the last look that found it as it was, 0 if that is noted
        self._count = 0
        self._next_at = 0.0

    def look(self, now: float, wall_micros: int) -> None:
        """Look, unless it is too soon. `now` is the monotonic time; a full disk loses looks and nothing else."""
        if now < self._next_at:
            return
        try:
            size = os.stat(self.log).st_size
        except OSError:
            size = 0  # not begun: the first line cannot be older than this
        if size == self._size:
            self._seen_micros = wall_micros
            return
        entries = ENTRY.pack(self._seen_micros, self._size) if self._seen_micros else b""
        entries += ENTRY.pack(wall_micros, size)
        self._size, self._seen_micros = size, 0
        self._count += 1
        self._next_at = now + spacing_seconds(self._count)
        try:
            written = os.open(self.times, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                os.write(written, entries)
            finally:
                os.close(written)
        except OSError:
            pass


def spacing_seconds(count: int) -> float:
    """Return how long the next look waits after so many."""
    return FIRST_SECONDS if count <= FIRST_LOOKS else LATER_SECONDS * (1 + (count - FIRST_LOOKS) // LATER_LOOKS)
