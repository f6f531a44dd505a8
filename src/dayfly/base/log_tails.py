"""The end of a log, as it is told with an error."""

from __future__ import annotations

import os
from pathlib import Path


def last_lines(log: Path, most_bytes: int, most_lines: int | None = None) -> str:
    """Return the last whole lines of a file that are no longer than this together; empty if there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most_bytes))
            tail = file.read()
    except OSError:
        return ""
    if size > most_bytes:
        tail = tail.partition(b"\n")[2] or tail  # a line longer than all that is read is better than nothing
    lines = tail.decode(errors="replace").strip("\n").rstrip().split("\n")
    return "\n".join(lines if most_lines is None else lines[-most_lines:])
