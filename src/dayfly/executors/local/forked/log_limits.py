"""Keeps a role's log within its limit while it is written: its begin and its end stay, what is between is left out.

The disk of what is left out is given back by making a hole in the file, so that offsets stay what they were for whoever
reads or follows the log; readers pass over holes (`executors.local.log_reading`). Where the file system makes no holes,
what comes behind the beginning is cut off. The supervisor calls it every moment. Standard library only.
"""

from __future__ import annotations

import os

from . import processes

EDGE_BYTES = 64 * 1024
"""Holes begin and end at multiples: of any file system's block, so that none is made of zeros in between."""

LEAST_BYTES = 8 * EDGE_BYTES
"""The smallest limit that is kept."""


class Limit:
    """The limit of one log; 0 is none."""

    def __init__(self, log: str, max_bytes: int) -> None:
        self._log = log
        self._max_bytes = max(max_bytes, LEAST_BYTES) if max_bytes else 0
        self._begin_bytes = _down(self._max_bytes // 2)
        self._end_bytes = _down(self._max_bytes // 4)
        self._left_out_bytes = 0

    def keep(self) -> None:
        """Look at the log, and make the hole larger where it holds more than it may. A disk that refuses is let be."""
        if not self._max_bytes:
            return
        try:
            size = os.stat(self._log, follow_symlinks=False).st_size
            if size - self._left_out_bytes > self._max_bytes:
                self._leave_out(size)
        except OSError:
            pass

    def _leave_out(self, size: int) -> None:
        start, end = self._begin_bytes, _down(size) - self._end_bytes
        descriptor = os.open(self._log, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            note = tell_limit(self._max_bytes)
            os.pwrite(descriptor, note, start - len(note))
            if processes.punch_hole(descriptor, start, end - start):
                self._left_out_bytes = end - start
            else:
                os.ftruncate(descriptor, start)
        finally:
            os.close(descriptor)


def tell_limit(max_bytes: int) -> bytes:
    """Return the lines that stand where something is left out."""
    size = f"{max_bytes / 2**20:g} MiB"
    return f"\n[This log has outgrown {size}: what comes here is left out. Its end follows.]\n".encode()


def _down(size: int) -> int:
    return size - size % EDGE_BYTES
