"""Every kind of node, run to its right end through flytekit's client, with the executions of nodes that it reads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import catalog_pb2, metrics_pb2
from flyteidl.core import execution_pb2 as core_execution_pb2
from flyteidl.service import dataproxy_pb2, dataproxy_pb2_grpc
from flytekit.exceptions import base
from flytekit.remote import FlyteRemote
from flytekit.remote.executions import FlyteNodeExecution, FlyteWorkflowExecution
from tests.platforms import launching, remotes
from tests.platforms.launching import VERSION
from tests.platforms.server import Server

from dayfly.controller import attempts as attempts_of_tasks
from dayfly.model import identifiers
from dayfly.model.phases import ExecutionPhase

PROGRAM = Path(__file__).parent / "programs" / "whole.py"
Phase = core_execution_pb2.WorkflowExecution
NodePhase = core_execution_pb2.NodeExecution
TaskPhase = core_execution_pb2.TaskExecution
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("kinds") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def remote(server: Server) -> FlyteRemote:
    return remotes.register(server, PROGRAM)


def launch(remote: FlyteRemote, name: str, **inputs: object) -> FlyteWorkflowExecution:
    plan = remote.fetch_launch_plan(name=f"whole.{name}", version=VERSION)
    return remote.execute(plan, inputs=inputs)


def run(remote: FlyteRemote, name: str, **inputs: object) -> FlyteWorkflowExecution:
    return remotes.wait(remote, launch(remote, name, **inputs))


def children(remote: FlyteRemote, node: FlyteNodeExecution) -> dict[str, node_execution_pb2.NodeExecution]:
    """Return the rows directly below a node, by id."""
    identifier = node.id.to_flyte_idl()
    request = node_execution_pb2.NodeExecutionListRequest(
        workflow_execution_id=identifier.execution_id, limit=100, unique_parent_id=identifier.node_id
    )
    listed = remote.client._stub.ListNodeExecutions(request)
    return {one.id.node_id: one for one in listed.node_executions}


def attempts(remote: FlyteRemote, node: FlyteNodeExecution) -> list[task_execution_pb2.TaskExecution]:
    request = task_execution_pb2.TaskExecutionListRequest(node_execution_id=node.id.to_flyte_idl(), limit=100)
    return list(remote.client._stub.ListTaskExecutions(request).task_executions)


def until(true: object, what: str) -> None:
    """Wait until `true()` is."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_sub_workflows(remote: FlyteRemote) -> None:
    ended = run(remote, "sub_workflows", x=2)
    assert ended.outputs == {"o0": 22}
    middle = ended.node_executions["n0"]
    assert middle.metadata.is_parent_node
    below = children(remote, middle)
    assert {name: NodePhase.Phase.Name(row.closure.phase) for name, row in below.items()} == dict.fromkeys(
        ["n0-0-start-node", "n0-0-n0", "n0-0-n1", "n0-0-end-node"], "SUCCEEDED"
    )
    assert {row.metadata.spec_node_id for row in below.values()} == {"start-node", "n0", "n1", "end-node"}
    assert middle.outputs == {"o0": 15}
    # two deep, and a name that is too long to stand as it is
    deepest = next(one for one in middle.subworkflow_node_executions.values() if one.metadata.spec_node_id == "n1")
    assert sorted(one.outputs["o0"] for one in deepest.subworkflow_node_executions.values() if one.outputs) == [14, 15]


def test_nodes_are_found_by_the_names_that_users_gave_them(remote: FlyteRemote) -> None:
    ended = run(remote, "named", x=2)
    assert ended.outputs == {"o0": 8}
    assert ended.node_executions["verdoppelt-für-später"].outputs == {"o0": 4}
    assert ended.node_executions["ergebnis"].outputs == {"o0": 8}


@pytest.mark.parametrize(("x", "ready", "result"), [(20, True, 40), (5, False, 13), (7, True, 107), (0, True, 3)])
def test_conditionals(remote: FlyteRemote, x: int, ready: bool, result: int) -> None:
    ended = run(remote, "choosing", x=x, ready=ready)
    assert ended.outputs == {"o0": result}
    assert not ended.node_executions["n0"].metadata.is_parent_node
    assert len(children(remote, ended.node_executions["n0"])) == 1


