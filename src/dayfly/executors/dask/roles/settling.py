"""Says of a pod's scheduler whether it ends as it was told to: its own task has shut it down, or had no work for it.

Its exit code does not: `dask scheduler` ends with 0 also where a signal asks it to. So it is written where Kubernetes
keeps it with the container's end, which whoever looks later finds too. Called by `relaying`.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

ASKED = "dayfly: the scheduler ended as it was told to"

PLACE = "/dev/termination-log"
"""What is written there is a container's last word (`terminationMessagePath`)."""

SIGNAL = "signal-"
"""How the reason begins that `dask scheduler` gives for an end by a signal (distributed/cli/dask_scheduler.py)."""


class Settling:
    """The end of one scheduler. Until the task's first client is there it is not idle: the task is still to begin."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self._began = self._signalled = False
        self._idle_timeout, scheduler.idle_timeout = scheduler.idle_timeout, None
        self._close, scheduler.close = scheduler.close, self._note_why

    def begin(self) -> None:
        """Note that the task's client is there: from now on it may be idle."""
        if not self._began:
            self._began = True
            self._scheduler.idle_since, self._scheduler.idle_timeout = None, self._idle_timeout

    def end(self) -> None:
        """Write down that it ends as it was told to, if it does."""
        if self._began and not self._signalled:
            with contextlib.suppress(OSError), open(os.open(PLACE, os.O_WRONLY | os.O_TRUNC), "w") as place:
                place.write(ASKED)

    def _note_why(self, *args: Any, **named: Any) -> Any:
        self._signalled = self._signalled or str(named.get("reason", "")).startswith(SIGNAL)
        return self._close(*args, **named)
