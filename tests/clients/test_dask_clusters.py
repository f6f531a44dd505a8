"""Clusters by `dayfly.dask.DaskCluster`, from pyflyte's registration to what the workers find."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flyteidl.admin import task_execution_pb2
from flyteidl.core import execution_pb2
from flytekit.remote import FlyteRemote
from flytekit.remote.executions import FlyteWorkflowExecution
from tests.platforms import remotes
from tests.platforms.launching import VERSION
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "clustered.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("clustered")) as server:
        yield server


@pytest.fixture(scope="module")
def remote(server: Server) -> FlyteRemote:
    return remotes.register(server, PROGRAM)


def run(remote: FlyteRemote, name: str) -> FlyteWorkflowExecution:
    plan = remote.fetch_launch_plan(name=f"clustered.{name}", version=VERSION)
    ended = remotes.wait(remote, remote.execute(plan, inputs={}))
    assert ended.closure.phase == execution_pb2.WorkflowExecution.SUCCEEDED, ended.error
    return ended


def test_each_group_gets_what_it_asks_for(remote: FlyteRemote) -> None:
    ended = run(remote, "describing")
    seen = json.loads(ended.outputs["o0"])
    assert sorted(seen) == ["worker-0", "worker-1", "worker-gpu-0", "worker-loaded-0", "worker-own-0"]
    assert [seen[f"worker-{number}"]["mood"] for number in (0, 1)] == ["calm", "calm"]
    assert {name for name, each in seen.items() if each["preloaded"]} == {"worker-loaded-0", "worker-own-0"}
    assert {name for name, each in seen.items() if each["commanded"]} == {"worker-own-0"}
    assert {each["target"] for each in seen.values()} == {0.55}
    assert seen["worker-loaded-0"]["mood"] is None
    attempt = ended.node_executions["n0"].task_executions[0]
    request = attempt.id.to_flyte_idl()
    closure = remote.client._stub.GetTaskExecution(task_execution_pb2.TaskExecutionGetRequest(id=request)).closure
    told = " ".join(reason.message for reason in closure.reasons)
    assert "Workers gpu asked for 1 GPU each; this host gives none" in told
    assert "No cluster stands by for the next attempt: its workers run a command or a preload of their own." in told


def test_an_idle_cluster_ends_and_its_task_goes_on(remote: FlyteRemote) -> None:
    assert run(remote, "idling").outputs["o0"] is True
