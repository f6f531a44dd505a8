"""The API message by message: codes, tokens, and executions moved on by hand, event by event."""

import asyncio

import grpc
import httpx
import pytest
from calling import CHAIN, HERE, INTEGER, TASK, TEXT, code, launch, move, named, node_id, register
from flyteidl.admin import (
    common_pb2,
    execution_pb2,
    launch_plan_pb2,
    node_execution_pb2,
    project_pb2,
    task_execution_pb2,
    version_pb2,
    workflow_pb2,
)
from flyteidl.core import identifier_pb2, literals_pb2
from flyteidl.service import dataproxy_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from serving import serving

from dayfly import client
from dayfly.base import errors
from dayfly.client import watching
from dayfly.controller import turn
from dayfly.model import events, layout
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase, ExecutionPhase, FailureKind, NodePhase
from dayfly.services import api, server


@pytest.fixture
async def served(tmp_path):
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def calls(served):
    async with client.open(served.address) as opened:
        yield opened


@pytest.fixture
def admin(calls):
    return calls.admin


class TestCodes:
    async def test_undecodable_bytes_are_invalid_not_unknown(self, served):
        async with grpc.aio.insecure_channel(served.address) as channel:
            for method in ("CreateTask", "GetExecution", "ListProjects"):
                call = channel.unary_unary(f"/flyteidl.service.AdminService/{method}")
                assert await code(call(b"\xff\xff\xff")) == grpc.StatusCode.INVALID_ARGUMENT

    async def test_a_bug_is_internal_not_unknown(self, served, admin, monkeypatch):
        async def broken(_):
            raise ZeroDivisionError("a bug")

        monkeypatch.setattr(served.store.definitions, "find_project", broken)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await admin.GetProject(project_pb2.ProjectGetRequest(id="x"))
        assert refused.value.code() == grpc.StatusCode.INTERNAL
        assert "incident" in refused.value.details() and "a bug" not in refused.value.details()

    async def test_too_large_a_request_is_refused_and_the_server_lives_on(self, admin):
        huge = launch_plan_pb2.LaunchPlanCreateRequest(id={"name": "x" * (65 * 1024 * 1024)})
        assert await code(admin.CreateLaunchPlan(huge)) == grpc.StatusCode.RESOURCE_EXHAUSTED
        version = await admin.GetVersion(version_pb2.GetVersionRequest())
        assert version.control_plane_version.Version == "v0.1.0"

    async def test_very_long_error_messages_fit_the_headers(self, admin):
        request = common_pb2.ResourceListRequest(id={**HERE, "name": ""}, limit=1, filters="ü" * 100_000)
        assert await code(admin.ListExecutions(request)) == grpc.StatusCode.INVALID_ARGUMENT

    async def test_health_and_reflection(self, served):
        async with grpc.aio.insecure_channel(served.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = await stub.Check(health_pb2.HealthCheckRequest(service="flyteidl.service.AdminService"))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    async def test_lists_need_a_limit_and_a_sane_token(self, admin):
        for wrong in (
            {"limit": 0},
            {"limit": 1, "token": "x"},
            {"limit": 1, "token": "-1"},
            {"limit": 1, "filters": "x"},
        ):
            request = common_pb2.ResourceListRequest(id={**HERE, "name": ""}, **wrong)
            assert await code(admin.ListTasks(request)) == grpc.StatusCode.INVALID_ARGUMENT

    async def test_identical_and_different_workflows_explain_themselves(self, admin):
        await register(admin)
        stored = await admin.GetWorkflow(common_pb2.ObjectGetRequest(id=CHAIN))
        template = stored.closure.compiled_workflow.primary.template
        again = workflow_pb2.WorkflowCreateRequest(id=CHAIN, spec={"template": template})
        assert await code(admin.CreateWorkflow(again)) == grpc.StatusCode.ALREADY_EXISTS
        again.spec.template.metadata_defaults.interruptible = True
        with pytest.raises(grpc.aio.AioRpcError, match="interruptible") as refused:
            await admin.CreateWorkflow(again)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        details = dict(refused.value.trailing_metadata())["grpc-status-details-bin"]
        assert b"CreateWorkflowFailureReason" in details

    async def test_wrong_resource_type(self, admin):
        request = common_pb2.ObjectGetRequest(id=CHAIN)
        assert await code(admin.GetTask(request)) == grpc.StatusCode.INVALID_ARGUMENT


class TestProjects:
    async def test_register_update_archive(self, admin, calls):
        project = project_pb2.Project(id="mine", name="Mine", labels={"values": {"team": "a"}})
        await admin.RegisterProject(project_pb2.ProjectRegisterRequest(project=project))
        assert (
            await code(admin.RegisterProject(project_pb2.ProjectRegisterRequest(project=project)))
            == grpc.StatusCode.ALREADY_EXISTS
        )
        await admin.UpdateProject(project_pb2.Project(id="mine", state=project_pb2.Project.ARCHIVED))
        listed = await admin.ListProjects(project_pb2.ProjectListRequest())
        assert [one.id for one in listed.projects] == ["flytesnacks"]
        found = await admin.GetProject(project_pb2.ProjectGetRequest(id="mine"))
        assert (found.name, found.labels.values["team"], len(found.domains)) == ("Mine", "a", 3)
        request = dataproxy_request(project="mine")
        create = calls.dataproxy.CreateUploadLocation(request)
        assert await code(create) == grpc.StatusCode.INVALID_ARGUMENT

    @pytest.mark.parametrize(
        "wrong",
        [{"id": "Upper"}, {"id": ""}, {"id": "a" * 64}, {"id": "a", "name": "n" * 65}, {"id": "a", "domains": [{}]}],
    )
    async def test_malformed(self, admin, wrong):
        request = project_pb2.ProjectRegisterRequest(project=wrong)
        assert await code(admin.RegisterProject(request)) == grpc.StatusCode.INVALID_ARGUMENT

    async def test_unknown(self, admin):
        assert await code(admin.UpdateProject(project_pb2.Project(id="nobody"))) == grpc.StatusCode.NOT_FOUND


class TestSchedules:
    async def test_rules(self, admin):
        await register(admin)

        def request(name, value=1, **spec):
            rate = {"rate": {"value": value, "unit": 0}}
            schedule = {"schedule": {**rate, "kickoff_time_input_arg": spec.pop("kickoff", "")}}
            plan = {"workflow_id": CHAIN, "entity_metadata": schedule, **spec}
            return launch_plan_pb2.LaunchPlanCreateRequest(id=named(identifier_pb2.LAUNCH_PLAN, name), spec=plan)

        fixed = {"fixed_inputs": {"literals": {"number": INTEGER, "text": TEXT}}}
        assert await code(admin.CreateLaunchPlan(request("needs"))) == grpc.StatusCode.INVALID_ARGUMENT
        wrong = request("kicked", kickoff="number", **fixed)
        assert await code(admin.CreateLaunchPlan(wrong)) == grpc.StatusCode.INVALID_ARGUMENT
        never = request("never", value=0, **fixed)
        assert await code(admin.CreateLaunchPlan(never)) == grpc.StatusCode.INVALID_ARGUMENT
        await admin.CreateLaunchPlan(request("fine", **fixed))
        for state in (1, 1, 0):
            update = launch_plan_pb2.LaunchPlanUpdateRequest(id=named(identifier_pb2.LAUNCH_PLAN, "fine"), state=state)
            await admin.UpdateLaunchPlan(update)


class TestNamedEntities:
    async def test_update_and_get(self, admin):
        await register(admin)
        entity = {"resource_type": identifier_pb2.TASK, "id": {**HERE, "name": TASK.name}}
        metadata = {"description": "adds one", "state": common_pb2.NAMED_ENTITY_ARCHIVED}
        await admin.UpdateNamedEntity(common_pb2.NamedEntityUpdateRequest(metadata=metadata, **entity))
        found = await admin.GetNamedEntity(common_pb2.NamedEntityGetRequest(**entity))
        assert found.metadata.description == "adds one" and found.metadata.state == common_pb2.NAMED_ENTITY_ARCHIVED
        unknown = common_pb2.NamedEntityGetRequest(resource_type=identifier_pb2.TASK, id={**HERE, "name": "nobody"})
        assert await code(admin.GetNamedEntity(unknown)) == grpc.StatusCode.NOT_FOUND


class TestExecutionsMoved:
    """What clients see while an execution goes on."""

    async def test_from_launch_to_success(self, served, calls, admin):
        await register(admin)
        execution = await launch(admin)
        assert (await watching.snapshot(calls, execution)).phase == ExecutionPhase.UNDEFINED
        await turn.take(served.store.runs, execution)
        listed = await admin.ListNodeExecutions(nodes_of(execution))
        assert [one.id.node_id for one in listed.node_executions] == ["start-node", "n0"]
        assert listed.node_executions[0].closure.phase == NodePhase.SUCCEEDED
        data = await admin.GetNodeExecutionData(
            node_execution_pb2.NodeExecutionGetDataRequest(id=node_id(execution, "start-node"))
        )
        assert data.full_outputs.literals["number"] == INTEGER and data.full_inputs == data.full_outputs
        await self._finish(served, execution)
        seen = await watching.wait_until_ended(calls, execution, interval_seconds=0.01)
        assert seen.phase == ExecutionPhase.SUCCEEDED and [one.phase for one in seen.nodes] == [NodePhase.SUCCEEDED] * 2
        assert [one.name for one in seen.nodes] == ["increment", "label"]
        whole = await calls.get_execution_data(execution)
        assert whole.full_outputs.literals["o0"] == TEXT and whole.full_inputs.literals["number"] == INTEGER
        await self._read_by_flyte_url(calls, execution)

    async def _finish(self, served, execution):
        root, at = served.blobs.root, 1_800_000_000_000_000
        for node, name, value in (("n0", "o0", INTEGER), ("n1", "o0", TEXT), ("end-node", "o0", TEXT)):
            outputs = literals_pb2.LiteralMap(literals={name: value}).SerializeToString()
            await served.blobs.put(layout.outputs_uri(root, execution, NodeId(node)), outputs)
        for node in (NodeId("n0"), NodeId("n1")):
            running = events.AttemptProgressed(at, node, 0, AttemptPhase.RUNNING, "it runs")
            await move(served, execution, running, events.AttemptSucceeded(at + 1_000_000, node, 0))
        await move(served, execution, events.OutputsWritten(at + 2_000_000))

    async def _read_by_flyte_url(self, calls, execution):
        stub = calls.dataproxy
        prefix = f"flyte://v1/{execution}"
        whole = await stub.GetData(dataproxy_pb2.GetDataRequest(flyte_url=f"{prefix}/n1/o"))
        one = await stub.GetData(dataproxy_pb2.GetDataRequest(flyte_url=f"{prefix}/n1/0/o/o0"))
        assert whole.literal_map.literals["o0"] == one.literal == TEXT
        for url, wanted in (
            (f"{prefix}/n1/0/o/other", grpc.StatusCode.NOT_FOUND),
            (f"{prefix}/n1/d", grpc.StatusCode.NOT_FOUND),
            (f"{prefix}/n9/o", grpc.StatusCode.NOT_FOUND),
            (f"{prefix}/n1", grpc.StatusCode.INVALID_ARGUMENT),
        ):
            assert await code(stub.GetData(dataproxy_pb2.GetDataRequest(flyte_url=url))) == wanted

    async def test_failure_is_shown_with_its_error(self, served, calls, admin):
        await register(admin)
        execution = await launch(admin)
        await turn.take(served.store.runs, execution)
        at = 1_800_000_000_000_000
        said = "<script>alert(1)</script> went wrong " + "x" * 300
        for attempt in (0, 1):
            await move(
                served,
                execution,
                events.AttemptFailed(at, NodeId("n0"), attempt, FailureKind.USER, "Broken", said, recoverable=True),
            )
        seen = await watching.snapshot(calls, execution)
        assert seen.phase == ExecutionPhase.FAILED and said in seen.error.message
        assert [one.error.code for one in seen.nodes[0].attempts] == ["Broken", "Broken"]
        listed = (await calls.list_executions("flytesnacks", "development"))[0]
        assert len(listed.closure.error.message) < 120

    async def test_attempts_and_metrics(self, served, admin):
        await register(admin)
        execution = await launch(admin)
        await turn.take(served.store.runs, execution)
        await self._finish(served, execution)
        request = task_execution_pb2.TaskExecutionListRequest(node_execution_id=node_id(execution, "n0"), limit=10)
        found = (await admin.ListTaskExecutions(request)).task_executions
        assert [one.id.retry_attempt for one in found] == [0]
        got = await admin.GetTaskExecution(task_execution_pb2.TaskExecutionGetRequest(id=found[0].id))
        assert got == found[0]
        data = await admin.GetTaskExecutionData(task_execution_pb2.TaskExecutionGetDataRequest(id=found[0].id))
        assert data.full_outputs.literals["o0"] == INTEGER and data.flyte_urls.outputs.endswith("/n0/0/o")
        asked = execution_pb2.WorkflowExecutionGetMetricsRequest(id={**HERE, "name": execution.name}, depth=10)
        span = (await admin.GetExecutionMetrics(asked)).span
        told = [one.operation_id or one.WhichOneof("id") for one in span.spans]
        assert told[0] == "WORKFLOW_SETUP" and told[-1] == "WORKFLOW_TEARDOWN" and told.count("node_id") == 2
        attempt = next(one for one in span.spans if one.HasField("node_id")).spans[1]
        assert [one.operation_id for one in attempt.spans][:2] == ["TASK_SETUP", "TASK_RUNTIME"]
        asked.depth = 0
        assert not (await admin.GetExecutionMetrics(asked)).span.spans

    async def test_large_outputs_come_by_link(self, served, calls, admin):
        await register(admin)
        execution = await launch(admin)
        await turn.take(served.store.runs, execution)
        await self._finish(served, execution)
        large = literals_pb2.Literal(scalar={"primitive": {"string_value": "x" * 16 * 1024 * 1024}})
        raw = literals_pb2.LiteralMap(literals={"o0": large}).SerializeToString()
        await served.blobs.put(layout.execution_outputs_uri(served.blobs.root, execution), raw)
        data = await calls.get_execution_data(execution)
        assert not data.full_outputs.literals and data.outputs.bytes == len(raw)
        async with httpx.AsyncClient() as http:
            assert (await http.get(data.outputs.url)).content == raw

    async def test_unreadable_inputs_do_not_fail_the_call(self, served, calls, admin):
        await register(admin)
        execution = await launch(admin)
        await served.blobs.put(layout.inputs_uri(served.blobs.root, execution), b"\xff\xff")
        assert not (await calls.get_execution_data(execution)).full_inputs.literals

    async def test_unknown_parents_and_nodes(self, served, admin, calls):
        await register(admin)
        execution = await launch(admin)
        request = nodes_of(execution, unique_parent_id="n7")
        assert await code(admin.ListNodeExecutions(request)) == grpc.StatusCode.NOT_FOUND
        get = node_execution_pb2.NodeExecutionGetRequest(id=node_id(execution, "n7"))
        assert await code(admin.GetNodeExecution(get)) == grpc.StatusCode.NOT_FOUND
        link = dataproxy_pb2.CreateDownloadLinkRequest(artifact_type=1, node_execution_id=node_id(execution, "n7"))
        assert await code(calls.dataproxy.CreateDownloadLink(link)) == grpc.StatusCode.INVALID_ARGUMENT
        recover = execution_pb2.ExecutionRecoverRequest(id={**HERE, "name": "unknown"})
        assert await code(admin.RecoverExecution(recover)) == grpc.StatusCode.NOT_FOUND

    async def test_same_name_at_once_is_created_once(self, admin, calls):
        await register(admin)
        answers = await asyncio.gather(*(launch(admin, name="twice") for _ in range(8)), return_exceptions=True)
        created = [one for one in answers if isinstance(one, ExecutionId)]
        assert len(created) == 1
        assert {one.code() for one in answers if one not in created} == {grpc.StatusCode.ALREADY_EXISTS}

    async def test_child_counts_its_nesting(self, calls, admin):
        await register(admin)
        parent = await launch(admin)
        child = await launch(admin, metadata={"parent_node_execution": node_id(parent, "n0"), "mode": 4})
        spec = (await calls.get_execution(child)).spec
        assert spec.metadata.nesting == 1 and not spec.HasField("interruptible")

    async def test_who_is_told_of_the_end(self, calls, admin):
        await register(admin)
        told = {"phases": [4], "email": {"recipients_email": ["ann@example.org"]}}
        given = await calls.get_execution(await launch(admin, notifications={"notifications": [told]}))
        assert [list(one.email.recipients_email) for one in given.closure.notifications] == [["ann@example.org"]]
        assert given.closure.notifications == given.spec.notifications.notifications
        assert not (await calls.get_execution(await launch(admin, disable_all=True))).closure.notifications
        listed = await calls.list_executions("flytesnacks", "development")
        assert sorted(len(one.closure.notifications) for one in listed) == [0, 1]

    async def test_client_translates_errors(self, calls):
        with pytest.raises(errors.NotFound, match="nobody"):
            await calls.get_execution(ExecutionId("flytesnacks", "development", "nobody"))
        async with client.open("127.0.0.1:1") as nowhere:
            with pytest.raises(errors.PlatformError, match="dayfly up"):
                await nowhere.get_version()


class TestEveryRpc:
    async def test_all_are_served_or_named_as_unserved(self, served):
        bound = api.bindings(served.services)
        missing = {
            f"{service.full_name}/{method.name}"
            for service in server.SERVICES
            for method in service.methods
            if method.name not in bound[service.full_name]
        }
        assert missing == api.UNSERVED


def nodes_of(execution, **more):
    return node_execution_pb2.NodeExecutionListRequest(
        workflow_execution_id={**HERE, "name": execution.name}, limit=100, **more
    )


def dataproxy_request(**changes):
    return dataproxy_pb2.CreateUploadLocationRequest(**{**HERE, "filename_root": "root", **changes})
