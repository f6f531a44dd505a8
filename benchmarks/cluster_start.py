"""A Dask cluster of four workers, forked, taken over and by `LocalCluster(n_workers=4)`, in one run: medians in ms.

    python -m benchmarks.cluster_start [rounds]

From the request to the first task's result in the hands of a bare `Client()`. Forked, that includes flytekit's own
entrypoint with its inputs read and the user's module found. Two baselines: `LocalCluster` in a program that has
`distributed` imported already, and that program from its start. The first forked round, which starts the fork server,
is told apart. With `reuse` a cluster stands by for each round: one of these is made when the round before ends, and is
waited for, since it is the time between two tasks that it is made in. Rounds with and without it go by turns.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flyteidl.core import literals_pb2, tasks_pb2

from dayfly import environments
from dayfly.base.clock import SystemClock
from dayfly.executors import dask, local
from dayfly.executors.dask import observing
from dayfly.executors.dask.executor import DaskExecutor
from dayfly.executors.local.groups import LocalProcessGroups
from dayfly.model.identifiers import AttemptKey, EntityId
from dayfly.ports.executors import TERMINAL, AttemptSpec, ObservationKind

WORKERS = 4

TASK = f"""
import time
import distributed
from flytekit import task
from flytekitplugins.dask import Dask, WorkerGroup

@task(task_config=Dask(workers=WorkerGroup(number_of_workers={WORKERS})))
def first() -> float:
    client = distributed.Client()
    assert client.submit(sum, [1, 1]).result() == 2
    return time.time()
"""

BASELINE = f"""
import json, sys, time
import distributed

if __name__ == "__main__":
    took = []
    for _ in range(int(sys.argv[1])):
        began = time.time()
        with distributed.LocalCluster(n_workers={WORKERS}) as cluster, distributed.Client(cluster) as client:
            assert client.submit(sum, [1, 1]).result() == 2
            took.append(time.time() - (0 if sys.argv[2:] else began))
    print(json.dumps(took))
"""


def make_spec(folder: Path, name: str, workers: int = WORKERS, *, reuse: bool = False) -> AttemptSpec:
    """Return an attempt of task `first` in `folder`, on a cluster of so many workers."""
    template = tasks_pb2.TaskTemplate(type="dask")
    template.custom.update({"workers": {"numberOfWorkers": workers}})
    if reuse:
        template.custom.update({"dayfly": {"reuse": {"idle_seconds": 600}}})
    template.container.env.add(key="PYTHONPATH", value=str(folder))
    argv = (
        *("pyflyte-execute", "--inputs", str(folder / "inputs.pb"), "--output-prefix", str(folder / "out" / name)),
        *("--raw-output-data-prefix", str(folder / "raw" / name)),
        *("--resolver", "flytekit.core.python_auto_container.default_task_resolver"),
        *("--", "task-module", "bench_first", "task-name", "first"),
    )
    return AttemptSpec(
        key=AttemptKey(f"p/d/{name}/n0/0"),
        generated_name=name,
        task=EntityId(1, "p", "d", "bench_first.first", "v"),
        task_type="dask",
        template=template.SerializeToString(),
        argv=argv,
        env={"PYTHONPATH": str(folder), "FLYTE_INTERNAL_EXECUTION_ID": name},
    )


def make_executor(groups: LocalProcessGroups, folder: Path) -> DaskExecutor:
    """Return an executor of Dask tasks on this host whose processes are of `groups`; its files lie in `folder`."""
    return dask.build(
        groups.share(),
        environments.build(sys.executable),
        SystemClock(),
        cpus=groups.capacity.cpus,
        memory_bytes=groups.capacity.memory_bytes,
        strict=False,
        unpack=_no_code,
        log_uri=lambda key, role: f"{key}/{role}",
        dashboard_uri=lambda key: f"{key}/dashboard",
        report_uri=lambda key, name: f"{key}/{name}",
        work_folder=folder / "work",
        log_folder=folder / "logs",
    )


async def run_forked(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Return how long clusters took that were made for their round, and those that stood by."""
    settings = local.LocalSettings(data=folder / "data")
    groups = local.build_groups(settings, SystemClock())
    executor = make_executor(groups, folder)
    made = [await _round(executor, folder, "round")]
    await _round(executor, folder, "first", reuse=True)
    reused = []
    for number in range(rounds):
        await _until_one_stands_by(groups)
        made.append(await _round(executor, folder, f"round{number}"))
        reused.append(await _round(executor, folder, f"reused{number}", reuse=True))
    await executor.close(grace_seconds=1)
    return made, reused


async def _until_one_stands_by(groups: LocalProcessGroups) -> None:
    while not groups.list_standing():  # noqa: ASYNC110 - nobody else wants to know
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)  # its last threads have come to rest


async def _round(executor: DaskExecutor, folder: Path, name: str, *, reuse: bool = False) -> float:
    spec = make_spec(folder, name, reuse=reuse)
    began = time.time()
    handle = await executor.start(spec)
    stood_by = name == "first" or not reuse
    async for seen in executor.watch():
        stood_by = stood_by or (seen.key == spec.key and observing.STOOD_BY in seen.reason)
        if seen.key == spec.key and seen.kind in TERMINAL:
            break
    outputs = folder / "out" / name / "outputs.pb"
    assert seen.kind is ObservationKind.EXITED and outputs.exists() and stood_by, seen
    ended = literals_pb2.LiteralMap.FromString(outputs.read_bytes()).literals["o0"].scalar.primitive.float_value
    await executor.forget(spec.key, handle)
    return ended - began


async def _no_code(uri: str) -> str:
    raise AssertionError(f"the task is not fast-registered, but {uri} is asked for")


def run_baseline(program: Path, rounds: int) -> list[float]:
    """Return how long each of `rounds` clusters took in one program."""
    argv = [sys.executable, str(program), str(rounds)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found: list[float] = json.loads(done.stdout)
    return found


def run_cold(program: Path) -> float:
    """Return how long the program took from its start to the first result, the cluster's end left out."""
    began = time.time()
    argv = [sys.executable, str(program), "1", "when"]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    (ended,) = json.loads(done.stdout)
    return float(ended) - began


def main(rounds: int = 5) -> None:
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as name:
        folder = Path(name)
        (folder / "bench_first.py").write_text(TASK)
        (folder / "inputs.pb").write_bytes(literals_pb2.LiteralMap().SerializeToString())
        program = folder / "baseline.py"
        program.write_text(BASELINE)
        (first, *forked), reused = asyncio.run(run_forked(folder, rounds))
        warm = run_baseline(program, rounds)
        cold = [run_cold(program) for _ in range(rounds)]
    ours = statistics.median(forked)
    print(f"Dask cluster of {WORKERS} workers, from request to first result: forked {_told(forked)}")
    for name, took in (("LocalCluster in a warm program", warm), ("LocalCluster in a new program", cold)):
        print(f"  {name} {_told(took)}: {statistics.median(took) / ours:.1f} times as long")
    times = statistics.median(reused) / ours
    print(f"  one that stood by, taken over {_told(reused)}: {times:.2f} times as long")
    print(f"  first forked round, fork server included: {1000 * first:.0f} ms")


def _told(took: list[float]) -> str:
    each = " ".join(f"{1000 * one:.0f}" for one in took)
    return f"{1000 * statistics.median(took):.0f} ms ({each})"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
