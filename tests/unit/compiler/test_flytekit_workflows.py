"""Workflows written with flytekit, serialized by it, compiled, and read back by its own remote classes."""

from __future__ import annotations

import datetime
import enum
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple, Union

import pandas as pd
import pytest
from flyteidl.core.literals_pb2 import Binding
from flytekit import LaunchPlan, Resources, conditional, map_task, task, workflow
from flytekit.configuration import Image, ImageConfig, SerializationSettings
from flytekit.models.admin.workflow import WorkflowSpec
from flytekit.models.core.compiler import CompiledWorkflowClosure
from flytekit.models.launch_plan import LaunchPlan as LaunchPlanModel
from flytekit.models.task import TaskSpec
from flytekit.remote.entities import FlyteWorkflow
from flytekit.tools.translator import get_serializable
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from dayfly.compiler import errors, launch_plans, references, tasks, workflows
from dayfly.model import identifiers
from dayfly.model.plan import NodeKind

SETTINGS = SerializationSettings(
    project="p", domain="d", version="v", image_config=ImageConfig(Image("default", "img", "latest"))
)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    tags: list[str]


class Summary(NamedTuple):
    table: pd.DataFrame
    report: FlyteFile


@task(retries=2, timeout=datetime.timedelta(minutes=1), requests=Resources(cpu="500m", mem="1Gi"))
def load(rows: int, color: Color = Color.RED) -> pd.DataFrame:
    return pd.DataFrame()


@task(interruptible=True)
def summarize(table: pd.DataFrame, ratio: float | None = None) -> Summary:
    return Summary(table, FlyteFile("x"))


@task
def point(x: int) -> Point:
    return Point(x, [])


@task
def double(x: int) -> int:
    return 2 * x


@task
def gather(xs: list[int], names: dict[str, str], either: Union[int, str], where: FlyteDirectory | None = None) -> str:
    return ""


@task
def notify() -> None: ...


@workflow
def everything(rows: int, color: Color = Color.BLUE, maybe: float | None = None) -> tuple[FlyteFile, str, int]:
    table = load(rows=rows, color=color).with_overrides(node_name="the-table", retries=5)
    summary = summarize(table=table, ratio=maybe)
    at = point(x=rows)
    text = gather(xs=[at.x, rows, 3], names={"a": at.tags[0], "b": "c"}, either=at.x)
    done = notify()
    text >> done
    return summary.report, text, at.x


@workflow
def inner(x: int) -> int:
    return double(x=x)


@workflow
def every_kind(x: int, xs: list[int]) -> int:
    first = inner(x=x)
    chosen = conditional("sign").if_(first > 0).then(double(x=first)).else_().then(double(x=x))
    LaunchPlan.get_or_create(inner, "inner_plan", default_inputs={"x": 3})(x=chosen)
    map_task(double)(x=xs)
    return chosen


@workflow
def mistyped(x: int) -> str:
    return gather(xs=[double(x=x)], names={}, either=1)


def serialize(entity):
    """Return what `pyflyte register` would send: the workflow's spec, tasks and launch plans by id."""
    registered = OrderedDict()
    spec = get_serializable(registered, SETTINGS, entity)
    assert isinstance(spec, WorkflowSpec)
    known, plans = {}, {}
    for one in registered.values():
        if isinstance(one, TaskSpec):
            template = one.template.to_flyte_idl()
            known[identifiers.from_identifier(template.id)] = template
        elif isinstance(one, LaunchPlanModel):
            plans[identifiers.from_identifier(one.id.to_flyte_idl())] = one.to_flyte_idl()
    return spec.to_flyte_idl(), known, plans


def compile(spec, known, plans):
    id = identifiers.from_identifier(spec.template.id)
    return workflows.compile(spec.template, spec.sub_workflows, known, plans, id)


def without_start(binding):
    """Return the binding as text, the start node unnamed: flytekit forgets the name only outside lists and maps."""
    ordered = binding.SerializeToString(deterministic=True)
    return str(Binding.FromString(ordered)).replace('node_id: "start-node"\n', "").split()


