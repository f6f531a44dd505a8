"""Events reported from outside: answered by Flyte's rules, and nothing moves."""

import grpc
import pytest
from calling import HERE, TASK, code, launch, move, node_id, register
from flyteidl.admin import event_pb2, node_execution_pb2, task_execution_pb2
from serving import serving

from dayfly import client
from dayfly.controller import turn
from dayfly.model import events
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import AttemptPhase

AT = {"occurred_at": {"seconds": 1_800_000_000}}
QUEUED, RUNNING, SUCCEEDED = 1, 2, 3
EXISTS, REFUSED = grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.FAILED_PRECONDITION
MISSING, WRONG = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
async def served(tmp_path):
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def admin(served):
    async with client.open(served.address) as opened:
        yield opened.admin


def of_execution(execution, phase, **more):
    event = {"execution_id": {**HERE, "name": execution.name}, "phase": phase, **AT, **more}
    return event_pb2.WorkflowExecutionEventRequest(event=event)


def of_node(execution, node, phase, **more):
    return event_pb2.NodeExecutionEventRequest(event={"id": node_id(execution, node), "phase": phase, **AT, **more})


def of_task(execution, node, phase, **more):
    event = {"task_id": TASK, "parent_node_execution_id": node_id(execution, node), "phase": phase, **AT, **more}
    return event_pb2.TaskExecutionEventRequest(event=event)


async def reason(call):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    assert refused.value.code() == REFUSED
    return dict(refused.value.trailing_metadata())["grpc-status-details-bin"]


async def started(served, admin, **spec):
    await register(admin)
    execution = await launch(admin, **spec)
    await turn.take(served.store.runs, execution)
    return execution


async def test_of_executions(served, admin):
    execution = await started(served, admin)
    before = await served.store.runs.find_execution(execution)
    assert await code(admin.CreateWorkflowEvent(of_execution(execution, RUNNING))) == EXISTS
    assert await code(admin.CreateWorkflowEvent(of_execution(execution, QUEUED))) == REFUSED
    assert await code(admin.CreateWorkflowEvent(of_execution(execution, 4))) == REFUSED
    assert await code(admin.CreateWorkflowEvent(of_execution(execution, 77))) == WRONG
    assert await code(admin.CreateWorkflowEvent(event_pb2.WorkflowExecutionEventRequest())) == WRONG
    timeless = of_execution(execution, RUNNING)
    timeless.event.ClearField("occurred_at")
    assert await code(admin.CreateWorkflowEvent(timeless)) == WRONG
    unknown = of_execution(execution, RUNNING)
    unknown.event.execution_id.name = "nobody"
    assert await code(admin.CreateWorkflowEvent(unknown)) == MISSING
    assert await served.store.runs.find_execution(execution) == before


async def test_an_ended_execution_says_so(served, admin):
    execution = await started(served, admin)
    await move(served, execution, events.AbortRequested(1_800_000_000_000_000, "enough", ""))
    await move(served, execution, events.AttemptStopped(1_800_000_000_000_001, NodeId("n0"), 0))
    told = await reason(admin.CreateWorkflowEvent(of_execution(execution, RUNNING)))
    assert b"EventFailureReason" in told and b"ABORTED" in told


async def test_another_cluster_is_told_apart(served, admin):
    on = {"metadata": {"system_metadata": {"execution_cluster": "blue"}}}
    execution = await started(served, admin, **on)
    told = await reason(admin.CreateWorkflowEvent(of_execution(execution, RUNNING, producer_id="green")))
    assert b"EventFailureReason" in told and b"blue" in told
    for producer in ("blue", "propeller", ""):
        event = of_execution(execution, RUNNING, producer_id=producer)
        assert await code(admin.CreateWorkflowEvent(event)) == EXISTS


async def test_of_nodes(served, admin):
    execution = await started(served, admin)
    get = node_execution_pb2.NodeExecutionGetRequest(id=node_id(execution, "n0"))
    before = await admin.GetNodeExecution(get)
    assert await code(admin.CreateNodeEvent(of_node(execution, "n0", before.closure.phase))) == EXISTS
    assert await code(admin.CreateNodeEvent(of_node(execution, "n0", SUCCEEDED))) == REFUSED
    assert b"SUCCEEDED" in await reason(admin.CreateNodeEvent(of_node(execution, "start-node", RUNNING)))
    assert await code(admin.CreateNodeEvent(of_node(execution, "n1", QUEUED))) == REFUSED
    orphan = of_node(execution, "n1", QUEUED, parent_node_metadata={"node_id": "n7"})
    assert await code(admin.CreateNodeEvent(orphan)) == MISSING
    orphan.event.id.execution_id.name = "nobody"
    assert await code(admin.CreateNodeEvent(orphan)) == MISSING
    assert await code(admin.CreateNodeEvent(event_pb2.NodeExecutionEventRequest())) == WRONG
    assert await admin.GetNodeExecution(get) == before


async def test_of_tasks(served, admin):
    execution = await started(served, admin)
    at, n0 = 1_800_000_000_000_000, NodeId("n0")
    await move(served, execution, events.AttemptProgressed(at, n0, 0, AttemptPhase.RUNNING, "it runs"))
    listing = task_execution_pb2.TaskExecutionListRequest(node_execution_id=node_id(execution, "n0"), limit=10)
    before = await admin.ListTaskExecutions(listing)
    assert await code(admin.CreateTaskEvent(of_task(execution, "n0", RUNNING))) == EXISTS
    assert await code(admin.CreateTaskEvent(of_task(execution, "n0", RUNNING, phase_version=9))) == REFUSED
    assert await code(admin.CreateTaskEvent(of_task(execution, "n0", SUCCEEDED))) == REFUSED
    assert await code(admin.CreateTaskEvent(of_task(execution, "n0", RUNNING, retry_attempt=5))) == REFUSED
    assert await code(admin.CreateTaskEvent(of_task(execution, "n9", RUNNING))) == MISSING
    assert await code(admin.CreateTaskEvent(event_pb2.TaskExecutionEventRequest())) == WRONG
    assert await admin.ListTaskExecutions(listing) == before
    await move(served, execution, events.AttemptFailed(at, n0, 0, 1, "Broken", "it broke", recoverable=True))
    assert b"FAILED" in await reason(admin.CreateTaskEvent(of_task(execution, "n0", RUNNING)))
