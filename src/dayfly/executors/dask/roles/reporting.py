"""Dask's own reports of a cluster, made when it ends: its performance report, and a dump of the state it ended in.

Nothing of them is made while the task runs; of the last tasks the recorder keeps all that it is told. They are made by
this process when the driver is gone, and may take no more than a share of the time that the cluster has lived. One
in which something went wrong gets more. What is too large, or not ready in time, is left out. Where they are kept,
whoever runs this says: beside the flight record, or told on standard output.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import time
from collections.abc import Callable
from typing import Any

import msgpack
from distributed.diagnostics.task_stream import TaskStreamPlugin

from . import reporting_time

PERFORMANCE, STATE = "performance.html", "state.msgpack.gz"
"""Files, beside the flight record."""

ENDINGS = ("exited", "oom")
"""Ends of a group that reports are made of: who stops one wants it gone."""

DUMPED_TASKS = 5_000
"""A scheduler that still has more tasks is not dumped."""

UNDUMPED = ("run_spec", "transition_log", "stimulus_log", "log")
"""Left out of a dump: what tasks are called with, which is the user's own, and what the flight record tells better."""

MAX_BYTES = 32 * 1024 * 1024
"""A larger report is left out."""

log = logging.getLogger("distributed.scheduler")


class Reporter:
    """Makes the reports of one cluster, with what its recorder knows of the last tasks. `keep` is given each by its
    name, on a thread."""

    def __init__(self, recorder: Any, keep: Callable[[str, bytes], None]) -> None:
        self._recorder, self._scheduler, self._keep = recorder, recorder.scheduler, keep
        self._began = time.time()

    def allowance(self, ending: str) -> float:
        """Return how many seconds the reports may take, 0 for none."""
        if ending not in ENDINGS:
            return 0.0
        lived = time.time() - self._began
        return reporting_time.allow(
            lived, os.environ.get(reporting_time.VARIABLE, ""), troubled=self._recorder.troubled
        )

    async def make(self) -> list[str]:
        """Return the names of the reports that were made. What cannot be made is said in the log."""
        made = []
        for name, build in ((STATE, self._build_state), (PERFORMANCE, self._build_performance)):
            try:
                raw = await build()
                if 0 < len(raw) <= MAX_BYTES:
                    await asyncio.to_thread(self._keep, name, raw)
                    made.append(name)
            except Exception as error:  # noqa: BLE001  Dask's and Bokeh's own: whatever is wrong, the cluster ends.
                log.warning("There is no %s of this cluster: %r", name, error)
        return made

    async def _build_performance(self) -> bytes:
        # Dask would note every task in a plugin of its own, which costs as much again as the recorder.
        if TaskStreamPlugin.name not in self._scheduler.plugins:
            stream = TaskStreamPlugin(self._scheduler)
            stream.buffer.extend(self._recorder.list_last())
            stream.index = len(stream.buffer)
            self._scheduler.add_plugin(stream)
        # With what it needs of Bokeh inside, so that it can be read wherever it is copied to.
        page = await self._scheduler.performance_report(start=self._began, last_count=0, mode="inline")
        return str(page).encode()

    async def _build_state(self) -> bytes:
        if len(self._scheduler.tasks) > DUMPED_TASKS:
            return b""
        state = await self._scheduler.get_cluster_state(exclude=UNDUMPED)
        return gzip.compress(msgpack.packb(state, default=repr), compresslevel=1)


def write(folder: str, name: str, raw: bytes) -> None:
    """Keep a report in a folder."""
    path = os.path.join(folder, name)
    with open(f"{path}.new", "wb") as file:
        file.write(raw)
    os.replace(f"{path}.new", path)