def test_tasks_are_right():
    _, known, _ = serialize(everything)
    assert [tasks.check(template, id) for id, template in known.items()] == [[]] * 5


def test_a_typed_workflow_compiles():
    spec, known, plans = serialize(everything)
    assert references.required(spec.template, spec.sub_workflows).tasks == tuple(sorted(known))
    result = compile(spec, known, plans)
    assert isinstance(result, workflows.Compiled), errors.describe(result.errors)
    plan = result.plan
    assert list(plan.nodes) == ["the-table", "n1", "n2", "n3", "n4"]
    assert plan.nodes["the-table"].max_attempts == 6
    assert plan.nodes["the-table"].attempt_timeout_seconds == 60
    assert plan.nodes["n1"].upstream == ("the-table",)
    assert plan.nodes["n1"].interruptible is True
    assert plan.nodes["n3"].upstream == ("n2",)
    assert plan.nodes["n4"].upstream == ("n3",)


def test_flytekit_reads_the_closure_back():
    spec, known, plans = serialize(everything)
    closure = CompiledWorkflowClosure.from_flyte_idl(compile(spec, known, plans).closure)
    promoted = FlyteWorkflow.promote_from_closure(closure)
    assert [node.id for node in promoted.flyte_nodes] == ["the-table", "n1", "n2", "n3", "n4"]
    assert sorted(promoted.interface.inputs) == ["color", "maybe", "rows"]
    # What it would register again is what was registered, but for the edges that follow from bindings.
    again = promoted.to_flyte_idl()
    for node, before in zip(again.template.nodes, spec.template.nodes, strict=True):
        assert node.id == before.id
        assert [without_start(one) for one in node.inputs] == [without_start(one) for one in before.inputs]
    assert again.template.interface == spec.template.interface


def test_every_kind_of_node_compiles():
    spec, known, plans = serialize(every_kind)
    for plan in plans.values():
        inner_interface = spec.sub_workflows[0].interface
        plan.closure.expected_inputs.CopyFrom(
            launch_plans.expected_inputs(inner_interface, plan.spec.default_inputs, plan.spec.fixed_inputs)
        )
        plan.closure.expected_outputs.CopyFrom(inner_interface.outputs)
    needed = references.required(spec.template, spec.sub_workflows)
    assert set(needed.launch_plans) <= set(plans)
    assert set(needed.tasks) == set(known)
    result = compile(spec, known, plans)
    assert isinstance(result, workflows.Compiled), errors.describe(result.errors)
    assert [node.kind for node in result.plan.nodes.values()] == [
        NodeKind.SUB_WORKFLOW,
        NodeKind.BRANCH,
        NodeKind.LAUNCH_PLAN,
        NodeKind.ARRAY,
    ]
    promoted = FlyteWorkflow.promote_from_closure(
        CompiledWorkflowClosure.from_flyte_idl(result.closure),
        node_launch_plans={plan.id: plan.spec for plan in map(LaunchPlanModel.from_flyte_idl, plans.values())},
    )
    assert len(promoted.flyte_nodes) == 4


def test_a_task_that_changed_its_types_is_told():
    spec, known, plans = serialize(mistyped)
    changed = next(template for template in known.values() if template.id.name.endswith("double"))
    changed.interface.outputs.variables["o0"].type.simple = 3
    (error,) = compile(spec, known, plans).errors
    assert error.code == errors.MISMATCHING_TYPES
    assert error.path.endswith("mistyped, node n1 (gather), input xs[0]")
    assert error.message == "output o0 of node n0 is str, and int is declared"


@pytest.mark.parametrize("entity", [everything, every_kind])
def test_compiling_twice_gives_one_digest(entity):
    spec, known, plans = serialize(entity)
    first, second = compile(spec, known, plans), compile(spec, known, plans)
    if isinstance(first, workflows.Compiled):
        assert first.plan.digest == second.plan.digest
    else:
        assert first == second
