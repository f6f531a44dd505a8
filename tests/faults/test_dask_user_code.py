"""A Dask task as flytekit registers it, run by flytekit's own entrypoint: the user's modules are on every worker."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from flyteidl.core import literals_pb2

from dayfly.model.identifiers import AttemptKey
from dayfly.ports.executors import TERMINAL, ObservationKind
from tests.contract import cluster_hosts

# Processes are found by their key, all over the host: runs of this test side by side must not share it.
KEY = AttemptKey(f"p/d/e{os.getpid()}/n0/0")

SHARED = """
import os

def where(number: int) -> tuple[int, str, str, int]:
    return number * 2, os.environ["COLOUR"], os.environ["OMP_NUM_THREADS"], os.getpid()
"""

TASKS = """
import gc

import distributed
from flytekit import task
from flytekitplugins.dask import Dask, WorkerGroup
from mymodule import where

@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def double(n: int) -> list[str]:
    with distributed.Client() as client:
        client.wait_for_workers(2, timeout=20)
        found = client.gather(client.map(where, range(n)))
        # The same function, known on the scheduler too, which unpickles what plugins and graphs need.
        there = client.run_on_scheduler(__import__, "mymodule")
        collected = {client.run_on_scheduler(gc.get_threshold), *client.run(gc.get_threshold).values()}
    assert there is not None
    # As seldom as Dask's own commands have garbage collected.
    assert collected == {tuple(3 * many for many in gc.get_threshold())}
    assert len({pid for *_, pid in found}) == 2
    return [f"{value} {colour} {threads}" for value, colour, threads, _ in found]
"""


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[cluster_hosts.LocalHost]:
    made = cluster_hosts.LocalHost(tmp_path / "data")
    yield made
    await made.executor.close(grace_seconds=0)
    await made.unfollow()


def lay_out(folder: Path) -> tuple[str, ...]:
    """Write the user's code and the inputs; return the command."""
    code = folder / "code"
    code.mkdir()
    (code / "mymodule.py").write_text(SHARED)
    (code / "wf.py").write_text(TASKS)
    inputs = literals_pb2.LiteralMap()
    inputs.literals["n"].scalar.primitive.integer = 20
    (folder / "inputs.pb").write_bytes(inputs.SerializeToString())
    fast = ("pyflyte-fast-execute", "--additional-distribution", str(code), "--dest-dir", ".", "--")
    files = ("--inputs", str(folder / "inputs.pb"), "--output-prefix", str(folder / "out"))
    raw = ("--raw-output-data-prefix", str(folder / "raw"))
    resolver = ("--resolver", "flytekit.core.python_auto_container.default_task_resolver", "--")
    return (*fast, "pyflyte-execute", *files, *raw, *resolver, "task-module", "wf", "task-name", "double")


@pytest.mark.parametrize("volatile", [frozenset(), frozenset({"COLOUR"})], ids=["preloaded", "per_execution"])
async def test_functions_of_the_users_modules_run_on_workers(
    host: cluster_hosts.LocalHost, tmp_path: Path, volatile: frozenset[str]
):
    env = {"COLOUR": "teal", "FLYTE_INTERNAL_EXECUTION_ID": "e", "HOME": os.environ["HOME"]}
    spec = cluster_hosts.attempt(KEY, *lay_out(tmp_path), env=env, volatile_env=volatile)
    await host.executor.start(spec)
    seen = [one async for one in first_end(host)][-1]
    assert (seen.kind, seen.exit_code) == (ObservationKind.EXITED, 0), seen
    outputs = literals_pb2.LiteralMap.FromString((tmp_path / "out" / "outputs.pb").read_bytes())
    values = [one.scalar.primitive.string_value for one in outputs.literals["o0"].collection.literals]
    assert values == [f"{2 * number} teal 1" for number in range(20)]


async def first_end(host: cluster_hosts.LocalHost) -> AsyncIterator[object]:
    async for seen in host.executor.watch():
        yield seen
        if seen.kind in TERMINAL:
            return
