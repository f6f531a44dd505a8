"""The log of one role at home, with the moments at which its lines were written, and within its limit.

Called by `log_keeping`. Moments are looks as `ports.attempt_logs.Mark` has them, in `<role>.times` beside the log: each
is microseconds since the epoch and the log's size then, eight bytes each, big-endian. They are exact, since the kubelet
stamps every line. By the last one a later platform knows where to go on.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from pathlib import Path

SUFFIX = ".times"

ENTRY = struct.Struct(">QQ")

SPACING_MICROS, SPACED_LOOKS = 1000, 10_000
"""Lines that follow each other within a millisecond have one moment; after so many moments within two, and so on."""

TAIL_SHARE = 4
"""One part in so many of the limit is kept for the end of a log that outgrows it."""

MAX_TAIL_BYTES = 256 * 1024
"""Held in memory, of each log that has outgrown its limit."""


class TimedLog:
    """One log, which several containers may write, one after the other; `max_bytes` of 0 is no limit.

    Of a longer log the beginning is kept, and, once its container has ended, the end, with what was left out between.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._times = path, path.with_suffix(SUFFIX)
        tail_bytes = min(MAX_TAIL_BYTES, max_bytes // TAIL_SHARE)
        self._head_bytes = max_bytes - tail_bytes if max_bytes else 0
        self._tail, self._tail_bytes = deque[bytes](), tail_bytes
        self._held_bytes = self._dropped_bytes = self._dropped_lines = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self.begins_micros, size = _last_look(self._times, path)
        """Lines before this moment are there already; 0 where none is."""
        with path.open("ab") as file:
            file.truncate(size)
        self._size, self._look_micros, self._looks = size, self.begins_micros, 0
        self._there = True
        self._written = -1  # the file's descriptor, from its first line to the end of its container

    def add(self, line: bytes, at_micros: int) -> None:
        """Append a line, unless an earlier platform has. Raises `OSError`."""
        if self._there and at_micros < self.begins_micros:
            return
        self._there = False  # Later lines may say that they are older: clocks are set.
        raw = line + b"\n"
        if self._head_bytes and (self._held_bytes or self._size + len(raw) > self._head_bytes):
            self._hold(raw)
            return
        self._write(raw, at_micros)

    def end(self) -> None:
        """A container has ended: write what was held of its end. Raises `OSError`."""
        if self._dropped_lines:
            size = f"{self._dropped_bytes / 2**20:.1f} MiB"
            note = f"[{self._dropped_lines} lines, {size}, are left out: this log is longer than the platform keeps.]\n"
            self._write(note.encode(), self._look_micros)
        if self._tail:
            self._write(b"".join(self._tail), self._look_micros)
            self._tail.clear()
        self._held_bytes = self._dropped_bytes = self._dropped_lines = 0
        self.close()

    def close(self) -> None:
        """Let go of the file; another line opens it again."""
        if self._written >= 0:
            os.close(self._written)
            self._written = -1

    def _hold(self, raw: bytes) -> None:
        self._tail.append(raw)
        self._held_bytes += len(raw)
        while self._held_bytes > self._tail_bytes and self._tail:
            dropped = self._tail.popleft()
            self._held_bytes -= len(dropped)
            self._dropped_bytes += len(dropped)
            self._dropped_lines += 1

    def _write(self, raw: bytes, at_micros: int) -> None:
        if at_micros - self._look_micros >= SPACING_MICROS * (1 + self._looks // SPACED_LOOKS):
            # The moment first: a line without one would be taken for as old as the one before.
            looks = _open(self._times)
            try:
                os.write(looks, ENTRY.pack(at_micros, self._size))
            finally:
                os.close(looks)
            self._look_micros, self._looks = at_micros, self._looks + 1
        if self._written < 0:
            self._written = _open(self._path)
        self._size += os.write(self._written, raw)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


def _last_look(times: Path, log: Path) -> tuple[int, int]:
    """Return the last moment that is known and the size of the log then; zeros where the log is to begin anew."""
    try:
        raw = times.read_bytes()
        size = log.stat().st_size
    except OSError:
        raw, size = b"", 0
    for start in range(len(raw) - len(raw) % ENTRY.size - ENTRY.size, -1, -ENTRY.size):
        at, then = ENTRY.unpack_from(raw, start)
        if then <= size:
            os.truncate(times, start + ENTRY.size)
            return at, then
    times.unlink(missing_ok=True)
    return 0, 0