def test_a_conditional_that_fails_says_what_its_author_says(remote: FlyteRemote) -> None:
    ended = run(remote, "choosing", x=8, ready=True)
    assert ended.closure.phase == Phase.FAILED
    assert ended.error.code == "UserProvidedError"
    assert ended.error.message == "neither of these\n\nFailed at: choosing > n0 (size) > n0-0-n0-n2 (parity)"
    assert ended.error.kind == core_execution_pb2.ExecutionError.USER


def test_dynamic_workflows_and_those_they_make(remote: FlyteRemote) -> None:
    ended = run(remote, "dynamics", n=4, depth=2)
    assert ended.outputs == {"o0": 19}
    fan = ended.node_executions["n0"]
    assert (fan.metadata.is_parent_node, fan.metadata.is_dynamic) == (True, True)
    below = {one.metadata.spec_node_id for one in fan.subworkflow_node_executions.values()}
    assert below == {"start-node", "dn0", "dn1", "dn2", "dn3", "dn4", "end-node"}
    assert [one.closure.phase for one in attempts(remote, fan)] == [TaskPhase.SUCCEEDED]
    answer = remote.client._stub.GetDynamicNodeWorkflow(
        node_execution_pb2.GetDynamicNodeWorkflowRequest(id=fan.id.to_flyte_idl())
    )
    made = [node.id for node in answer.compiled_workflow.primary.template.nodes]
    assert made == ["start-node", "end-node", "dn0", "dn1", "dn2", "dn3", "dn4"]


def test_map_tasks(remote: FlyteRemote) -> None:
    ended = run(remote, "mapped", n=5)
    assert ended.outputs == {"o0": 20}
    mapped = ended.node_executions["n1"]
    assert mapped.outputs == {"o0": [0, 2, 4, 6, 8]}
    assert mapped.metadata.is_array
    [one] = attempts(remote, mapped)
    assert (one.closure.task_type, one.closure.phase) == ("container_array", TaskPhase.SUCCEEDED)
    resources = one.closure.metadata.external_resources
    assert [(each.index, each.retry_attempt, each.phase) for each in resources] == [
        (index, 0, TaskPhase.SUCCEEDED) for index in range(5)
    ]
    assert [each.external_id for each in resources] == [f"{ended.id.name}-n1-0-{index}" for index in range(5)]
    assert all(each.logs for each in resources)


def test_long_map_tasks(remote: FlyteRemote) -> None:
    # each element gets inputs of its own, which a task does not notice
    size = attempts_of_tasks.LONG_ARRAY + 20
    ended = run(remote, "mapped", n=size)
    assert ended.outputs == {"o0": size * (size - 1)}
    assert ended.node_executions["n1"].outputs["o0"] == [2 * number for number in range(size)]


def test_map_tasks_of_nothing(remote: FlyteRemote) -> None:
    assert run(remote, "mapped", n=0).outputs == {"o0": 0}


def test_map_tasks_that_may_fail_in_part(remote: FlyteRemote) -> None:
    ended = run(remote, "mapped_in_part", n=6, limit=4)
    assert ended.outputs == {"o0": 6}
    [one] = attempts(remote, ended.node_executions["n1"])
    assert [each.phase for each in one.closure.metadata.external_resources] == [TaskPhase.SUCCEEDED] * 4 + [
        TaskPhase.FAILED
    ] * 2
    failed = run(remote, "mapped_in_part", n=6, limit=2)
    assert failed.closure.phase == Phase.FAILED
    assert failed.error.message.startswith("4 of 6 elements failed, 3 must succeed.")
    assert "is too much" in failed.error.message


def test_launch_plans(remote: FlyteRemote) -> None:
    ended = run(remote, "launches", x=3)
    assert ended.outputs == {"o0": 18}
    node = ended.node_executions["n0"]
    assert not node.metadata.is_parent_node
    child = remote.fetch_execution(name=node.closure.workflow_node_metadata.execution_id.name)
    assert child.spec.metadata.mode == execution_pb2.ExecutionMetadata.CHILD_WORKFLOW
    assert child.spec.metadata.nesting == 1
    assert child.spec.metadata.parent_node_execution == node.id
    assert node.workflow_executions[0].outputs == {"o0": 11}


