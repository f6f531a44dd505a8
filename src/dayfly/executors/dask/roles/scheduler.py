"""The scheduler of one cluster: listens on loopback, tells its address, counts what happens, ends when told to.

Called by the fork server in a process of its own. It publishes `dashboard_address` and `scheduler_address` once,
`progress` twice a second at most, only when it has changed, and once more, then `counted`, when the group ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import dask
import distributed
from tornado.ioloop import PeriodicCallback

from . import dashboard, ending

PROGRESS_MILLISECONDS = 500

ASKED_TO_END = 143
"""Exit code after a signal. Only one that a client has shut down leaves with 0."""

log = logging.getLogger("distributed.scheduler")


class Counting(distributed.SchedulerPlugin):
    """Counts tasks over the life of the cluster; those that have been released still count."""

    name = "dayfly-counting"

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.total = 0
        self.done = 0

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        """Count a task when it is first scheduled, and when it has been computed."""
        if start == "released" and finish in ("waiting", "processing", "queued", "no-worker"):
            self.total += 1
        elif start == "processing" and finish in ("memory", "erred"):
            self.done += 1
        elif start == "processing" and finish in ("released", "forgotten"):
            # Its worker died, or nobody wants it any more: it did not finish, and is counted again if it comes back.
            self.total -= 1
        elif start in ("waiting", "queued", "no-worker") and finish in ("released", "forgotten"):
            self.total -= 1

    def tell(self, wanted: int) -> dict[str, int]:
        """Return the figures of this moment."""
        workers = list(self.scheduler.workers.values())
        return {
            "workers": len(workers),
            "wanted": wanted,
            "tasks_total": max(self.total, self.done),
            "tasks_done": self.done,
            "tasks_processing": sum(len(worker.processing) for worker in workers),
            "memory_bytes": sum(worker.metrics.get("memory", 0) for worker in workers),
        }


def run(channel: Any, arguments: dict[str, Any]) -> int:
    """Be the scheduler; return 0 if a client has shut it down. `arguments`: `wanted` workers, `notes` for the log,
    `dashboard_prefix`, the path below which the dashboard's pages are asked for."""
    for note in arguments.get("notes", ()):
        log.warning("%s", note)
    return asyncio.run(_serve(channel, arguments))


async def _serve(channel: Any, arguments: dict[str, Any]) -> int:
    # The routes are kept to health until somebody opens the dashboard: the others import Bokeh, which takes a second.
    with dask.config.set({"distributed.scheduler.http.routes": ["distributed.http.health"]}):
        scheduler = distributed.Scheduler(host="127.0.0.1", port=0, dashboard=False, dashboard_address="127.0.0.1:0")
        stopped = ending.on_signal()
        await scheduler
    counting = Counting(scheduler)
    scheduler.add_plugin(counting)
    pages = dashboard.Dashboard(scheduler, str(arguments.get("dashboard_prefix", "")))
    channel.publish("dashboard_address", pages.address)
    channel.publish("scheduler_address", scheduler.address)
    tell = _teller(channel, counting, int(arguments["wanted"]))
    telling = PeriodicCallback(tell, PROGRESS_MILLISECONDS)
    telling.start()
    asyncio.get_running_loop().add_reader(channel.fileno(), _listener(channel, tell))
    try:
        await ending.first_of(scheduler.finished(), stopped.wait())
    finally:
        telling.stop()
        tell()
        await scheduler.close(reason="the cluster ends")
    return ASKED_TO_END if stopped.is_set() else 0


def _teller(channel: Any, counting: Counting, wanted: int) -> Any:
    told: dict[str, int] = {}

    def tell() -> None:
        now = counting.tell(wanted)
        # Memory never stands quite still; a change of less than 16 MiB is none.
        rounded = now | {"memory_bytes": now["memory_bytes"] >> 24}
        if rounded != told:
            told.update(rounded)
            channel.publish("progress", now)

    return tell


def _listener(channel: Any, tell: Any) -> Any:
    """Return what hears that the group ends, and then tells the last figures."""

    def listen() -> None:
        try:
            ending = "ending" in channel.facts
        except ConnectionError:
            ending = True  # the supervisor is gone, and the kernel ends this process
        if ending:
            asyncio.get_running_loop().remove_reader(channel.fileno())
            with contextlib.suppress(OSError):
                tell()
                channel.publish("counted")

    return listen
