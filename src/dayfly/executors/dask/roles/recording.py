"""The flight recorder of a cluster: what happens in it, second by second, in a file that outlives every process.

A scheduler plugin that notes and a writer that appends one frame a second, so that whoever dies takes at most the last
second along. `recording_frames` says what a frame holds.

Dask calls `transition` four to six times for each task, so it does next to nothing: of a finished task it notes a few
values while they are at hand, and a frame's columns are made of them once a second. To keep what the scheduler was told
as it is would be a line less, and dearer: so much memory is out of every cache when it is read and given back, and the
garbage collector goes through it. Everything else is read from counters that the scheduler keeps.
"""

from __future__ import annotations

import logging
import pickle
import time
from typing import Any

import distributed

from . import differing, stuck
from .recording_frames import FAILED_NUMBERS, NUMBERS, Names, Writer
from .recording_spans import Spans

MAX_TASKS = 5_000
"""Finished tasks told of one by one in a frame; of more there is only their number, by prefix. So many of the last ones
are kept for Dask's own report."""

LAST_SPANS = 4 * MAX_TASKS
"""Kept for that: a task may have had more than one span."""

OPEN = ("waiting", "queued", "no-worker", "processing")
"""Dask's states of a task that is to be computed."""

MAX_EVENTS = 200
"""Events in a frame; of more there is only the number."""

MAX_TEXT = 2_000
"""Characters of an exception or a message."""

STUCK_SECONDS = 10.0
"""Tasks that no worker may take for so long are told of, and workers that are all paused."""

MAX_KEYS = 20
"""Keys named where many were lost together."""

NOT_NEEDED, NOT_NEEDED_STIMULUS = "retired, no longer needed", "dayfly-not-needed"
"""Cause of a worker's going, and how what Dask calls the stimulus begins that has led to it."""

LEFT_SECONDS = 30.0
"""How long a driver may take to end that has given up its client because it was asked to end."""

log = logging.getLogger("distributed.scheduler")


