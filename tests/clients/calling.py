"""The API's own messages, by hand: a small registered workflow, executions of it, and what moves them on."""

import grpc
import pytest
from flyteidl.admin import execution_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, literals_pb2
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.tools.translator import get_serializable
from sample import chains

from dayfly.controller import turn
from dayfly.model.identifiers import ExecutionId

HERE = {"project": "flytesnacks", "domain": "development"}
INTEGER = literals_pb2.Literal(scalar={"primitive": {"integer": 4}})
TEXT = literals_pb2.Literal(scalar={"primitive": {"string_value": "is 5"}})


async def code(call):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code()


def named(kind, name, version="v1"):
    return identifier_pb2.Identifier(resource_type=kind, name=name, version=version, **HERE)


CHAIN = named(identifier_pb2.WORKFLOW, "sample.chains.chain")
PLAN = named(identifier_pb2.LAUNCH_PLAN, "sample.chains.chain")
TASK = named(identifier_pb2.TASK, "sample.chains.increment")


async def register(admin):
    settings = SerializationSettings(image_config=ImageConfig.auto_default_image(), version="v1", **HERE)
    made = {}
    get_serializable(made, settings, chains.chain)
    for spec in made.values():
        message = spec.to_flyte_idl()
        if isinstance(message, task_pb2.TaskSpec):
            await admin.CreateTask(task_pb2.TaskCreateRequest(id=message.template.id, spec=message))
    workflow = made[chains.chain].to_flyte_idl()
    await admin.CreateWorkflow(workflow_pb2.WorkflowCreateRequest(id=CHAIN, spec=workflow))
    await admin.CreateLaunchPlan(launch_plan_pb2.LaunchPlanCreateRequest(id=PLAN, spec={"workflow_id": CHAIN}))


async def launch(admin, name="", **spec):
    inputs = literals_pb2.LiteralMap(literals={"number": INTEGER, "text": TEXT})
    asked = execution_pb2.ExecutionSpec(launch_plan=PLAN, **spec)
    answer = await admin.CreateExecution(
        execution_pb2.ExecutionCreateRequest(name=name, spec=asked, inputs=inputs, **HERE)
    )
    return ExecutionId(answer.id.project, answer.id.domain, answer.id.name)


async def move(served, execution, *happened):
    await served.store.runs.append(execution, happened)
    await turn.take(served.store.runs, execution)


def node_id(execution, node):
    return identifier_pb2.NodeExecutionIdentifier(node_id=node, execution_id={**HERE, "name": execution.name})
