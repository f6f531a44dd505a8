"""What flytekit's dynamic tasks write is compiled like a registered workflow, or refused with every error."""

from __future__ import annotations

import pytest
from flyteidl.admin import launch_plan_pb2
from flyteidl.core import dynamic_job_pb2, identifier_pb2
from flytekit import LaunchPlan, conditional, dynamic, map_task, task, workflow
from flytekit.configuration import Image, ImageConfig, SerializationSettings
from flytekit.core.context_manager import ExecutionState, FlyteContextManager
from flytekit.tools.translator import get_serializable

from dayfly.compiler import errors, futures, launch_plans, references, workflows
from dayfly.model import identifiers
from dayfly.model.identifiers import END_NODE, START_NODE, EntityId, NodeId

SETTINGS = SerializationSettings(
    project="p", domain="d", version="v", image_config=ImageConfig(Image("default", "img", "latest"))
)


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def twice(x: int) -> int:
    return double(x=double(x=x))


planned = LaunchPlan.get_or_create(twice, name="planned", default_inputs={"x": 3})


@dynamic
def fan(n: int) -> list[int]:
    return [double(x=i) for i in range(n)]


@dynamic
def mixed(n: int) -> int:
    inner = twice(x=n)
    launched = planned()
    chosen = conditional("choice").if_(inner > 3).then(double(x=inner)).else_().then(double(x=launched))
    map_task(double)(x=[1, 2])
    fan(n=n)
    return chosen


def written(entity, **inputs) -> dynamic_job_pb2.DynamicJobSpec:
    """Return what the task writes to futures.pb when it runs on a platform."""
    entity._wf = None  # as in a process of its own: flytekit keeps the workflow of the first run
    context = FlyteContextManager.current_context()
    state = context.new_execution_state().with_params(mode=ExecutionState.Mode.TASK_EXECUTION)
    with FlyteContextManager.with_context(
        context.with_execution_state(state).with_serialization_settings(SETTINGS)
    ) as inner:
        spec = entity.compile_into_workflow(inner, entity._task_function, **inputs)
    return dynamic_job_pb2.DynamicJobSpec.FromString(spec.to_flyte_idl().SerializeToString())


def outputs_of(entity):
    return get_serializable({}, SETTINGS, entity).to_flyte_idl().template.interface.outputs


def compiled(entity, spec, plans=None):
    workflow = futures.workflow_id("p", "d", NodeId("n0"), spec)
    return futures.compile(spec, {}, plans or {}, workflow, outputs_of(entity))


def registered_plan():
    spec = get_serializable({}, SETTINGS, planned).to_flyte_idl().spec
    template = get_serializable({}, SETTINGS, twice).to_flyte_idl().template
    expected = launch_plans.expected_inputs(template.interface, spec.default_inputs, spec.fixed_inputs)
    closure = launch_plan_pb2.LaunchPlanClosure(expected_inputs=expected, expected_outputs=template.interface.outputs)
    entity = EntityId(identifier_pb2.LAUNCH_PLAN, "p", "d", "planned", "v")
    return {entity: launch_plan_pb2.LaunchPlan(id=identifiers.to_identifier(entity), spec=spec, closure=closure)}


def test_a_fan_out_is_compiled():
    spec = written(fan, n=3)
    result = compiled(fan, spec)
    assert isinstance(result, workflows.Compiled)
    assert futures.required(spec) == references.References((), (), ())
    template = result.closure.primary.template
    assert [node.id for node in template.nodes] == [START_NODE, END_NODE, "dn0", "dn1", "dn2"]
    assert template.id.name == "dynamic_n0"
    assert set(template.interface.outputs.variables) == {"o0"}
    assert [task.template.id.name for task in result.closure.tasks] == [double.name]


def test_the_same_job_gets_the_same_name():
    first, again, other = (futures.workflow_id("p", "d", NodeId("n0"), written(fan, n=n)) for n in (2, 2, 3))
    assert first == again != other


def test_every_kind_of_node_may_be_in_it():
    spec = written(mixed, n=5)
    (plan,) = futures.required(spec).launch_plans
    assert (plan.name, futures.required(spec).tasks) == ("planned", ())
    result = compiled(mixed, spec, registered_plan())
    assert isinstance(result, workflows.Compiled)
    kinds = [node.WhichOneof("target") for node in result.closure.primary.template.nodes[2:]]
    assert sorted(kinds) == ["array_node", "branch_node", "task_node", "workflow_node", "workflow_node"]
    assert [sub.template.id.name for sub in result.closure.sub_workflows] == [twice.name]


def test_what_is_missing_is_told_with_its_node():
    spec = written(mixed, n=5)
    del spec.tasks[:]
    assert [task.name for task in futures.required(spec).tasks if task.name == double.name] == [double.name]
    result = compiled(mixed, spec)
    assert isinstance(result, errors.Rejected)
    codes = {error.code for error in result.errors}
    assert {errors.TASK_NOT_FOUND, errors.LAUNCH_PLAN_NOT_FOUND} <= codes
    assert all(error.path.startswith(("workflow dynamic_n0", f"workflow {twice.name}")) for error in result.errors)


def test_a_broken_task_is_told():
    spec = written(fan, n=1)
    spec.tasks[0].container.image = ""
    result = compiled(fan, spec)
    assert isinstance(result, errors.Rejected)
    assert [(error.code, error.path) for error in result.errors] == [
        (errors.VALUE_REQUIRED, f"task {double.name}, container")
    ]


@pytest.mark.parametrize("change", ["unbound", "wrong type"])
def test_its_outputs_must_be_those_of_the_task(change):
    spec = written(fan, n=2)
    if change == "unbound":
        del spec.outputs[:]
    else:
        spec.outputs[0].binding.CopyFrom(spec.nodes[0].inputs[0].binding)
    result = compiled(fan, spec)
    assert isinstance(result, errors.Rejected)
    assert [error.path for error in result.errors] == ["workflow dynamic_n0, output o0"]
