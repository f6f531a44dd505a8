"""Policies of nodes that are no plain tasks, and of whole executions, through a real server and flytekit's client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import catalog_pb2
from flyteidl.core import execution_pb2 as core_execution_pb2
from flytekit.models.common import Labels
from flytekit.remote import FlyteRemote
from flytekit.remote.executions import FlyteWorkflowExecution
from flytekit.tools.translator import Options
from tests.platforms import remotes
from tests.platforms.launching import VERSION
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "ways.py"
Phase = core_execution_pb2.WorkflowExecution
NodePhase = core_execution_pb2.NodeExecution
TaskPhase = core_execution_pb2.TaskExecution


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlyteRemote]:
    with Server(tmp_path_factory.mktemp("ways") / "data") as server:
        yield remotes.register(server, PROGRAM)


def launch(remote: FlyteRemote, plan: str, options: Options | None = None, **inputs: object) -> FlyteWorkflowExecution:
    found = remote.fetch_launch_plan(name=f"ways.{plan}", version=VERSION)
    return remote.execute(found, inputs=inputs, options=options)


def run(remote: FlyteRemote, plan: str, **inputs: object) -> FlyteWorkflowExecution:
    return remotes.wait(remote, launch(remote, plan, **inputs))


def test_a_map_task_keeps_to_its_concurrency(remote: FlyteRemote, tmp_path: Path) -> None:
    assert run(remote, "two_at_a_time", folder=str(tmp_path)).outputs["o0"] <= 2


def test_an_execution_keeps_to_its_parallelism(remote: FlyteRemote, tmp_path: Path) -> None:
    ended = run(remote, "six_plan", folder=str(tmp_path))
    assert ended.spec.max_parallelism == 2
    assert max(ended.outputs["o0"]) <= 2


def test_elements_are_retried_one_by_one(remote: FlyteRemote, tmp_path: Path) -> None:
    ended = run(remote, "lucky_elements", folder=str(tmp_path))
    assert ended.outputs == {"o0": [0, 1, 2, 3]}
    assert [(tmp_path / f"{x}.tries").read_text() for x in range(4)] == [".", "...", ".", "..."]
    identifier = ended.node_executions["n1"].id.to_flyte_idl()
    listed = remote.client._stub.ListTaskExecutions(
        task_execution_pb2.TaskExecutionListRequest(node_execution_id=identifier, limit=10)
    )
    [one] = listed.task_executions
    resources = one.closure.metadata.external_resources
    failed, well = TaskPhase.FAILED, TaskPhase.SUCCEEDED
    assert [(each.index, each.retry_attempt, each.phase) for each in resources] == [
        (0, 0, well),
        (1, 0, failed),
        (1, 1, failed),
        (1, 2, well),
        (2, 0, well),
        (3, 0, failed),
        (3, 1, failed),
        (3, 2, well),
    ]


@pytest.mark.parametrize(("plan", "inputs"), [("in_time", {"x": 1}), ("nobody_signals", {})])
def test_nodes_that_are_no_tasks_are_timed_out(remote: FlyteRemote, plan: str, inputs: dict[str, object]) -> None:
    ended = run(remote, plan, **inputs)
    assert (ended.closure.phase, ended.error.code) == (Phase.FAILED, "Timeout")
    node = ended.node_executions["n0"]
    assert node.closure.phase == NodePhase.TIMED_OUT
    assert "was not done within 1 s" in node.closure.error.message


def test_children_get_the_settings_of_their_parents(remote: FlyteRemote) -> None:
    plan = remote.fetch_launch_plan(name="ways.handed_down", version=VERSION)
    options = Options(labels=Labels({"team": "a"}), max_parallelism=3)
    execution = remote.execute(
        plan, inputs={"name": "GREETING"}, options=options, envs={"GREETING": "hello"}, interruptible=True
    )
    ended = remotes.wait(remote, execution)
    assert ended.outputs == {"o0": "hello"}
    name = ended.node_executions["n0"].closure.workflow_node_metadata.execution_id.name
    child = remote.client._stub.GetExecution(
        execution_pb2.WorkflowExecutionGetRequest(id={**_place(ended), "name": name})
    ).spec
    assert dict(child.labels.values)["team"] == "a"
    assert [(pair.key, pair.value) for pair in child.envs.values] == [("GREETING", "hello")]
    assert (child.max_parallelism, child.interruptible.value) == (3, True)
    unset = run(remote, "handed_down", name="NOTHING")
    name = unset.node_executions["n0"].closure.workflow_node_metadata.execution_id.name
    child = remote.client._stub.GetExecution(
        execution_pb2.WorkflowExecutionGetRequest(id={**_place(unset), "name": name})
    ).spec
    assert not child.HasField("interruptible")


def _place(execution: FlyteWorkflowExecution) -> dict[str, str]:
    return {"project": execution.id.project, "domain": execution.id.domain}


def test_inputs_that_do_not_count_and_values_with_a_hash(remote: FlyteRemote) -> None:
    assert run(remote, "ignored", x=1, note="first").outputs == {"o0": "first"}
    again = run(remote, "ignored", x=1, note="second")
    assert again.outputs == {"o0": "first"}
    assert run(remote, "hashed", x=1.1).outputs == {"o0": 1.1}
    near = run(remote, "hashed", x=0.9)
    assert near.outputs == {"o0": 1.1}
    assert near.node_executions["n1"].closure.task_node_metadata.cache_status == catalog_pb2.CACHE_HIT
    assert run(remote, "hashed", x=2.1).outputs == {"o0": 2.1}


@pytest.mark.parametrize(
    ("a", "b", "c", "taken"),
    [
        (1, 0.0, "", "a == 1"),
        (3, 2.5, "", "a != 2, b >= 2.5"),
        (2, 2.5, "", "b > 1.5 or c == x"),
        (2, 0.0, "x", "b > 1.5 or c == x"),
        (2, 0.4, "z", "b < 0.5, c != y"),
        (2, 0.4, "y", "b <= 1.0"),
        (2, 1.0, "y", "b <= 1.0"),
        (2, 1.2, "y", "none"),
    ],
)
def test_every_operator_of_a_conditional(remote: FlyteRemote, a: int, b: float, c: str, taken: str) -> None:
    assert run(remote, "operators", a=a, b=b, c=c).outputs == {"o0": taken}


def test_a_sub_workflow_is_retried_as_a_whole(remote: FlyteRemote, tmp_path: Path) -> None:
    ended = run(remote, "retried_whole", folder=str(tmp_path))
    assert ended.outputs == {"o0": 2}
    request = node_execution_pb2.NodeExecutionListRequest(
        workflow_execution_id=ended.id.to_flyte_idl(), limit=100, unique_parent_id="n0"
    )
    listed = remote.client._stub.ListNodeExecutions(request).node_executions
    assert {one.id.node_id: NodePhase.Phase.Name(one.closure.phase) for one in listed} == {
        "n0-0-start-node": "SUCCEEDED",
        "n0-0-n0": "FAILED",
        "n0-1-start-node": "SUCCEEDED",
        "n0-1-n0": "SUCCEEDED",
        "n0-1-end-node": "SUCCEEDED",
    }


def test_a_nap(remote: FlyteRemote) -> None:
    assert run(remote, "naps").closure.phase == Phase.SUCCEEDED


def test_a_relaunch_runs_the_same_again(remote: FlyteRemote) -> None:
    first = run(remote, "operators", a=1, b=0.0, c="")
    created = remote.client._stub.RelaunchExecution(execution_pb2.ExecutionRelaunchRequest(id=first.id.to_flyte_idl()))
    again = remotes.wait(remote, remote.fetch_execution(name=created.id.name))
    assert again.outputs == first.outputs
    assert again.spec.metadata.mode == execution_pb2.ExecutionMetadata.RELAUNCH
