"""Holds a cluster object of a class that the settings name: makes it, scales it, watches it, closes it.

Called by the fork server in a process of its own. It publishes what the role `scheduler` does: most such classes run
their scheduler right here. Where it runs elsewhere, its workers are counted from afar, and there is no flight record.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import select
import signal
import sys
import time
import types
from typing import Any

import distributed
from distributed.core import Status

from . import dashboard, holder_deaths, recording

LOOK_SECONDS = 0.25
"""How often the cluster is looked at."""

FRAME_SECONDS = 1.0

SCHEDULER_GONE = 1

log = logging.getLogger("distributed.scheduler")


def run(channel: Any, arguments: dict[str, Any]) -> int:
    """Hold the cluster; return 0 if a client has shut it down. `arguments`: `class`, its `arguments`, how many
    workers are `wanted`, or `minimum` and `maximum` of them, the `quorum`, and as for `scheduler`."""
    # Processes that the class starts are not to run the fork server's own module again.
    sys.modules["__main__"] = types.ModuleType("__main__")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for note in arguments.get("notes", ()):
        log.warning("%s", note)
    channel.publish("last_words_within", arguments["close_seconds"])
    deaths = holder_deaths.Deaths(channel)
    cluster = find_class(arguments["class"])(**arguments["arguments"])
    try:
        if arguments.get("maximum"):
            cluster.adapt(minimum=arguments["minimum"], maximum=arguments["maximum"])
        else:
            cluster.scale(arguments["wanted"])
        scheduler = getattr(cluster, "scheduler", None)
        here = isinstance(scheduler, distributed.Scheduler)
        watched: Any = Here(cluster, scheduler, channel, deaths, arguments) if here else Afar(cluster, arguments)
        channel.publish("scheduler_address", cluster.scheduler_address)
        return _hold(channel, watched, arguments)
    finally:
        with contextlib.suppress(OSError):
            channel.publish("counted")
        cluster.close()
        with contextlib.suppress(OSError):
            channel.publish("last_words", [])


def find_class(name: str) -> Any:
    """Return the class that `module:Class` or `module.Class` names."""
    module, _, attribute = name.rpartition(":" if ":" in name else ".")
    return getattr(importlib.import_module(module), attribute)


class Here:
    """A cluster whose scheduler runs in this process: all is known of it."""

    def __init__(self, cluster: Any, scheduler: Any, channel: Any, deaths: Any, arguments: dict[str, Any]) -> None:
        self._cluster, self._scheduler, self._wanted = cluster, scheduler, int(arguments["wanted"])
        self._recorder = recording.Recorder(scheduler)
        self._recording = recording.Recording(self._recorder, arguments["record"])
        self._written_at = time.monotonic()
        self._call(lambda: [scheduler.add_plugin(self._recorder), scheduler.add_plugin(deaths.follow(scheduler))])
        if getattr(scheduler, "http_server", None) is not None:
            pages = self._call(lambda: dashboard.Dashboard(scheduler, str(arguments.get("dashboard_prefix", ""))))
            channel.publish("dashboard_address", pages.address)

    @property
    def over(self) -> int | None:
        """Return the exit code, once a client has shut the cluster down; None while it lives."""
        return 0 if self._scheduler.status in (Status.closing, Status.closed) else None

    def look(self) -> dict[str, int]:
        """Return the figures of this moment; write a frame when it is time."""
        return self._call(self._look)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Write what is left."""
        self._call(self._recording.close)

    def _look(self) -> dict[str, int]:
        if time.monotonic() - self._written_at >= FRAME_SECONDS:
            self._written_at = time.monotonic()
            self._recording.write()
        return self._recorder.tell(self._wanted)

    def _call(self, function: Any) -> Any:
        """Call on the scheduler's own thread: it is not made for others."""

        async def call() -> Any:
            return function()

        return self._cluster.sync(call)


class Afar:
    """A cluster whose scheduler runs elsewhere."""

    def __init__(self, cluster: Any, arguments: dict[str, Any]) -> None:
        self._cluster, self._wanted = cluster, int(arguments["wanted"])
        self.over: int | None = None
        """The exit code, once the scheduler is gone."""

    def look(self) -> dict[str, int]:
        """Return what is known from afar."""
        try:
            known = self._cluster.sync(self._cluster.scheduler_comm.identity)["workers"]
        except OSError as error:
            log.error("The scheduler cannot be reached any more: %s", error)
            self.over = SCHEDULER_GONE
            known = {}
        memory = sum(int(each.get("metrics", {}).get("memory", 0)) for each in known.values())
        unknown = dict.fromkeys(("tasks_total", "tasks_done", "tasks_processing"), 0)
        return {"workers": len(known), "wanted": self._wanted, "memory_bytes": memory, **unknown}

    def close(self) -> None:
        """Nothing is kept."""


def _hold(channel: Any, watched: Any, arguments: dict[str, Any]) -> int:
    told: dict[str, int] = {}
    ready = False
    try:
        while watched.over is None:
            now = watched.look()
            # Memory never stands quite still; a change of less than 16 MiB is none.
            rounded = {**now, "memory_bytes": now["memory_bytes"] >> 24}
            if rounded != told:
                told = rounded
                channel.publish("progress", now)
            if not ready and now["workers"] >= int(arguments["quorum"]):
                ready = True
                channel.publish("ready")
            select.select([channel.fileno()], [], [], LOOK_SECONDS)
            if "ending" in channel.facts:
                channel.publish("progress", watched.look())
                return 0
    finally:
        watched.close()
    return int(watched.over)
