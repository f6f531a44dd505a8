"""What the flight recorder takes of a cluster's time: 100,000 tasks of 1 ms with it, and as many without.

    python -m benchmarks.recorder_overhead [tasks] [batch]

One cluster, started by Dask's own commands, whose scheduler has the recorder and the file it writes a frame a second to
put on and taken off between batches: with, without, without,
with, and so on, so that whatever drifts on the machine meets both alike. A task sleeps, so that the scheduler is what
holds the rate. Beside the time of all batches it is told what the scheduler took of the processor, which others on the
machine disturb least.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import distributed

WORKERS, THREADS = 2, 8

TASK_SECONDS = 0.001


def main(tasks: int = 100_000, batch: int = 5_000) -> None:
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as folder, _cluster(Path(folder)) as client:
        _run(client, batch)  # connections are made, functions are known
        took: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for number in range(tasks // batch):
            for on in (True, False) if number % 2 else (False, True):
                client.run_on_scheduler(_switch, on=on, folder=folder)
                took[on].append(_run(client, batch))
        _tell(tasks, took, (Path(folder) / "cluster.record").stat().st_size)


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


def _run(client: distributed.Client, tasks: int) -> tuple[float, float]:
    """Compute so many tasks; return the seconds they took, and the scheduler's of the processor."""
    cpu, began = client.run_on_scheduler(time.process_time), time.monotonic()
    distributed.wait(client.map(time.sleep, [TASK_SECONDS] * tasks, pure=False))
    return time.monotonic() - began, client.run_on_scheduler(time.process_time) - cpu


def _switch(on: bool, folder: str, dask_scheduler: Any = None) -> None:
    """Put the recorder on the scheduler, or take it off."""
    from tornado.ioloop import PeriodicCallback

    from dayfly.executors.dask.roles import recording, scheduler

    kept = getattr(dask_scheduler, "dayfly_recorded", None)
    if on and kept is None:
        recorder = recording.Recorder(dask_scheduler)
        dask_scheduler.add_plugin(recorder)
        recorded = recording.Recording(recorder, os.path.join(folder, "cluster.record"))
        writing = PeriodicCallback(recorded.write, scheduler.FRAME_MILLISECONDS)
        writing.start()
        dask_scheduler.dayfly_recorded = writing, recorded
    elif not on and kept is not None:
        writing, recorded = kept
        writing.stop()
        recorded.close()
        dask_scheduler.remove_plugin(recording.Recorder.name)
        dask_scheduler.dayfly_recorded = None


def _tell(tasks: int, took: dict[bool, list[tuple[float, float]]], record_bytes: int) -> None:
    (wall, cpu), (wall_without, cpu_without) = (_sums(took[on]) for on in (True, False))
    ratios = [with_[0] / without[0] - 1 for with_, without in zip(took[True], took[False], strict=True)]
    print(f"{tasks:,} tasks of 1 ms with the flight recorder: {wall:.1f} s; without: {wall_without:.1f} s")
    print(
        f"  {wall / wall_without - 1:+.1%} in all, {statistics.median(ratios):+.1%} a pair of batches, target under 2 %"
    )
    each, other = 1e6 * cpu / tasks, 1e6 * cpu_without / tasks
    print(f"  scheduler's processor: {each:.1f} and {other:.1f} us a task, {cpu / cpu_without - 1:+.1%}")
    print(f"  record: {record_bytes / 2**20:.1f} MiB")


def _sums(took: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(wall for wall, _ in took), sum(cpu for _, cpu in took)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