def test_gates(remote: FlyteRemote) -> None:
    waiting = launch(remote, "gated", x=3)
    set_soon(lambda: remote.set_input("number", waiting.id.name, value=4, python_type=int))
    set_soon(lambda: remote.approve("sure", waiting.id.name))
    assert remotes.wait(remote, waiting).outputs == {"o0": 14}


def test_an_approval_that_is_refused(remote: FlyteRemote) -> None:
    waiting = launch(remote, "gated", x=3)
    set_soon(lambda: remote.set_input("number", waiting.id.name, value=4, python_type=int))
    set_soon(lambda: remote.reject("sure", waiting.id.name))
    ended = remotes.wait(remote, waiting)
    assert (ended.closure.phase, ended.error.code) == (Phase.FAILED, "ReceivedRejectSignal")


def set_soon(call: object) -> None:
    """Give a signal as soon as its gate waits for it; until then it does not exist."""

    def taken() -> bool:
        try:
            call()  # type: ignore[operator]
        except base.FlyteException:
            return False
        return True

    until(taken, "no gate came to wait for the signal")


def test_a_failure_node_is_told_of_the_failure(remote: FlyteRemote, server: Server) -> None:
    ended = run(remote, "handled", x=1)
    assert ended.closure.phase == Phase.FAILED
    assert "1 is too much" in ended.error.message
    [handler] = [node for name, node in ended.node_executions.items() if name.startswith("fn")]
    assert handler.closure.phase == NodePhase.SUCCEEDED
    told = remote.client._stub.GetNodeExecutionData(
        node_execution_pb2.NodeExecutionGetDataRequest(id=handler.id.to_flyte_idl())
    ).full_inputs.literals
    assert told["x"].scalar.primitive.integer == 1
    assert "1 is too much" in told["err"].scalar.union.value.scalar.error.message
    assert told["err"].scalar.union.value.scalar.error.failed_node_id == "n0"


def test_a_patient_workflow_runs_what_it_can(remote: FlyteRemote) -> None:
    ended = run(remote, "patient", x=1)
    assert ended.closure.phase == Phase.FAILED
    phases = {name: NodePhase.Phase.Name(node.closure.phase) for name, node in ended.node_executions.items()}
    assert phases == {"start-node": "SUCCEEDED", "n0": "FAILED", "n1": "SUCCEEDED", "n2": "SUCCEEDED"}


def test_cached_results_are_found_and_say_where_from(remote: FlyteRemote) -> None:
    first = run(remote, "cached", x=1, key="a")
    again = run(remote, "cached", x=1, key="a")
    assert again.outputs == first.outputs == {"o0": f"1 by {first.id.name}"}
    made, found = first.node_executions["n0"], again.node_executions["n0"]
    assert made.closure.task_node_metadata.cache_status == catalog_pb2.CACHE_POPULATED
    assert found.closure.task_node_metadata.cache_status == catalog_pb2.CACHE_HIT
    source = found.closure.task_node_metadata.catalog_key.source_task_execution
    assert source.node_execution_id.execution_id.name == first.id.name
    assert attempts(remote, found) == []
    plan = remote.fetch_launch_plan(name="whole.cached", version=VERSION)
    anew = remotes.wait(remote, remote.execute(plan, inputs={"x": 1, "key": "a"}, overwrite_cache=True))
    assert anew.outputs == {"o0": f"1 by {anew.id.name}"}
    assert anew.node_executions["n0"].closure.task_node_metadata.cache_status == catalog_pb2.CACHE_POPULATED


def test_recovery_takes_over_what_had_succeeded(remote: FlyteRemote, tmp_path: Path) -> None:
    # Of each kind something is there from the start, and something only when it is recovered.
    for name in ("part0", "part2", "dyn0"):
        (tmp_path / name).touch()
    first = run(remote, "recoverable", folder=str(tmp_path))
    assert first.closure.phase == Phase.FAILED
    for name in ("part1", "dyn1", "inside"):
        (tmp_path / name).touch()
    recovered = remotes.wait(remote, recover(remote, first))
    assert recovered.closure.phase == Phase.SUCCEEDED, recovered.error
    assert recovered.spec.metadata.mode == execution_pb2.ExecutionMetadata.RECOVERED
    assert recovered.spec.metadata.reference_execution == first.id
    assert recovered.node_executions["n0"].closure.phase == NodePhase.RECOVERED
    assert (tmp_path / "prepared.tries").read_text() == "."


