"""Dask's own reports of a cluster, made when it ends: its performance report, and a dump of the state it ended in.

Nothing of them is made while the task runs; of the last tasks the recorder keeps all that it is told. They are made by
this process when the driver is gone, and may take no more than a share of the time that the cluster has lived. One
in which something went wrong gets more. What is too large, or not ready in time, is left out.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import time
from typing import Any

import msgpack
from distributed.diagnostics.task_stream import TaskStreamPlugin

PERFORMANCE, STATE = "performance.html", "state.msgpack.gz"
"""Files, beside the flight record."""

SHARE = 0.05
"""Of the cluster's life that its reports may take."""

LEAST_SECONDS, MOST_SECONDS = 0.5, 5.0
"""In less no report can be made; more is not waited for."""

TROUBLED_SECONDS = 3.0
"""What the reports of a cluster in which something went wrong may take at least."""

VARIABLE = "DAYFLY_REPORT_SECONDS"
"""Of the task's environment: what reports may take, whatever the rules; 0 for none."""

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
    """Makes the reports of one cluster in `folder`, with what its recorder knows of the last tasks."""

    def __init__(self, recorder: Any, folder: str) -> None:
        self._recorder, self._scheduler, self._folder = recorder, recorder.scheduler, folder
        self._began = time.time()

    def allowance(self, ending: str) -> float:
        """Return how many seconds the reports may take, 0 for none."""
        if ending not in ENDINGS:
            return 0.0
        if (asked := _asked()) is not None:
            return asked
        share = min(SHARE * (time.time() - self._began), MOST_SECONDS)
        allowed = max(share, TROUBLED_SECONDS) if self._recorder.troubled else share
        return allowed if allowed >= LEAST_SECONDS else 0.0

    async def make(self) -> list[str]:
        """Return the names of the files that were made. What cannot be made is said in the log."""
        made = []
        for name, build in ((STATE, self._build_state), (PERFORMANCE, self._build_performance)):
            try:
                raw = await build()
            except Exception as error:  # noqa: BLE001  Dask's and Bokeh's own: whatever is wrong, the cluster ends.
                log.warning("There is no %s of this cluster: %r", name, error)
                continue
            if 0 < len(raw) <= MAX_BYTES:
                await asyncio.to_thread(self._write, name, raw)
                made.append(name)
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

    def _write(self, name: str, raw: bytes) -> None:
        path = os.path.join(self._folder, name)
        with open(f"{path}.new", "wb") as file:
            file.write(raw)
        os.replace(f"{path}.new", path)


def _asked() -> float | None:
    """Return what the task's environment says, None where it says nothing, or nothing that can be read."""
    told = os.environ.get(VARIABLE, "")
    try:
        asked = float(told)
    except ValueError:
        if told:
            log.warning("%s=%s is not a number of seconds, and is passed over", VARIABLE, told)
        return None
    return max(0.0, asked)
