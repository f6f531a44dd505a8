"""The example of the flights, twice: the second run takes everything from the cache, as long as the files are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from flyteidl.admin import execution_pb2, task_execution_pb2
from flyteidl.core import catalog_pb2
from flyteidl.core import execution_pb2 as core_execution_pb2
from flytekit.remote import FlyteRemote
from flytekit.remote.executions import FlyteWorkflowExecution
from tests.platforms import remotes
from tests.platforms.launching import VERSION
from tests.platforms.server import Server

EXAMPLES = Path(__file__).parents[2] / "examples"
HIT, POPULATED = catalog_pb2.CACHE_HIT, catalog_pb2.CACHE_POPULATED


@pytest.fixture
def remote(tmp_path: Path):
    with Server(tmp_path / "data") as server:
        yield remotes.register(server, EXAMPLES / "flights.py")


def run(remote: FlyteRemote) -> FlyteWorkflowExecution:
    plan = remote.fetch_launch_plan(name="flights.delays", version=VERSION)
    ended = remotes.wait(remote, remote.execute(plan, inputs={"max_iter": 5}))
    assert ended.closure.phase == core_execution_pb2.WorkflowExecution.SUCCEEDED, ended.error
    return ended


def statuses(execution: FlyteWorkflowExecution) -> list[int]:
    nodes = execution.node_executions
    return [nodes[name].closure.task_node_metadata.cache_status for name in ("n0", "n1")]


def attempts(remote: FlyteRemote, execution: FlyteWorkflowExecution) -> int:
    """Return how many attempts the execution's nodes took."""
    found = 0
    for name in ("n0", "n1"):
        identifier = execution.node_executions[name].id.to_flyte_idl()
        request = task_execution_pb2.TaskExecutionListRequest(node_execution_id=identifier, limit=10)
        found += len(remote.client._stub.ListTaskExecutions(request).task_executions)
    return found


def model_of(remote: FlyteRemote, execution: FlyteWorkflowExecution) -> Path:
    request = execution_pb2.WorkflowExecutionGetDataRequest(id=execution.id.to_flyte_idl())
    outputs = remote.client._stub.GetExecutionData(request).full_outputs.literals
    return Path(outputs["model"].scalar.blob.uri.removeprefix("file://"))


def test_a_second_run_runs_nothing_until_a_file_is_gone(remote: FlyteRemote) -> None:
    first = run(remote)
    assert (statuses(first), attempts(remote, first)) == ([POPULATED, POPULATED], 2)

    second = run(remote)
    assert (statuses(second), attempts(remote, second)) == ([HIT, HIT], 0)
    assert (second.outputs["rows"], second.outputs["r2"]) == (first.outputs["rows"], first.outputs["r2"])
    for name in ("n0", "n1"):
        source = second.node_executions[name].closure.task_node_metadata.catalog_key.source_task_execution
        assert source.node_execution_id.execution_id.name == first.id.name
        assert source.node_execution_id.node_id == name

    model_of(remote, second).unlink()
    third = run(remote)
    assert (statuses(third), attempts(remote, third)) == ([HIT, POPULATED], 1)
    assert model_of(remote, third).exists()
    assert third.outputs["r2"] == first.outputs["r2"]
