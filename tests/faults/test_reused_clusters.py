"""Clusters that stand by for the next execution: each has one of its own, sees nothing of others, and nothing stays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flyteidl.core import identifier_pb2, literals_pb2
from flytekit.models.project import Project

from dayfly.client import connecting
from dayfly.executors.dask.observing import STOOD_BY
from dayfly.executors.local import leftovers
from dayfly.executors.local.forked import processes
from dayfly.model.identifiers import EntityId, ExecutionId
from dayfly.model.phases import ExecutionPhase
from tests.platforms import launching, remotes
from tests.platforms.launching import DOMAIN, PROJECT, VERSION
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "reused.py"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data") as server:
        remotes.register(server, PROGRAM)
        yield server


def run(server: Server, task: str = "reusing", project: str = PROJECT) -> tuple[bool, list[dict[str, Any]]]:
    """Run a task; return whether a cluster stood by for it, and what its processes have found: driver, scheduler,
    workers. All of them must be the execution's own, and so must be what is recorded and logged."""
    target = EntityId(identifier_pb2.TASK, PROJECT, DOMAIN, f"reused.{task}", VERSION)

    async def call() -> ExecutionId:
        async with connecting.open(server.address) as client:
            return await client.create_execution(project, DOMAIN, target, literals_pb2.LiteralMap())

    execution = asyncio.run(call())
    ended, outputs = launching.wait(server, execution)
    assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
    ((node, attempt),) = [(node.id, attempt) for node in ended.nodes for attempt in node.attempts]
    found = json.loads(outputs["o0"])
    assert len(found) == 4
    assert {(one["project"], one["execution"]) for one in found} == {(project, execution.name)}
    assert [one["traces"] for one in found] == [[], [], [], []]
    assert [log.name for log in attempt.logs][:5] == ["driver", "scheduler", "worker-0", "worker-1", "Dask dashboard"]
    kept = f"http://{server.address}/api/dayfly/v1/clusters/{project}/{DOMAIN}/{execution.name}/{node}/0"
    record = requests.get(kept, timeout=60).json()["record"]
    came = sorted(event["worker"] for event in record["events"] if event["kind"] == "add-worker")
    assert came == sorted(worker["name"] for worker in record["workers"]) == ["worker-0", "worker-1"]
    assert [prefix["name"] for prefix in record["prefixes"]] == ["gethostname"]
    return any(STOOD_BY in told for _, told in attempt.reasons), found


def standing(server: Server) -> list[int]:
    """Return the processes of what stands by."""
    folder = f"{server.folder}/run/standby/"
    return [pid for pid in marked(server) if folder in place_of(pid)]


def place_of(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except FileNotFoundError:
        return ""


def marked(server: Server) -> list[int]:
    return [int(line.partition(":")[0]) for line in server.leftovers()]


def until_one_stands_by(server: Server) -> None:
    """Wait until scheduler and workers are there, and beside them the process that waits to become the driver."""

    def complete() -> bool:
        return any(len(processes.children(watcher)) == 4 for watcher in watchers(server))

    launching.wait_until(complete, "a cluster to stand by")


def watchers(server: Server) -> list[int]:
    """Return the supervisors of what stands by."""
    above = {above for above in marked(server) for pid in processes.children(above) if pid in standing(server)}
    return [pid for pid in above if processes.command(pid) == "dayfly-group"]


def test_each_execution_has_a_cluster_that_is_nobody_elses(server: Server) -> None:
    remotes.connect(server).client.register_project(Project(id="other", name="other", description=""))
    stood_by, first = run(server)
    assert not stood_by
    until_one_stands_by(server)
    ready = set(standing(server))
    stood_by, _ = run(server, project="other")
    assert not stood_by, "it is another project's"
    assert set(standing(server)) >= ready
    stood_by, second = run(server)
    assert stood_by
    assert {one["pid"] for one in second[1:]} == ready
    assert not {one["pid"] for one in first} & {one["pid"] for one in second}
    logs = server.folder / "logs"
    assert len(list(logs.rglob("cluster.record"))) == len(list(logs.rglob("worker-1.log"))) == 3
    launching.wait_until(lambda: not list((server.folder / "run" / "groups").glob("*")), "all of them to be forgotten")


def test_nothing_is_left_when_nobody_comes(server: Server) -> None:
    run(server, "briefly")
    launching.wait_until(lambda: standing(server), "a cluster to stand by")
    ports = leftovers.find_ports(standing(server))
    launching.wait_until(lambda: not standing(server), "its time to be over")
    assert not set(ports) & set(leftovers.find_ports(marked(server)))
    launching.wait_until(lambda: not list((server.folder / "run" / "standby").glob("*")), "its folder to go")
    assert not run(server, "briefly")[0]


def test_whoever_is_killed_nothing_is_left_and_the_next_has_its_cluster(server: Server) -> None:
    run(server)
    for victim in ("platform", "fork server", "supervisor", "worker-1"):
        until_one_stands_by(server)
        before = standing(server)
        (watcher,) = watchers(server)
        if victim == "platform":
            server.kill()
            server.start()
        elif victim == "worker-1":
            os.kill(next(pid for pid in before if processes.command(pid) == "dayfly:worker-1"), signal.SIGKILL)
        else:
            os.kill(watcher if victim == "supervisor" else processes.stat(watcher)[1], signal.SIGKILL)
        launching.wait_until(lambda gone=before: not any(map(processes.start_ticks, gone)), "all of it to go")
        launching.wait_until(lambda: not list((server.folder / "run" / "standby").glob("*")), "its folder to go")
        assert not run(server)[0], victim
        until_one_stands_by(server)
        assert run(server)[0], victim
