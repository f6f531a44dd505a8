"""Documents made by hand, small enough to read."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flyteidl.admin import launch_plan_pb2
from flyteidl.core import identifier_pb2, interface_pb2, literals_pb2, tasks_pb2, types_pb2, workflow_pb2
from flyteidl.core.literals_pb2 import Binding, BindingData
from flyteidl.core.types_pb2 import LiteralType

from dayfly.compiler import errors, workflows
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId

INT = LiteralType(simple=types_pb2.INTEGER)
STR = LiteralType(simple=types_pb2.STRING)
FLOAT = LiteralType(simple=types_pb2.FLOAT)
NONE = LiteralType(simple=types_pb2.NONE)


def union(*variants):
    return LiteralType(union_type=types_pb2.UnionType(variants=variants))


def list_of(element):
    return LiteralType(collection_type=element)


def dict_of(value):
    return LiteralType(map_value_type=value)


def entity(kind, name):
    return EntityId(kind, "p", "d", name, "v")


def task_id(name):
    return entity(identifier_pb2.TASK, name)


def workflow_id(name="wf"):
    return entity(identifier_pb2.WORKFLOW, name)


def launch_plan_id(name):
    return entity(identifier_pb2.LAUNCH_PLAN, name)


def variables(**named):
    typed = {name: interface_pb2.Variable(type=declared) for name, declared in named.items()}
    return interface_pb2.VariableMap(variables=typed)


def interface(inputs=None, outputs=None):
    return interface_pb2.TypedInterface(inputs=variables(**(inputs or {})), outputs=variables(**(outputs or {})))


def task(name="t", inputs=None, outputs=None, **more):
    return tasks_pb2.TaskTemplate(
        id=identifiers.to_identifier(task_id(name)),
        type="python-task",
        metadata=tasks_pb2.TaskMetadata(),
        interface=interface(inputs, outputs),
        container=tasks_pb2.Container(image="img", args=["run"]),
        **more,
    )


def promise(node, var, *path):
    steps = [
        types_pb2.PromiseAttribute(int_value=one)
        if isinstance(one, int)
        else types_pb2.PromiseAttribute(string_value=one)
        for one in path
    ]
    return BindingData(promise=types_pb2.OutputReference(node_id=node, var=var, attr_path=steps))


def constant(value):
    """Return a binding: of text, an int, None, a list or dict of bindings or constants, or the binding itself."""
    if isinstance(value, BindingData):
        return value
    if isinstance(value, list):
        return BindingData(collection=literals_pb2.BindingDataCollection(bindings=[constant(part) for part in value]))
    if isinstance(value, dict):
        named = {name: constant(part) for name, part in value.items()}
        return BindingData(map=literals_pb2.BindingDataMap(bindings=named))
    if value is None:
        return BindingData(scalar=literals_pb2.Scalar(none_type=literals_pb2.Void()))
    field = "string_value" if isinstance(value, str) else "integer"
    return BindingData(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(**{field: value})))


def bind(**values):
    return [Binding(var=name, binding=constant(value)) for name, value in values.items()]


def node(id, task="t", after=(), inputs=None, **more):
    """Return a task node, or with `task=None` one whose target is among `more`."""
    if task is not None:
        more["task_node"] = workflow_pb2.TaskNode(reference_id=identifiers.to_identifier(task_id(task)))
    bindings = inputs if isinstance(inputs, list) else bind(**(inputs or {}))
    return workflow_pb2.Node(id=id, inputs=bindings, upstream_node_ids=after, **more)


def workflow(nodes, inputs=None, outputs=None, returns=None, name="wf", **more):
    return workflow_pb2.WorkflowTemplate(
        id=identifiers.to_identifier(workflow_id(name)),
        interface=interface(inputs, outputs),
        nodes=nodes,
        outputs=bind(**(returns or {})),
        **more,
    )


def launch_plan(name, inputs=None, outputs=None, defaults=(), fixed=()):
    parameters = {
        var: interface_pb2.Parameter(
            var=interface_pb2.Variable(type=declared),
            **({"default": literals_pb2.Literal()} if var in defaults else {"required": True}),
        )
        for var, declared in (inputs or {}).items()
    }
    return launch_plan_pb2.LaunchPlan(
        id=identifiers.to_identifier(launch_plan_id(name)),
        spec=launch_plan_pb2.LaunchPlanSpec(
            fixed_inputs=literals_pb2.LiteralMap(literals={var: literals_pb2.Literal() for var in fixed})
        ),
        closure=launch_plan_pb2.LaunchPlanClosure(
            expected_inputs=interface_pb2.ParameterMap(parameters=parameters),
            expected_outputs=variables(**(outputs or {})),
        ),
    )


def compile(template, tasks=(), subs=(), plans=()):
    """Compile with what is given as the register."""
    return workflows.compile(*_register(template, tasks, subs, plans))


def link(template, tasks=(), subs=(), plans=()):
    """Link only: kinds of nodes that the engine does not run are fine."""
    result = workflows.compile(*_register(template, tasks, subs, plans))
    return result if isinstance(result, errors.Rejected) else result.closure


def _register(template, tasks, subs, plans):
    return (
        template,
        subs,
        {identifiers.from_identifier(one.id): one for one in tasks},
        {identifiers.from_identifier(one.id): one for one in plans},
        identifiers.from_identifier(template.id),
    )


def told(result):
    """Return the errors of a rejection as (code, path) pairs."""
    return [(error.code, error.path) for error in result.errors]


@pytest.fixture(scope="session")
def make():
    """Everything above, by name."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if not name.startswith("_")})
