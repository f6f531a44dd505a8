"""The scheduler of one cluster: listens on loopback, tells its address, records what happens, ends when told to.

Called by the fork server in a process of its own. It publishes `dashboard_address` and `scheduler_address` once,
`progress` twice a second at most, only when it has changed, and once more, then `counted`, when the group ends. Before
that it says in `last_words_within` how many seconds its reports may take, if there are any, and at last in `last_words`
which it has made. Where the number of workers follows the work, `wanted_roles` names those that are to run.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import resource
from collections.abc import Callable
from typing import Any

import dask
import distributed
from tornado.ioloop import PeriodicCallback

from . import collecting, dashboard, ending, recording, reporting, scaling, standing_by

PROGRESS_MILLISECONDS = 500

FRAME_MILLISECONDS = 1000

log = logging.getLogger("distributed.scheduler")


def run(channel: Any, arguments: dict[str, Any]) -> int:
    """Be the scheduler; return 0 only if a client has shut it down. `arguments`: `wanted` workers, `notes` for the log,
    `dashboard_prefix`, the path below which the dashboard's pages are asked for, `record`, the flight record's file,
    `reports`, the folder of Dask's own reports, `idle_timeout_seconds`, after which it ends without work, `scaled`, the
    groups whose number follows the work: `name`, `roles`, how many have `begun`, and the `minimum`; or only that it is
    `standing` by: what it records and tells then begins when the cluster is given to an attempt."""
    collecting.seldom()
    return asyncio.run(_serve(channel, arguments))


async def _serve(channel: Any, arguments: dict[str, Any]) -> int:
    # The routes are kept to health until somebody opens the dashboard: the others import Bokeh, which takes a second.
    with dask.config.set({"distributed.scheduler.http.routes": ["distributed.http.health"]}):
        scheduler = distributed.Scheduler(
            host="127.0.0.1",
            port=0,
            dashboard=False,
            dashboard_address="127.0.0.1:0",
            idle_timeout=arguments.get("idle_timeout_seconds") or None,
        )
        stopped = ending.on_signal()
        await scheduler
    flight = Flight(channel, scheduler)
    if arguments.get("standing"):
        standing_by.when_taken_over(channel, flight.begin)
    else:
        flight.begin(arguments)
    channel.publish("scheduler_address", scheduler.address)
    try:
        await ending.first_of(scheduler.finished(), stopped.wait())
    finally:
        flight.end()
        await scheduler.close(reason="the cluster ends")
    return ending.ASKED_TO_END if stopped.is_set() else 0


class Flight:
    """What is recorded and told of the cluster while an attempt has it."""

    def __init__(self, channel: Any, scheduler: Any) -> None:
        self._channel, self._scheduler = channel, scheduler
        self._at_end: list[Any] = []

    def begin(self, arguments: dict[str, Any]) -> None:
        """Record, tell, and hear of the end from now on; workers that are there already join now."""
        for note in arguments.get("notes", ()):
            log.warning("%s", note)
        recorder = recording.Recorder(self._scheduler)
        self._scheduler.add_plugin(recorder)
        for worker in self._scheduler.workers:
            recorder.add_worker(self._scheduler, worker)
        recorded = recording.Recording(recorder, arguments["record"])
        reporter = reporting.Reporter(recorder, functools.partial(reporting.write, arguments["reports"]))
        pages = dashboard.Dashboard(self._scheduler, str(arguments.get("dashboard_prefix", "")))
        self._channel.publish("dashboard_address", pages.address)
        groups = [scaling.Group(**group) for group in arguments.get("scaled", ())]
        publish = functools.partial(self._channel.publish, "wanted_roles")
        scaled = scaling.Scaling(self._scheduler, groups, publish, recorder.note)
        fixed = int(arguments["wanted"]) - scaled.wanted
        tell = _teller(self._channel, recorder, lambda: fixed + scaled.wanted)
        repeated = [PeriodicCallback(tell, PROGRESS_MILLISECONDS), PeriodicCallback(recorded.write, FRAME_MILLISECONDS)]
        if groups:
            repeated.append(PeriodicCallback(scaled.look, 1000 * scaling.interval_seconds()))
        for one in repeated:
            one.start()
        self._at_end = [*(one.stop for one in repeated), tell, recorded.close]
        listen = _listener(self._channel, tell, recorded, reporter)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._channel.fileno(), listen)
        loop.call_soon(listen)  # the end may have been told with what is begun with here

    def end(self) -> None:
        """Tell the last figures and write what is left."""
        for act in self._at_end:
            act()


def _teller(channel: Any, recorder: recording.Recorder, wanted: Callable[[], int]) -> Any:
    told: dict[str, Any] = {}

    def tell() -> None:
        if told.get("warning", "") != recorder.warning:
            channel.publish("progress_warning", recorder.warning)
        now = recorder.tell(wanted())
        # Memory never stands quite still; a change of less than 16 MiB is none.
        rounded = {**now, "memory_bytes": now["memory_bytes"] >> 24, "warning": recorder.warning}
        if rounded != told:
            told.update(rounded)
            channel.publish("progress", now)

    return tell


def _listener(channel: Any, tell: Any, recorded: recording.Recording, reporter: reporting.Reporter) -> Any:
    """Return what hears that the group ends, and then tells the last figures and makes the reports."""
    recorder = recorded.recorder
    made: set[asyncio.Task[None]] = set()  # The loop itself holds tasks weakly.

    def listen() -> None:
        try:
            facts = channel.facts
        except ConnectionError:
            facts = {"ending": ""}  # the supervisor is gone, and the kernel ends this process
        if "ending" in facts:
            asyncio.get_running_loop().remove_reader(channel.fileno())
            recorder.note_roles(_held(channel.role, facts.get("held", {})))
            if facts["ending"] == "stopped":
                recorder.note_unfinished()
            recorded.write()
            allowed = reporter.allowance(facts["ending"])
            with contextlib.suppress(OSError):
                tell()
                if allowed:
                    channel.publish("last_words_within", allowed)
                    made.add(asyncio.ensure_future(_report(channel, reporter)))
                channel.publish("counted")

    return listen


async def _report(channel: Any, reporter: reporting.Reporter) -> None:
    made = await reporter.make()
    with contextlib.suppress(OSError):
        channel.publish("last_words", made)


def _held(own: str, told: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Return the highest memory and limit, in bytes, of each role that the supervisor knows, and of this process: the
    supervisor looks at a living one only where it has a limit."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {name: (max(held, peak) if name == own else held, limit) for name, (held, limit) in told.items()}
