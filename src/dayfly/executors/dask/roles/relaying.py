"""What Dayfly adds to a scheduler that is a pod: its flight record, its figures, its dashboard.

Loaded by `dask scheduler --preload` (`relay.carrying` brings the modules there). All of it is told on standard output
(`telling`): frames of the record as kind `frame`, and as kind `facts` what a scheduler of one host publishes; all of
that each time, when it has changed and now and then. At the end, as kind `report`, Dask's own reports, each after its
name. Whatever is wrong here, the cluster goes on without.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import os
import time
import zlib
from typing import Any

import dask
import distributed
from distributed import preloading
from tornado.ioloop import PeriodicCallback

from . import dashboard, differing, holding, recording, recording_frames, reporting, scaling, settling, telling

ARGUMENTS = "DAYFLY_RELAY"
"""Variable: what this scheduler is told, as JSON: `wanted` workers, `notes` for the log, `dashboard_prefix`, `scaled`
groups as for `scheduler`, and its `memory_limit_bytes`."""

PROGRESS_MILLISECONDS, FRAME_MILLISECONDS = 500, 1000

AGAIN_SECONDS = 10.0
"""Facts are told again after so long, and names of what frames number: who comes later has missed them."""

PEAK_STEP_BYTES = 16 * 2**20
"""A peak that is higher by less is not told."""

LAST_SECONDS = 5.0
"""What telling the end may take."""

MOST_TOLD_BYTES = 3 * 2**20
"""Of a report, compressed: kubelets keep 10 MiB of a log, and nothing else of it may be lost for a report."""

log = logging.getLogger("distributed.scheduler")


async def dask_setup(scheduler: Any) -> None:
    """Begin, and load what the configuration would have loaded if not for this."""
    scheduler.dayfly_relay = relay = Relay(scheduler)
    try:
        relay.begin(json.loads(os.environ.get(ARGUMENTS, "{}")))
    except Exception:
        log.exception("There is no flight record of this cluster")
    config = dask.config.get
    named, words = config("distributed.scheduler.preload", ()), config("distributed.scheduler.preload-argv", ())
    relay.others = preloading.process_preloads(scheduler, named, words)
    await _each(relay.others, "start")


async def dask_teardown(scheduler: Any) -> None:
    """Tell the end."""
    await scheduler.dayfly_relay.end()
    await _each(scheduler.dayfly_relay.others, "teardown")


class Relay:
    """The recorder of one scheduler at work, and what it tells."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self.others: Any = ()
        """What the configuration would have it load."""
        self._teller: telling.Teller | None = None
        self._repeated: list[PeriodicCallback] = []
        self._published: dict[str, Any] = {}
        self._facts: dict[str, Any] = {}
        self._facts_told = self._names_told = 0.0
        self._names: dict[int, str] = {}
        self._lost = 0
        self._peak = 0

    def begin(self, arguments: dict[str, Any]) -> None:
        """Record and tell from now on; workers that are there already join now."""
        for note in arguments.get("notes", ()):
            log.warning("%s", note)
        self._limit = int(arguments.get("memory_limit_bytes", 0))
        self._recorder = recorder = recording.Recorder(self._scheduler)
        self._scheduler.add_plugin(recorder)
        self._reporter = reporting.Reporter(recorder, self._tell_report)
        self._settling = settling.Settling(self._scheduler)
        self._clients = Clients(recorder, self._settling)
        self._scheduler.add_plugin(self._clients)
        for worker in self._scheduler.workers:
            recorder.add_worker(self._scheduler, worker)
        self._teller = telling.Teller()
        dashboard.Dashboard(self._scheduler, str(arguments.get("dashboard_prefix", "")))
        groups = [scaling.Group(**group) for group in arguments.get("scaled", ())]
        publish = functools.partial(self._published.__setitem__, "wanted_roles")
        self._scaled = scaling.Scaling(self._scheduler, groups, publish, recorder.note)
        self._fixed = int(arguments.get("wanted", 0)) - self._scaled.wanted
        self._repeated = [
            PeriodicCallback(self._tell_facts, PROGRESS_MILLISECONDS),
            PeriodicCallback(self._tell_frame, FRAME_MILLISECONDS),
        ]
        if groups:
            self._repeated.append(PeriodicCallback(self._scaled.look, 1000 * scaling.interval_seconds()))
        for one in self._repeated:
            one.start()

    async def end(self) -> None:
        """Tell the last figures, and what was not finished; then, once the driver has gone, Dask's own reports."""
        for one in self._repeated:
            one.stop()
        if self._teller is None or not self._repeated:
            return
        self._settling.end()
        self._recorder.note_unfinished()
        self._tell_frame(last=True)
        self._facts = {}
        self._tell_facts()
        # While the driver is there, somebody stops the cluster, and wants it gone.
        allowed = self._reporter.allowance(reporting.ENDINGS[0]) if self._clients.have_gone(self._scheduler) else 0.0
        if allowed:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._reporter.make(), allowed)
        self._teller.close(LAST_SECONDS)

    def _tell_report(self, name: str, raw: bytes) -> None:
        """Have a report told. Raise `ValueError` for one that is too large to be."""
        size = len(zlib.compress(raw, 1))
        if size > MOST_TOLD_BYTES:
            raise ValueError(f"it has {size >> 20} MiB, compressed, and {MOST_TOLD_BYTES >> 20} can be told")
        if self._teller is not None:
            self._teller.tell("report", lambda: name.encode() + b"\n" + raw)

    def _tell_facts(self) -> None:
        now = self._recorder.tell(self._fixed + self._scaled.wanted)
        # Memory never stands quite still; a change of less than 16 MiB is none.
        rounded = {"progress": {**now, "memory_bytes": now["memory_bytes"] >> 24}, **self._told()}
        if rounded == self._facts and time.monotonic() - self._facts_told < AGAIN_SECONDS:
            return
        told = json.dumps({"progress": now, **self._told()}).encode()
        if self._teller is not None and self._teller.tell("facts", lambda: told):
            self._facts, self._facts_told = rounded, time.monotonic()

    def _told(self) -> dict[str, Any]:
        return {"dashboard": True, "progress_warning": self._recorder.warning, **self._published}

    def _tell_frame(self, *, last: bool = False) -> None:
        self._note_memory(last)
        frame = self._recorder.take_frame(time.time())
        self._names.update(frame.get("names", {}))
        if len(frame) == 1:
            return
        named = time.monotonic()
        if named - self._names_told >= AGAIN_SECONDS:
            frame["names"] = dict(self._names)
        if self._lost:
            frame["frames_dropped"] = self._lost
        if self._teller is None or not self._teller.tell("frame", functools.partial(recording_frames.pack, frame)):
            self._lost, self._names_told = self._lost + 1, 0.0
            return
        self._lost = 0
        if "names" in frame and len(frame["names"]) == len(self._names):
            self._names_told = named

    def _note_memory(self, last: bool) -> None:
        """Have the record tell how much this process has held: it may be killed without a last word."""
        peak = holding.peak_of_pod()
        if last or peak - self._peak >= PEAK_STEP_BYTES:
            self._peak = peak
            self._recorder.note_roles({"scheduler": (peak, self._limit)})


class Clients(distributed.SchedulerPlugin):
    """Knows whether the driver is there, and notes whether it has other versions than the scheduler, as the recorder
    does of workers."""

    name = "dayfly-clients"

    def __init__(self, recorder: recording.Recorder, settling: settling.Settling) -> None:
        self._recorder, self._settling = recorder, settling
        self._noted = self._joined = False

    def have_gone(self, scheduler: Any) -> bool:
        """Say whether the driver was there, and is no more."""
        return self._joined and not any(_is_driver(client) for client in scheduler.clients)

    def add_client(self, scheduler: Any, client: str) -> None:
        """Look at a client that joins; tasks that have become clients are told as the workers that they run on."""
        if not _is_driver(client):
            return
        self._joined = True
        self._settling.begin()
        differ = differing.find(getattr(scheduler.clients.get(client), "versions", None))
        if differ and not self._noted:
            self._noted = True
            self._recorder.note("versions-differ", worker="driver", differ=differ)


def _is_driver(client: str) -> bool:
    return not client.startswith(("Client-worker", "fire-and-forget"))


async def _each(loaded: Any, what: str) -> None:
    for one in loaded:
        with contextlib.suppress(AttributeError):
            await getattr(one, what)()