class Recorder(distributed.SchedulerPlugin):
    """Notes what happens, and makes a frame of it when asked."""

    name = "dayfly-recorder"

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.done = 0
        self._spans, self._last = Spans(), Spans()
        self._done_told = 0
        self._full_at = MAX_TASKS
        self._events: list[dict[str, Any]] = []
        self._events_dropped = 0
        self._names = Names()
        self._prefixes: dict[str, tuple[Any, ...]] = {}
        self._workers: dict[str, tuple[Any, ...]] = {}
        self._stuck, self._stuck_since = "", 0.0
        self.warning = ""
        """What people should know while the cluster runs."""
        self.troubled = False
        """A task has failed, or a worker went that nobody had asked to."""
        self._roles: dict[str, tuple[int, int]] = {}
        self._left: tuple[float, dict[str, Any]] = (0.0, {})
        self._differing: set[str] = set()

    # -- what the scheduler tells -------------------------------------------------------------------------------------
    def transition(
        self,
        key: Any,
        start: str,
        finish: str,
        stimulus_id: str = "",
        worker: str = "",
        thread: Any = None,
        startstops: Any = (),
        # Not used: but Python puts what has a name in its place faster than into a dictionary.
        status: str = "",
        metadata: Any = None,
        nbytes: Any = 0,
        type: Any = None,
        typename: str = "",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Note what a worker did for a task when it has been computed."""
        if start != "processing":
            return
        if finish == "memory":
            numbers = NUMBERS
        elif finish == "erred":
            numbers = FAILED_NUMBERS
            self._note_error(key, worker, kwargs)
        else:
            return
        self.done = done = self.done + 1
        if done > self._full_at or not startstops:
            return
        prefix, spans = self.scheduler.tasks[key].group.prefix.name, self._spans
        for span in startstops:
            if (action := span["action"]) in numbers:
                spans.values += key, prefix, worker, thread, numbers[action]
                spans.times.append(span["start"])
                spans.times.append(span["stop"])

    def add_worker(self, scheduler: Any, worker: str) -> None:
        """Note a worker that joins: the scheduler logs it before it knows the worker's name."""
        self._note({"kind": "add-worker", "worker": self._name_of(worker)})
        differ = differing.find(getattr(scheduler.workers.get(worker), "versions", None))
        # Once for each way to differ: workers of one group are alike.
        if differ and str(differ) not in self._differing:
            self._differing.add(str(differ))
            self._note({"kind": "versions-differ", "worker": self._name_of(worker), "differ": differ})

    def log_event(self, topic: Any, msg: Any) -> None:
        """Note what the scheduler logs for all: workers that go, their states, restarts."""
        if topic != "all" or not isinstance(msg, dict):
            return
        action = str(msg.get("action", ""))
        told: dict[str, Any] = {"kind": action, "worker": self._name_of(str(msg.get("worker", "")))}
        if action == "remove-worker":
            told["processing"] = _some(msg.get("processing-tasks"))
            told["lost"] = _some(msg.get("lost-computed-tasks"))
            told["scattered"] = _some(msg.get("lost-scattered-tasks"))
            told["expected"] = bool(msg.get("expected", msg.get("safe", False)))
            self.troubled = self.troubled or not told["expected"]
            if str(msg.get("stimulus_id", "")).startswith(NOT_NEEDED_STIMULUS):
                told["cause"] = NOT_NEEDED
        elif action == "worker-status-change":
            told["status"] = str(msg.get("status", ""))
            told["before"] = str(msg.get("prev-status", ""))
        elif action == "spill-failed":
            told["error"] = str(msg.get("error", ""))[:MAX_TEXT]
            self.troubled = True
        elif action == "remove-client":
            # Its tasks are let go right after this; if it was the driver that was ended, they are what it waited for.
            if unfinished := self._read_unfinished():
                self._left = (time.monotonic(), unfinished)
            return
        elif action not in ("restart", "worker-memory-terminate", "no-worker"):
            return
        self._note(told)

    def note(self, kind: str, **told: Any) -> None:
        """Note something that others in this process have seen."""
        self._note({"kind": kind, **told})

    def note_roles(self, memory_bytes: dict[str, tuple[int, int]]) -> None:
        """Note the highest memory and the limit, in bytes, of processes that are no workers."""
        self._roles = {name: (int(peak) >> 20, int(limit) >> 20) for name, (peak, limit) in memory_bytes.items()}

    def note_unfinished(self) -> None:
        """Note what was computed, or waited for, when the driver was ended."""
        left_at, left = self._left
        unfinished = self._read_unfinished() or (left if time.monotonic() - left_at < LEFT_SECONDS else {})
        if unfinished:
            self._note({"kind": "unfinished", "worker": "", **unfinished})

    # -- what is made of it -------------------------------------------------------------------------------------------
    def list_last(self) -> list[dict[str, Any]]:
        """Return the last tasks that workers have computed, the oldest first, as Dask's task stream keeps them."""
        return (self._last.build_tasks() + self._spans.build_tasks())[-MAX_TASKS:]

    def tell(self, wanted: int) -> dict[str, int]:
        """Return the figures of this moment, for the attempt's progress."""
        workers = list(self.scheduler.workers.values())
        counted = [prefix.states for prefix in self.scheduler.task_prefixes.values()]
        return {
            "workers": len(workers),
            "wanted": wanted,
            "tasks_total": self.done + sum(states.get(state, 0) for states in counted for state in OPEN),
            "tasks_done": self.done,
            "tasks_processing": sum(len(worker.processing) for worker in workers),
            "memory_bytes": sum(worker.metrics.get("memory", 0) for worker in workers),
        }

    def take_frame(self, now: float) -> dict[str, Any]:
        """Return what has happened since the last frame; only what is new or has changed."""
        frame: dict[str, Any] = {"t": now}
        if tasks := self._take_tasks():
            frame["tasks"] = tasks
        if prefixes := self._changed(self._prefixes, dict(self._read_prefixes())):
            frame["prefixes"] = prefixes
        workers = dict(self._read_workers())
        for gone in self._workers.keys() - workers.keys():
            del self._workers[gone]
        if changed := self._changed(self._workers, workers):
            frame["workers"] = changed
        self._note_stuck(now)
        if self._roles:
            frame["roles"], self._roles = self._roles, {}
        if self._events:
            frame["events"], self._events = self._events, []
        if self._events_dropped:
            frame["events_dropped"], self._events_dropped = self._events_dropped, 0
        if names := self._names.take_new():
            frame["names"] = names
        return frame

    def _take_tasks(self) -> dict[str, Any]:
        """Return the columns of what has ended since the last frame, and how many more there were."""
        spans, self._spans = self._spans, Spans()
        ended, self._done_told = self.done - self._done_told, self.done
        self._full_at = self.done + MAX_TASKS
        told = spans.build_columns(self._names, self._name_of)
        if ended > MAX_TASKS:
            told["dropped"] = ended - MAX_TASKS
        self._last.extend(spans, LAST_SPANS)
        return told

    def _changed(self, before: dict[str, tuple[Any, ...]], now: dict[str, tuple[Any, ...]]) -> dict[int, Any]:
        changed = {name: row for name, row in now.items() if before.get(name) != row}
        before.update(changed)
        return {self._names.number(name): row for name, row in changed.items()}

    def _read_prefixes(self) -> Any:
        """Yield each task prefix: tasks done, erred, in memory, processing, waiting for one, and seconds computed."""
        for name, prefix in self.scheduler.task_prefixes.items():
            states = prefix.states
            counts = prefix.state_counts
            waiting = states.get("waiting", 0) + states.get("queued", 0) + states.get("no-worker", 0)
            seconds = round(prefix.all_durations.get("compute", 0.0), 3)
            in_memory, processing = states.get("memory", 0), states.get("processing", 0)
            yield name, (counts["memory"], counts["erred"], in_memory, processing, waiting, seconds)

    def _read_workers(self) -> Any:
        """Yield each worker's figures, in the order of `recording_frames`."""
        for worker in self.scheduler.workers.values():
            metrics = worker.metrics
            spilled = metrics.get("spilled_bytes") or {}
            moving = metrics.get("transfer") or {}
            running = (metrics.get("task_counts") or {}).get("executing", 0)
            yield (
                str(worker.name),
                (
                    int(metrics.get("memory", 0)) >> 20,
                    int(worker.nbytes) >> 20,
                    int(spilled.get("disk", 0) if isinstance(spilled, dict) else 0) >> 20,
                    int(metrics.get("cpu", 0)),
                    running,
                    max(0, len(worker.processing) - running),
                    int(moving.get("incoming_bytes", 0)) >> 10,
                    int(moving.get("outgoing_bytes", 0)) >> 10,
                    worker.nthreads,
                    int(worker.memory_limit or 0) >> 20,
                ),
            )

    def _read_unfinished(self) -> dict[str, Any]:
        """Return what some of the workers compute, and what tasks wait for; empty if neither."""
        busy = [worker for worker in self.scheduler.workers.values() if worker.processing][:MAX_KEYS]
        computing = {str(worker.name): _some(task.key for task in worker.processing) for worker in busy}
        stuck = {"told": self.warning, "paused": self._stuck == "paused"}
        return {"computing": computing, **stuck} if computing or self.warning else {}

    def _note_stuck(self, now: float) -> None:
        """Note, once, that for long nothing can go on."""
        kind, told = stuck.find(self.scheduler)
        if kind != self._stuck:
            self._stuck, self._stuck_since, self.warning = kind, now, ""
        if not kind or self.warning or now - self._stuck_since < STUCK_SECONDS:
            return
        self.warning = told
        waiting = [one.key for one in self.scheduler.unrunnable]
        self._note({"kind": kind, "worker": "", "processing": _some(waiting), "told": told})

    def _note_error(self, key: Any, worker: str, told: dict[str, Any]) -> None:
        self.troubled = True
        self._note(
            {
                "kind": "task-erred",
                "worker": self._name_of(worker),
                "key": str(key)[:MAX_TEXT],
                "cause": str(told.get("cause") or "")[:MAX_TEXT],
                "error": (told.get("exception_text") or _unpacked(told.get("exception")))[:MAX_TEXT],
                "traceback": str(told.get("traceback_text") or "")[-MAX_TEXT:],
            }
        )

    def _note(self, event: dict[str, Any]) -> None:
        if len(self._events) >= MAX_EVENTS:
            self._events_dropped += 1
            return
        event["t"] = time.time()
        self._events.append(event)

    def _name_of(self, address: str) -> str:
        worker = self.scheduler.workers.get(address)
        if worker is not None:
            self._names.known[address] = str(worker.name)
        return str(self._names.known.get(address, address))


class Recording:
    """The recorder of one scheduler at work: a frame a second into a file, until it is closed."""

    def __init__(self, recorder: Recorder, path: str) -> None:
        self.recorder = recorder
        self._writer = Writer(path)
        self._failed = False

    def write(self) -> None:
        """Append a frame. A disk that is full is said once; the cluster goes on."""
        frame = self.recorder.take_frame(time.time())
        if len(frame) == 1:
            return
        try:
            self._writer.append(frame)
        except OSError as error:
            if not self._failed:
                log.warning("The flight record has gaps: %s", error)
            self._failed = True

    def close(self) -> None:
        """Write what is left and close the file."""
        self.write()
        self._writer.close()


def _unpacked(exception: Any) -> str:
    """Return in words what the scheduler itself has raised: it packs that, and tells no text."""
    return repr(pickle.loads(exception)) if isinstance(exception, bytes) else str(exception or "")


def _some(keys: Any) -> list[str]:
    return [str(key)[:MAX_TEXT] for key in list(keys or ())[:MAX_KEYS]]
