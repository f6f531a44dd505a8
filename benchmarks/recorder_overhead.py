"""What the flight recorder takes of a cluster's time, on tasks of 1 ms: one figure, and two that are below it.

    python -m benchmarks.recorder_overhead [tasks] [batch]

One cluster, started by Dask's own commands, on whose scheduler recorders are put and taken off between short batches:
none, one, ten, ten, one, none, then in another order, so that whatever drifts on the machine meets all alike. What each
number of recorders took in a round is held against what none took in the same round; told is the median of the rounds,
and its interval, in time and in what the scheduler took of the processor, which others on the machine disturb least.

1. One recorder against none. The noise is mostly more than what there is to see.
2. Ten against none, and a tenth of that: the noise is divided by ten too, but what the first recorder pays for, cold
   caches and kept objects, is shared by the others. A lower bound.
3. The calls that a recorder gets in a busy second, kept, and replayed to one by itself, once in each round: without
   what it does to the scheduler's own use of the caches: another lower bound.

A batch ends when its tasks are forgotten and its frame is written, so that it is charged with all it causes: frames
come more often than the one a second of a real cluster. A task sleeps, so that the scheduler is what holds the rate.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import distributed

WORKERS, THREADS = 2, 8

TASK_SECONDS = 0.001

RECORDERS = (0, 1, 10)

ORDERS = tuple(itertools.permutations(RECORDERS))
"""Each round has another, there and back: what a batch leaves to the next one must not always meet the same."""

HEARD_TASKS = 4_000
"""What a scheduler can do in a second, and so in a frame."""

TARGET = 0.02

MOST_SECONDS = 170.0
"""No round begins later: on a machine that others use, there are fewer tasks instead of more time."""


@dataclass(frozen=True)
class Round:
    """What each number of recorders took, in seconds for each task, and a recorder by itself."""

    wall: dict[int, float]
    cpu: dict[int, float]
    own: dict[str, float]


def main(tasks: int = 100_000, batch: int = 1_000) -> None:
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as folder, _cluster(Path(folder)) as client:
        client.run_on_scheduler(_prepare, folder=folder, count=max(RECORDERS))
        for count in RECORDERS:
            _run(client, count, batch)  # connections are made, functions are known, what recorders keep is full
        client.run_on_scheduler(_listen)
        _run(client, 0, HEARD_TASKS)
        client.run_on_scheduler(_stop_listening)
        rounds: list[Round] = []
        began = time.monotonic()
        while len(rounds) * 2 * batch < tasks and time.monotonic() - began < MOST_SECONDS:
            rounds.append(_round(client, folder, batch, ORDERS[len(rounds) % len(ORDERS)]))
        _tell(rounds, batch, time.monotonic() - began)


def _round(client: distributed.Client, folder: str, batch: int, order: tuple[int, ...]) -> Round:
    wall, cpu = dict.fromkeys(RECORDERS, 0.0), dict.fromkeys(RECORDERS, 0.0)
    for count in (*order, *reversed(order)):
        seconds, scheduler_seconds = _run(client, count, batch)
        wall[count] += seconds / (2 * batch)
        cpu[count] += scheduler_seconds / (2 * batch)
    return Round(wall, cpu, client.run_on_scheduler(_replay, folder=folder))


@contextmanager
def _cluster(folder: Path) -> Iterator[distributed.Client]:
    file = folder / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "DASK_LOGGING__DISTRIBUTED": "error"}
    dask = [sys.executable, "-m", "dask"]
    words = ["worker", "--scheduler-file", str(file), "--nthreads", str(THREADS), "--no-nanny", "--no-dashboard"]
    lines = [["scheduler", "--scheduler-file", str(file), "--port", "0", "--no-dashboard"], *[words] * WORKERS]
    started = [subprocess.Popen([*dask, *line], cwd=folder, env=environment) for line in lines]
    try:
        with distributed.Client(scheduler_file=str(file), timeout=60) as client:
            client.wait_for_workers(WORKERS, timeout=60)
            yield client
    finally:
        for process in started:
            process.kill()
            process.wait()


def _run(client: distributed.Client, recorders: int, tasks: int) -> tuple[float, float]:
    """Compute so many tasks; return the seconds they took, and the scheduler's of the processor."""
    cpu, began = client.run_on_scheduler(_begin, count=recorders), time.monotonic()
    futures = client.map(time.sleep, [TASK_SECONDS] * tasks, pure=False)
    distributed.wait(futures)
    del futures
    ended = client.run_on_scheduler(_end)
    return time.monotonic() - began, ended - cpu


# -- what the scheduler does ------------------------------------------------------------------------------------------
def _prepare(folder: str, count: int, dask_scheduler: Any = None) -> None:
    from dayfly.executors.dask.roles import recording

    dask_scheduler.dayfly_off, dask_scheduler.dayfly_on = [], []
    for number in range(count):
        recorder = recording.Recorder(dask_scheduler)
        dask_scheduler.dayfly_off.append(recording.Recording(recorder, os.path.join(folder, f"{number}.record")))


