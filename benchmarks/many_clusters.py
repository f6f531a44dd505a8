"""Fifty Dask clusters at once on this machine: how soon all are there, what they hold, how soon all are gone.

    python -m benchmarks.many_clusters [clusters]

Each has a scheduler, two workers and a driver that computes something with them and then waits, so that all of them
live at the same time: 200 processes, and 50 that watch over them. Afterwards the machine is searched for processes,
ports and working folders. Host capacity is set so that none waits for room.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psutil
from flyteidl.core import literals_pb2

from benchmarks import cluster_start
from dayfly.base.clock import SystemClock
from dayfly.executors import local
from dayfly.executors.dask.executor import DaskExecutor
from dayfly.executors.local import leftovers
from dayfly.ports.executors import TERMINAL, AttemptSpec, ObservationKind

WORKERS = 2

TASK = f"""
import os
import time
import distributed
from flytekit import task
from flytekitplugins.dask import Dask, WorkerGroup

@task(task_config=Dask(workers=WorkerGroup(number_of_workers={WORKERS})))
def first() -> float:
    client = distributed.Client()
    assert client.submit(sum, [1, 1]).result() == 2
    here = os.environ["BENCH_HERE"]
    open(os.path.join(here, os.environ["FLYTE_INTERNAL_EXECUTION_ID"]), "w").close()
    while not os.path.exists(os.path.join(here, "go")):
        time.sleep(0.1)
    return time.time()
"""

PATIENCE_SECONDS = 300.0


def main(clusters: int = 50) -> None:
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as name:
        folder = Path(name)
        (folder / "bench_first.py").write_text(TASK)
        (folder / "inputs.pb").write_bytes(literals_pb2.LiteralMap().SerializeToString())
        (folder / "here").mkdir()
        asyncio.run(asyncio.wait_for(_run(folder, clusters), PATIENCE_SECONDS))


async def _run(folder: Path, clusters: int) -> None:
    settings = local.LocalSettings(data=folder / "data", cpus=4.0 * clusters, memory_bytes=clusters << 30)
    groups = local.build_groups(settings, SystemClock())
    executor = cluster_start.make_executor(groups, folder)
    specs = [_spec(folder, f"cluster{number}") for number in range(clusters)]
    began = time.monotonic()
    handles = await asyncio.gather(*(executor.start(spec) for spec in specs))
    watching = asyncio.create_task(_watch(executor, clusters))
    while (there := len(list((folder / "here").iterdir()))) < clusters:
        assert not watching.done(), f"a cluster ended with {there} there"
        await asyncio.sleep(0.05)
    all_there = time.monotonic() - began
    alive = leftovers.find_processes(0, (str(folder / "work"), str(folder / "logs")))
    held = _proportional(alive)
    released = time.monotonic()
    (folder / "here" / "go").touch()
    await watching
    for spec, handle in zip(specs, handles, strict=True):
        await executor.forget(spec.key, handle)
    all_gone = time.monotonic() - released
    left = leftovers.describe(0, (), (str(folder / "work"), str(folder / "logs")))
    left += [str(path) for path in (folder / "work").glob("*")]
    await executor.close(grace_seconds=1)
    await groups.close(grace_seconds=1)
    left += [f"process {pid}" for pid in await _find_stayers(folder)]
    print(
        f"{clusters} Dask clusters of {WORKERS} workers at once: all there after {all_there:.1f} s, "
        f"gone {all_gone:.1f} s after the drivers' end"
    )
    print(
        f"  {len(alive)} processes, {held / 1e9:.2f} GB proportional (PSS), "
        f"{held / 1e6 / clusters:.0f} MB a cluster; left afterwards: {', '.join(left) or 'nothing'}"
    )
    assert not left


def _spec(folder: Path, name: str) -> AttemptSpec:
    spec = cluster_start.make_spec(folder, name, WORKERS)
    return msgspec.structs.replace(spec, env={**spec.env, "BENCH_HERE": str(folder / "here")})


async def _watch(executor: DaskExecutor, clusters: int) -> None:
    """Return when so many have ended well."""
    ended = set()
    async for seen in executor.watch():
        if seen.kind in TERMINAL:
            assert seen.kind is ObservationKind.EXITED and seen.exit_code == 0, seen
            ended.add(seen.key)
            if len(ended) == clusters:
                return


async def _find_stayers(folder: Path) -> list[int]:
    """Return the processes of `folder` that are still there a second later: the last may be at the end of its exit."""
    for _ in range(20):
        if not (found := leftovers.find_processes(0, (str(folder),))):
            break
        await asyncio.sleep(0.05)
    return found


def _proportional(pids: list[int]) -> int:
    """Return the bytes that these processes hold, what several share divided between them."""
    held = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            held += psutil.Process(pid).memory_full_info().pss
    return held


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
