"""A no-op task, forked by the local executor and cold by `pyflyte-execute`, in one run: medians in milliseconds.

    python benchmarks/attempt_start.py [forked runs] [cold runs]

Forked is measured at the platform: from `start` to the observation of its end, with its outputs written. The first
forked run, which starts the fork server, is told apart.
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


async def run_forked(folder: Path, runs: int) -> tuple[float, list[float], int]:
    settings = local.LocalSettings(data=folder / "data")
    groups: LocalProcessGroups = local.build_groups(settings, SystemClock())
    executor: LocalExecutor = local.build(
        settings, groups.share(), environments.build(sys.executable), None, SystemClock()
    )
    watched = executor.watch()
    took = []
    for number in range(runs + 1):
        name = f"run{number}"
        began = time.perf_counter()
        await executor.start(make_spec(folder, name))
        async for seen in watched:
            if seen.key == f"p/d/{name}/n0/0" and seen.kind is ObservationKind.EXITED:
                break
        took.append(1000 * (time.perf_counter() - began))
        assert (folder / "out" / name / "outputs.pb").exists(), seen
        await executor.forget(seen.key, b"")
    memory = max(_resident(pid) for pid in _fork_servers(folder))
    await executor.close(grace_seconds=1)
    return took[0], took[1:], memory


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


def _fork_servers(folder: Path) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            ours = str(folder).encode() in path.with_name("cmdline").read_bytes()
            if ours and path.read_text().strip() == "dayfly-forks":
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    forked_runs, cold_runs = (int(word) for word in (sys.argv[1:] + ["20", "3"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as name:
        folder = Path(name)
        (folder / "bench_nothing.py").write_text(TASK)
        (folder / "inputs.pb").write_bytes(literals_pb2.LiteralMap().SerializeToString())
        first, forked, memory = asyncio.run(run_forked(folder, forked_runs))
        cold = run_cold(folder, cold_runs)
    warm, slow = statistics.median(forked), statistics.median(cold)
    print(f"{'no-op task, start to end known':<40}{'median':>10}{'least':>10}{'most':>10}")
    print(f"{f'forked ({len(forked)} runs)':<40}{warm:>8.1f}ms{min(forked):>8.1f}ms{max(forked):>8.1f}ms")
    print(f"{'first, with the fork server':<40}{first:>8.1f}ms")
    print(f"{f'cold pyflyte-execute ({len(cold)} runs)':<40}{slow:>8.1f}ms{min(cold):>8.1f}ms{max(cold):>8.1f}ms")
    print(f"{'cold / forked':<40}{slow / warm:>9.1f}x")
    print(f"{'largest fork server, resident':<40}{memory / 2**20:>7.1f}MiB")


if __name__ == "__main__":
    main()