def _begin(count: int, dask_scheduler: Any = None) -> float:
    """Put so many recorders on."""
    for number in range(count):
        recorded = dask_scheduler.dayfly_off.pop()
        dask_scheduler.add_plugin(recorded.recorder, name=f"recorder-{number}")
        dask_scheduler.dayfly_on.append(recorded)
    return time.process_time()


async def _end(dask_scheduler: Any = None) -> float:
    """Wait until all is forgotten, write what was recorded, and take the recorders off."""
    while dask_scheduler.tasks:  # noqa: ASYNC110  Dask has no event for it.
        await asyncio.sleep(0.002)
    for recorded in dask_scheduler.dayfly_on:
        recorded.write()
    ended = time.process_time()
    for number in range(len(dask_scheduler.dayfly_on)):
        dask_scheduler.remove_plugin(f"recorder-{number}")
        dask_scheduler.dayfly_off.append(dask_scheduler.dayfly_on.pop())
    return ended


def _listen(dask_scheduler: Any = None) -> None:
    """Begin to keep the calls that a recorder would get."""

    class Listener(distributed.SchedulerPlugin):
        name = "listener"

        def transition(self, key: Any, start: Any, finish: Any, *args: Any, **kwargs: Any) -> None:
            dask_scheduler.dayfly_heard.append((key, start, finish, kwargs))

    dask_scheduler.dayfly_heard = []
    dask_scheduler.add_plugin(Listener())


def _stop_listening(dask_scheduler: Any = None) -> None:
    dask_scheduler.remove_plugin("listener")
    heard = dask_scheduler.dayfly_heard
    dask_scheduler.dayfly_heard = [pickle.dumps(heard[at : at + 1_000]) for at in range(0, len(heard), 1_000)]


def _replay(folder: str, dask_scheduler: Any = None) -> dict[str, float]:
    """Return seconds of the processor for each task: noted, written, and called without doing anything."""
    from dayfly.executors.dask.roles import recording

    (prefix,) = dask_scheduler.task_prefixes.values()
    task = SimpleNamespace(group=SimpleNamespace(prefix=prefix))

    def took(called: Any) -> float:
        seconds = 0.0
        for packed in dask_scheduler.dayfly_heard:
            calls = pickle.loads(packed)  # as in a scheduler at work, what it tells has just been made
            dask_scheduler.tasks.update(dict.fromkeys((key for key, *_ in calls), task))
            began = time.thread_time()
            for key, start, finish, kwargs in calls:
                called(key, start, finish, **kwargs)
            seconds += time.thread_time() - began
            dask_scheduler.tasks.clear()
        return seconds / HEARD_TASKS

    recorder = recording.Recorder(dask_scheduler)
    recorded = recording.Recording(recorder, os.path.join(folder, "replayed.record"))
    recorded.write()  # what does not change is told once
    called, noted = took(distributed.SchedulerPlugin().transition), took(recorder.transition)
    began = time.thread_time()
    recorded.write()
    written = (time.thread_time() - began) / HEARD_TASKS
    recorded.close()
    return {"called": called, "noted": noted, "written": written}


# -- what is told -----------------------------------------------------------------------------------------------------
def _tell(rounds: list[Round], batch: int, seconds: float) -> None:
    count, load = len(rounds), os.getloadavg()[0]
    print(f"{count * 2 * batch:,} tasks of 1 ms with one flight recorder, as many with {RECORDERS[-1]} and with none,")
    print(f"  {count} rounds in {seconds:.0f} s, load {load:.1f} on {os.cpu_count()} cores; medians, 95 % intervals")
    for what, took in (("time", [one.wall for one in rounds]), ("scheduler's processor", [one.cpu for one in rounds])):
        print(f"  {what}: {1e6 * statistics.median(one[0] for one in took):.1f} us a task without")
        for number in RECORDERS[1:]:
            name = "one recorder" if number == 1 else f"each of {number} recorders"
            _tell_share(name, [(one[number] / one[0] - 1) / number for one in took])
    _tell_share("replayed", [(one.own["noted"] + one.own["written"]) / one.cpu[0] for one in rounds])
    middle = {name: 1e6 * statistics.median(one.own[name] for one in rounds) for name in rounds[0].own}
    print(f"      {middle['noted']:.2f} us a task for noting, {middle['written']:.2f} for frames;", end="")
    print(f" Dask's calls take {middle['called']:.2f} of it where nothing is done")


def _tell_share(name: str, shares: list[float]) -> None:
    middle, low, high = _interval(shares)
    under = f"under {TARGET:.0%}"
    verdict = under if high < TARGET else f"not {under}" if low >= TARGET else f"{under} or not: too much noise"
    print(f"    {name:<22}{middle:+.1%} ({low:+.1%} to {high:+.1%}), {verdict}")


def _interval(values: list[float]) -> tuple[float, float, float]:
    """Return the median and its 95 % interval by the sign test, which asks nothing of how the noise is spread."""
    ordered = sorted(values)
    count = len(ordered)
    tails = itertools.accumulate(math.comb(count, below) / 2**count for below in range(count))
    place = sum(tail <= 0.025 for tail in tails)
    low, high = (ordered[place - 1], ordered[-place]) if place else (-math.inf, math.inf)
    return statistics.median(ordered), low, high


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