def test_a_failure_node_that_is_a_launch_plan_is_run_anew_in_a_recovery(
    remote: FlyteRemote, server: Server, tmp_path: Path
) -> None:
    # Without flytekit's classes, which cannot read a failure node that is a launch plan.
    first = launching.launch(server, "whole.tidied", folder=str(tmp_path))
    assert launching.wait(server, first)[0].phase is ExecutionPhase.FAILED
    request = execution_pb2.ExecutionRecoverRequest(id=identifiers.to_execution_identifier(first))
    second = identifiers.from_execution_identifier(remote.client._stub.RecoverExecution(request).id)
    assert launching.wait(server, second)[0].phase is ExecutionPhase.FAILED
    assert (tmp_path / "tidied.tries").read_text() == ".."


def recover(remote: FlyteRemote, execution: FlyteWorkflowExecution) -> FlyteWorkflowExecution:
    request = execution_pb2.ExecutionRecoverRequest(id=execution.id.to_flyte_idl())
    created = remote.client._stub.RecoverExecution(request)
    return remote.fetch_execution(name=created.id.name)


def test_an_abort_reaches_everything_inside(remote: FlyteRemote, server: Server, tmp_path: Path) -> None:
    execution = launch(remote, "waits_everywhere", folder=str(tmp_path))
    until((tmp_path / "waiting").exists, "no task began to wait")
    child = None

    def launched() -> bool:
        nonlocal child
        synced = remote.sync(remote.fetch_execution(name=execution.id.name), sync_nodes=True)
        found = [
            node.closure.workflow_node_metadata.execution_id.name
            for node in synced.node_executions.values()
            if node.closure.workflow_node_metadata is not None
        ]
        child = found[0] if found else None
        return child is not None

    until(launched, "no child was launched")
    remote.terminate(execution, "enough")
    ended = remotes.wait(remote, remote.fetch_execution(name=execution.id.name))
    assert ended.closure.phase == Phase.ABORTED
    assert {node.closure.phase for name, node in ended.node_executions.items() if name != "start-node"} == {
        NodePhase.ABORTED
    }
    below = remotes.wait(remote, remote.fetch_execution(name=child))
    assert below.closure.phase == Phase.ABORTED
    assert execution.id.name in below.closure.abort_metadata.cause


def test_launch_plans_are_mapped_over(remote: FlyteRemote) -> None:
    ended = run(remote, "mapped_launches", n=3)
    assert ended.outputs == {"o0": [0, 2, 4]}
    [one] = attempts(remote, ended.node_executions["n1"])
    launched = [each.workflow_node_metadata.execution_id.name for each in one.closure.metadata.external_resources]
    assert len(set(launched)) == 3
    assert all(remote.fetch_execution(name=name).closure.phase == Phase.SUCCEEDED for name in launched)


def test_a_map_task_inside_a_dynamic_workflow(remote: FlyteRemote) -> None:
    ended = run(remote, "mapped_within", n=4)
    assert ended.outputs == {"o0": 12}
    [mapped] = [one for one in descendants(ended.node_executions["n0"]) if one.metadata.is_array]
    [one] = attempts(remote, mapped)
    assert [each.phase for each in one.closure.metadata.external_resources] == [TaskPhase.SUCCEEDED] * 4


def descendants(node: FlyteNodeExecution) -> Iterator[FlyteNodeExecution]:
    for child in (node.subworkflow_node_executions or {}).values():
        yield child
        yield from descendants(child)


