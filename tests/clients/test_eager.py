"""Eager workflows, launched as the tasks that they are: each call is an execution that the task starts itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from flyteidl.core import execution_pb2
from flytekit.models.filters import ValueIn
from flytekit.remote import FlyteRemote
from tests.platforms import launching, remotes
from tests.platforms.server import Server

PROGRAMS = Path(__file__).parent / "programs"
RUNS = execution_pb2.WorkflowExecution


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("eager") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def remote(server: Server) -> FlyteRemote:
    return remotes.register(server, PROGRAMS / "eagerly.py")


def launch(remote: FlyteRemote, name: str, **inputs):
    return remote.execute(remote.fetch_task(name=name, version="v1"), inputs=inputs)


def run(remote: FlyteRemote, name: str, **inputs):
    return remotes.wait(remote, launch(remote, name, **inputs))


def children(remote: FlyteRemote, execution) -> list:
    mine = [ValueIn("execution_tag.key", ["eager-exec"]), ValueIn("execution_tag.value", [execution.id.name])]
    return remote.recent_executions(limit=100, filters=mine)


def test_calls_are_executions(remote: FlyteRemote) -> None:
    ended = run(remote, "eagerly.counts", x=1)
    assert ended.outputs == {"o0": 3 + 11}
    started = children(remote, ended)
    assert len(started) == 3
    assert {one.closure.phase for one in started} == {RUNS.SUCCEEDED}
    assert {one.spec.labels.values["eager-root-exec"] for one in started} == {ended.id.name}


def test_it_calls_workflows(remote: FlyteRemote) -> None:
    assert run(remote, "eagerly.uses_workflow", x=5).outputs == {"o0": 9}


def test_eager_in_eager(remote: FlyteRemote) -> None:
    assert run(remote, "eagerly.nested", x=1).outputs == {"o0": 15}


def test_it_catches_what_fails(remote: FlyteRemote) -> None:
    assert run(remote, "eagerly.breaks", x=1).outputs == {"o0": -1}


def test_what_it_does_not_catch_fails_it(remote: FlyteRemote) -> None:
    ended = run(remote, "eagerly.gives_up", x=1)
    assert ended.closure.phase == RUNS.FAILED
    assert "Fail" in ended.error.message or "fail" in ended.error.message


def test_another_try_takes_up_what_the_first_had_started(remote: FlyteRemote) -> None:
    ended = run(remote, "eagerly.tries_again", x=1)
    assert ended.outputs == {"o0": 2}
    [node] = [one for name, one in ended.node_executions.items() if name not in ("start-node", "end-node")]
    assert len(node.task_executions) == 2
    assert len(children(remote, ended)) == 1


def phases(remote: FlyteRemote, execution) -> dict[str, int]:
    found = [remotes.wait(remote, remote.fetch_execution(name=one.id.name)) for one in children(remote, execution)]
    return {one.id.name.split("-")[3]: one.closure.phase for one in found}


def test_what_is_abandoned_is_cleaned_up_by_its_failure_node(remote: FlyteRemote, tmp_path: Path) -> None:
    plan = remote.fetch_launch_plan(name="eagerly.abandons", version="v1")
    ended = remotes.wait(remote, remote.execute(plan, inputs={"folder": str(tmp_path)}))
    assert ended.closure.phase == RUNS.FAILED
    assert "no more of this" in ended.error.message
    handler = ended.node_executions["efn"]
    assert handler.closure.phase == execution_pb2.NodeExecution.SUCCEEDED
    assert phases(remote, ended) == {"linger": RUNS.ABORTED, "stumble": RUNS.FAILED}


def test_an_abort_ends_what_it_has_started(remote: FlyteRemote, tmp_path: Path) -> None:
    execution = launch(remote, "eagerly.waits", folder=str(tmp_path))
    launching.wait_until((tmp_path / "lingers").exists, "the child")
    remote.terminate(execution, "enough")
    ended = remotes.wait(remote, execution)
    assert ended.closure.phase == RUNS.ABORTED
    assert phases(remote, ended) == {"linger": RUNS.ABORTED}
