"""A no-op task, forked by the local executor and cold by `pyflyte-execute`, in one run: medians in milliseconds.

    python benchmarks/attempt_start.py [forked runs] [cold runs]

Forked is measured at the platform: from `start` to the observation of its end, with its outputs written. The first
forked run, which starts the fork server, is told apart. One at a time, as cold runs are: the next starts when the
processes of the last one have gone and what waits for the next order has come to rest. Back to back, both share the
machine.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flyteidl.core import literals_pb2, tasks_pb2

from dayfly import environments
from dayfly.base.clock import SystemClock
from dayfly.executors import local
from dayfly.executors.local.executor import LocalExecutor
from dayfly.executors.local.groups import LocalProcessGroups
from dayfly.model.identifiers import AttemptKey, EntityId
from dayfly.ports.executors import AttemptSpec, ObservationKind

TASK = """
from flytekit import task

@task
def nothing() -> int:
    return 1
"""


def make_argv(folder: Path, name: str) -> tuple[str, ...]:
    return (
        *("pyflyte-execute", "--inputs", str(folder / "inputs.pb"), "--output-prefix", str(folder / "out" / name)),
        *("--raw-output-data-prefix", str(folder / "raw" / name), "--checkpoint-path", str(folder / "check" / name)),
        *("--prev-checkpoint", '""', "--resolver", "flytekit.core.python_auto_container.default_task_resolver"),
        *("--", "task-module", "bench_nothing", "task-name", "nothing"),
    )


def make_spec(folder: Path, name: str) -> AttemptSpec:
    template = tasks_pb2.TaskTemplate()
    template.container.env.add(key="PYTHONPATH", value=str(folder))
    return AttemptSpec(
        key=AttemptKey(f"p/d/{name}/n0/0"),
        generated_name=name,
        task=EntityId(1, "p", "d", "bench_nothing.nothing", "v"),
        task_type="python-task",
        template=template.SerializeToString(),
        argv=make_argv(folder, name),
        env={"PYTHONPATH": str(folder), "FLYTE_INTERNAL_EXECUTION_ID": name},
    )


async def run_forked(folder: Path, runs: int) -> tuple[float, list[float], list[float], int]:
    """Return milliseconds: of the first run, of those one at a time, of those back to back; and bytes resident."""
    settings = local.LocalSettings(data=folder / "data")
    groups: LocalProcessGroups = local.build_groups(settings, SystemClock())
    executor: LocalExecutor = local.build(
        settings, groups.share(), environments.build(sys.executable), None, SystemClock()
    )
    first = await _time_one(executor, folder, "first")
    alone = []
    for number in range(runs):
        await _wait_until_quiet(folder)
        alone.append(await _time_one(executor, folder, f"alone{number}"))
    dense = [await _time_one(executor, folder, f"dense{number}") for number in range(runs)]
    memory = max(_resident(pid) for pid in _processes(folder, "dayfly-forks"))
    await executor.close(grace_seconds=1)
    return first, alone, dense, memory


async def _time_one(executor: LocalExecutor, folder: Path, name: str) -> float:
    spec = make_spec(folder, name)
    began = time.perf_counter()
    handle = await executor.start(spec)
    async for seen in executor.watch():
        if seen.key == spec.key and seen.kind is ObservationKind.EXITED:
            break
    took = 1000 * (time.perf_counter() - began)
    assert (folder / "out" / name / "outputs.pb").exists(), seen
    await executor.forget(spec.key, handle)
    return took


async def _wait_until_quiet(folder: Path) -> None:
    """Wait until nothing that was forked has used the processor for a moment."""
    before: dict[int, int] | None = None
    while before != (now := {pid: _ticks(pid) for pid in _processes(folder)}):
        before = now
        await asyncio.sleep(0.03)


def run_cold(folder: Path, runs: int) -> list[float]:
    took = []
    command = str(Path(sys.executable).with_name("pyflyte-execute"))
    for number in range(runs):
        began = time.perf_counter()
        argv = [command, *make_argv(folder, f"cold{number}")[1:]]
        env = os.environ | {"PYTHONPATH": str(folder)}
        subprocess.run(argv, env=env, cwd=folder, check=True, capture_output=True)
        took.append(1000 * (time.perf_counter() - began))
    return took


def _processes(folder: Path, command: str = "") -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            ours = str(folder).encode() in path.with_name("cmdline").read_bytes()
            if ours and command in path.read_text():
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _ticks(pid: int) -> int:
    """Return the nanoseconds that a process has run; 0 when it has gone."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    forked_runs, cold_runs = (int(word) for word in (sys.argv[1:] + ["20", "5"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as name:
        folder = Path(name)
        (folder / "bench_nothing.py").write_text(TASK)
        (folder / "inputs.pb").write_bytes(literals_pb2.LiteralMap().SerializeToString())
        first, alone, dense, memory = asyncio.run(run_forked(folder, forked_runs))
        cold = run_cold(folder, cold_runs)
    slow = statistics.median(cold)
    print(f"{'no-op task, start to end known':<40}{'median':>10}{'least':>10}{'most':>10}{'cold is':>10}")
    for what, took in (
        ("forked, one at a time", alone),
        ("forked, back to back", dense),
        ("cold pyflyte-execute", cold),
    ):
        ratio = slow / statistics.median(took)
        told = "".join(f"{figure:>8.1f}ms" for figure in (statistics.median(took), min(took), max(took)))
        print(f"{f'{what} ({len(took)} runs)':<40}{told}{ratio:>9.1f}x")
    print(f"{'first, with the fork server':<40}{first:>8.1f}ms")
    print(f"{'largest fork server, resident':<40}{memory / 2**20:>7.1f}MiB")


if __name__ == "__main__":
    main()
