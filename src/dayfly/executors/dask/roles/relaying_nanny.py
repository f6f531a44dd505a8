"""What Dayfly adds to a nanny in a pod: which of its processes have ended, and whether for their memory.

Loaded by `--preload-nanny`, for each nanny of a process. Kubernetes does not see a worker die
whose nanny lives on: the nanny does, and the kernel counts whom it has killed for the pod's memory. The nanny has its
worker load the same, which tells what it cannot spill.
"""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

import distributed
from distributed.core import Status

from . import carried, holding, spilling, telling

KEPT_DEATHS = 20

COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""Where the kernel counts, `oom_kill N`: of the second generation of control groups, and of the first."""

_ENDED = re.compile(r"Worker process (\d+) (?:was killed by (?:signal (\d+)|unknown signal)|exited with status (\d+))")
_OUTGROWN = re.compile(r"\(pid=(\d+)\) exceeded \d+% memory budget")

UNKNOWN_SIGNAL = 255


def dask_setup(node: Any) -> None:
    """Begin to hear this nanny, or worker."""
    if isinstance(node, distributed.Nanny):
        _hear(node)
        _have_loaded(node)
    else:
        spilling.tell_failures(node)


def _hear(nanny: Any) -> None:
    logger = logging.getLogger("distributed.nanny")
    deaths = next((one for one in logger.handlers if isinstance(one, Deaths)), None)
    if deaths is None:
        deaths = Deaths(telling.Teller())
        logger.addHandler(deaths)
    deaths.nannies.append(nanny)


def _have_loaded(nanny: Any) -> None:
    """Have the nanny's worker load this, after what else it is to load."""
    named, words = nanny.preload or (), nanny.preload_argv or ()
    nanny.preload = [*([named] if isinstance(named, str) else named), carried.TEXT]
    if words and not isinstance(words[0], str):  # Each has its own.
        nanny.preload_argv = [*words, []]


class Deaths(logging.Handler):
    """Hears what nannies log, and tells of each end that nobody asked for."""

    def __init__(self, teller: telling.Teller) -> None:
        super().__init__(logging.INFO)
        self.nannies: list[Any] = []
        self._teller = teller
        self._told: list[dict[str, Any]] = []
        self._outgrown: dict[int, int] = {}
        self._killed = count_killed()

    def emit(self, record: logging.LogRecord) -> None:
        """Take an end, or that a process is over its limit and about to be ended for it."""
        text = record.getMessage()
        if found := _OUTGROWN.search(text):
            self._outgrown[int(found[1])] = holding.bytes_of(int(found[1]))
        elif found := _ENDED.search(text):
            pid = int(found[1])
            if not self._asked_for(pid):
                self._tell(pid, -int(found[2]) if found[2] else int(found[3] or UNKNOWN_SIGNAL))

    def _asked_for(self, pid: int) -> bool:
        """Say whether a nanny ends this process by itself: for a restart, or to end."""
        for nanny in self.nannies:
            process = nanny.process
            if process is not None and getattr(process.process, "pid", None) == pid:
                going = nanny.status in (Status.closing, Status.closed, Status.closing_gracefully)
                return going or process.status is Status.stopping
        return False

    def _tell(self, pid: int, exit_code: int) -> None:
        killed, before = count_killed(), self._killed
        self._killed = killed
        out_of_memory = pid in self._outgrown or killed > before
        self._told.append(
            {
                "at": time.time(),
                "exit_code": exit_code,
                "out_of_memory": out_of_memory,
                "held_bytes": self._outgrown.pop(pid, 0),
            }
        )
        told = json.dumps({"ended": len(self._told), "deaths": self._told[-KEPT_DEATHS:]}).encode()
        self._teller.tell("facts", lambda: told)


def count_killed(counters: tuple[str, ...] = COUNTERS) -> int:
    """Return how many processes of this pod the kernel has killed for its memory; 0 where it does not tell."""
    for path in counters:
        try:
            with open(path) as counter:
                found = re.search(r"^oom_kill (\d+)$", counter.read(), re.MULTILINE)
        except OSError:
            continue
        if found:
            return int(found[1])
    return 0
