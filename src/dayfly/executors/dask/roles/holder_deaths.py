"""Ends of workers that nobody asked for, as the process hears of them that holds their cluster.

Called by `holder`. The scheduler tells which worker is gone, a nanny in the same process tells of what.
"""

from __future__ import annotations

import logging
import re
import signal
import time
from typing import Any

import distributed

KEPT_DEATHS = 50

_TOLD = re.compile(r"Worker process (\d+) (?:was killed by signal (\d+)|exited with status (\d+))")


class Deaths(logging.Handler):
    """Hears nannies, and publishes `deaths` and, for people, `progress_warning`."""

    def __init__(self, channel: Any) -> None:
        super().__init__(logging.INFO)
        self._channel = channel
        self._names: dict[int, str] = {}
        self._deaths: list[dict[str, Any]] = []
        nannies = logging.getLogger("distributed.nanny")
        nannies.setLevel(logging.INFO)
        nannies.addHandler(self)

    def follow(self, scheduler: Any) -> Any:
        """Return the plugin that learns which process is which worker."""
        for worker in scheduler.workers.values():
            self.learn(worker)
        return _Names(self)

    def learn(self, worker: Any) -> None:
        """Note a worker's process."""
        self._names[int(worker.pid)] = f"worker-{worker.name}"

    def emit(self, record: logging.LogRecord) -> None:
        """Take the end of a worker from what its nanny logs."""
        found = _TOLD.search(record.getMessage())
        if found is None:
            return
        pid, number, status = (int(part or 0) for part in found.groups())
        role = self._names.pop(pid, f"process {pid}")
        code = -number if number else status
        restarts = sum(one["role"] == role for one in self._deaths)
        how = f"was killed by {_name_of(number)} ({number})" if number else f"ended with exit code {status}"
        told = f"{role} {how}"
        self._deaths.append({"role": role, "at": time.time(), "exit_code": code, "restarts": restarts, "told": told})
        try:
            self._channel.publish("deaths", self._deaths[-KEPT_DEATHS:])
            self._channel.publish("progress_warning", f"{told}; its nanny makes it anew")
        except OSError:
            pass  # the supervisor is gone, and the kernel ends this process


class _Names(distributed.SchedulerPlugin):
    name = "dayfly-names"

    def __init__(self, deaths: Deaths) -> None:
        self._deaths = deaths

    def add_worker(self, scheduler: Any, worker: str) -> None:
        self._deaths.learn(scheduler.workers[worker])


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal"
