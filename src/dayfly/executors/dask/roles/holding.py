"""What processes of a pod hold of its memory. Standard library only."""

from __future__ import annotations

import os
import re

FIRST = 1
"""Id of a pod's first process: where it unpacks code, the role's own is a child of it."""


def bytes_of(pid: int, *, peak: bool = False) -> int:
    """Return what a process holds, or has held at most; 0 where that cannot be read."""
    try:
        with open(f"/proc/{pid}/status") as status:
            found = re.search(rf"Vm{'HWM' if peak else 'RSS'}:\s+(\d+) kB", status.read())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def peak_of_pod() -> int:
    """Return what this process has held at most, and the pod's first process: both count towards the pod's limit."""
    return sum(bytes_of(pid, peak=True) for pid in {os.getpid(), FIRST})