def test_elements_are_cached_one_by_one(remote: FlyteRemote, tmp_path: Path) -> None:
    assert run(remote, "mapped_cached", n=2, folder=str(tmp_path)).outputs == {"o0": 2}
    ended = run(remote, "mapped_cached", n=4, folder=str(tmp_path))
    assert ended.outputs == {"o0": 12}
    assert {path.name: path.read_text() for path in tmp_path.glob("*.tries")} == {f"{x}.tries": "." for x in range(4)}
    [one] = attempts(remote, ended.node_executions["n1"])
    assert [each.cache_status for each in one.closure.metadata.external_resources] == [
        catalog_pb2.CACHE_HIT,
        catalog_pb2.CACHE_HIT,
        catalog_pb2.CACHE_POPULATED,
        catalog_pb2.CACHE_POPULATED,
    ]


def test_of_several_that_want_one_result_one_makes_it(remote: FlyteRemote, tmp_path: Path) -> None:
    launched = [launch(remote, "serialized", folder=str(tmp_path)) for _ in range(3)]
    ended = [remotes.wait(remote, each) for each in launched]
    assert (tmp_path / "serial.tries").read_text() == "."
    assert len({each.outputs["o0"] for each in ended}) == 1


def test_a_cached_result_whose_file_is_gone_is_made_anew(remote: FlyteRemote, tmp_path: Path) -> None:
    first = run(remote, "cached_file", folder=str(tmp_path))
    run(remote, "cached_file", folder=str(tmp_path))
    assert (tmp_path / "written.tries").read_text() == "."
    file_of(remote, first).unlink()
    again = run(remote, "cached_file", folder=str(tmp_path))
    assert (tmp_path / "written.tries").read_text() == ".."
    assert file_of(remote, again).read_text() == "written"
    # and what was made anew has taken its place
    run(remote, "cached_file", folder=str(tmp_path))
    assert (tmp_path / "written.tries").read_text() == ".."


@pytest.mark.parametrize(
    ("name", "inputs", "below"),
    [
        ("sub_workflows", {"x": 2}, "node_id"),
        ("dynamics", {"n": 2, "depth": 0}, "node_id"),
        ("launches", {"x": 3}, "workflow_id"),
        ("choosing", {"x": 20, "ready": True}, "node_id"),
    ],
)
def test_metrics_go_into_what_is_inside(remote: FlyteRemote, name: str, inputs: dict[str, object], below: str) -> None:
    ended = run(remote, name, **inputs)
    asked = execution_pb2.WorkflowExecutionGetMetricsRequest(id=ended.id.to_flyte_idl(), depth=10)
    span = remote.client._stub.GetExecutionMetrics(asked).span
    first = next(one for one in span.spans if one.HasField("node_id"))
    kinds = [one.operation_id or one.WhichOneof("id") for one in first.spans]
    assert below in kinds
    deepest = list(leaves(span))
    assert "TASK_RUNTIME" in {one.operation_id for one in deepest}
    assert all(one.end_time.ToNanoseconds() >= one.start_time.ToNanoseconds() for one in deepest)
    asked.depth = 1
    assert not any(one.spans for one in remote.client._stub.GetExecutionMetrics(asked).span.spans)


def leaves(span: metrics_pb2.Span) -> Iterator[metrics_pb2.Span]:
    for inner in span.spans:
        yield from leaves(inner) if inner.spans else [inner]


def file_of(remote: FlyteRemote, execution: FlyteWorkflowExecution) -> Path:
    """Return where the file lies that an execution gives."""
    request = execution_pb2.WorkflowExecutionGetDataRequest(id=execution.id.to_flyte_idl())
    outputs = remote.client._stub.GetExecutionData(request).full_outputs.literals
    return Path(outputs["o0"].scalar.blob.uri.removeprefix("file://"))


def test_decks_and_files_are_read_through_links(remote: FlyteRemote, tmp_path: Path) -> None:
    ended = run(remote, "shows", x=7)
    links = remote.client.get_download_artifact_signed_url(
        node_id="n0", project=ended.id.project, domain=ended.id.domain, name=ended.id.name
    )
    assert "<b>7 shown</b>" in httpx.get(links.signed_url[0]).text
    made = run(remote, "cached_file", folder=str(tmp_path))
    request = dataproxy_pb2.CreateDownloadLocationRequest(native_url=str(file_of(remote, made)))
    stub = dataproxy_pb2_grpc.DataProxyServiceStub(remote.client._channel)
    assert httpx.get(stub.CreateDownloadLocation(request).signed_url).text == "written"
