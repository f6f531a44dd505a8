"""Arbitrary plans that the controller can really run: with bindings, conditions, lists, signals, and what tasks leave.

Each node takes `x` from a node before it, or from what its workflow was given, and gives `o`; so outputs that are not
where they should be are noticed.
"""

from __future__ import annotations

from collections.abc import Mapping

from flyteidl.admin import launch_plan_pb2, task_pb2
from flyteidl.core import (
    condition_pb2,
    dynamic_job_pb2,
    interface_pb2,
    literals_pb2,
    tasks_pb2,
    types_pb2,
    workflow_pb2,
)
from msgspec import structs

from dayfly.base.clock import Micros
from dayfly.model import identifiers
from dayfly.model.identifiers import START_NODE, NodeId
from dayfly.model.plan import Graph, NodeKind, Plan, PlanNode
from dayfly.ports.definitions import Definition
from tests.property import arbitrary
from tests.property.chances import Chances

_INT = types_pb2.LiteralType(simple=types_pb2.INTEGER)
_X = interface_pb2.VariableMap(variables={"x": interface_pb2.Variable(type=_INT)})
_O = interface_pb2.VariableMap(variables={"o": interface_pb2.Variable(type=_INT)})
INTERFACE = interface_pb2.TypedInterface(inputs=_X, outputs=_O)


def definitions(now: Micros) -> list[Definition]:
    """Return what is registered: a task and a launch plan."""
    template = tasks_pb2.TaskTemplate(
        id=identifiers.to_identifier(arbitrary.TASK),
        type="python-task",
        interface=INTERFACE,
        container=tasks_pb2.Container(image="i", args=["true"]),
    )
    template.metadata.runtime.version = template.metadata.runtime.flavor = "1"
    task = task_pb2.TaskClosure(compiled_task={"template": template})
    plan = launch_plan_pb2.LaunchPlan(id=identifiers.to_identifier(arbitrary.LAUNCH_PLAN))
    plan.closure.expected_outputs.CopyFrom(_O)
    return [
        Definition(arbitrary.TASK, "task", task.SerializeToString(), now, now),
        Definition(arbitrary.LAUNCH_PLAN, "plan", plan.SerializeToString(), now, now),
    ]


def draw(chance: Chances, digest: str, *, child: bool = False) -> Plan:
    """Return a plan with all its documents; one that is launched by another is small and launches nothing."""
    kinds = (NodeKind.TASK, NodeKind.TASK, NodeKind.GATE, NodeKind.BRANCH) if child else arbitrary.KINDS
    drawing = arbitrary.PlanDrawing(chance, kinds=kinds, timeouts=chance.one_in(4))
    plan = drawing.plan(digest, depth=2 if child else 0)
    subs = {name: Graph(**_documented(graph, chance)) for name, graph in plan.subs.items()}
    return structs.replace(plan, subs=subs, **_documented(plan, chance))


def values(number: int = 1) -> bytes:
    """Return what an attempt of the task gives."""
    return literals_pb2.LiteralMap(literals={"o": _literal(number)}).SerializeToString(deterministic=True)


def inputs() -> bytes:
    """Return what an execution is given."""
    return literals_pb2.LiteralMap(literals={"x": _literal(1)}).SerializeToString(deterministic=True)


def signal_value() -> bytes:
    """Return what people give a signal."""
    return _literal(7).SerializeToString(deterministic=True)


def futures(nodes: int) -> bytes:
    """Return what a dynamic task leaves: so many tasks, each after the other."""
    spec = dynamic_job_pb2.DynamicJobSpec(min_successes=nodes)
    for place in range(nodes):
        before = _promise(f"dn{place - 1}", "o") if place else literals_pb2.BindingData(scalar=_literal(place).scalar)
        made = workflow_pb2.Node(id=f"dn{place}", inputs=[literals_pb2.Binding(var="x", binding=before)])
        made.task_node.reference_id.CopyFrom(identifiers.to_identifier(arbitrary.TASK))
        made.upstream_node_ids.extend([f"dn{place - 1}"] if place else [])
        spec.nodes.append(made)
    spec.outputs.append(literals_pb2.Binding(var="o", binding=_promise(f"dn{nodes - 1}", "o")))
    return bytes(spec.SerializeToString(deterministic=True))


def _documented(graph: Graph, chance: Chances) -> dict[str, object]:
    """Return the fields of a graph whose nodes have their documents."""
    nodes = {name: _with_document(node, graph.nodes, chance) for name, node in graph.nodes.items()}
    last = next((name for name, node in reversed(graph.nodes.items()) if _gives(node)), None)
    data = _promise(START_NODE, "x") if last is None else _promise(last, "o")
    end = workflow_pb2.Node(id="end-node", inputs=[literals_pb2.Binding(var="o", binding=data)])
    handler = graph.failure_node
    return {
        "nodes": nodes,
        "end_document": end.SerializeToString(),
        "on_failure": graph.on_failure,
        "interruptible": graph.interruptible,
        "failure_node": None if handler is None else _with_document(handler, {}, chance),
    }


def _gives(node: PlanNode) -> bool:
    """Say whether a node has an output whatever happens."""
    if node.kind is NodeKind.BRANCH:
        return all(_gives(case) for case in node.cases)
    return node.sleep_seconds is None


def _with_document(node: PlanNode, others: Mapping[NodeId, PlanNode], chance: Chances) -> PlanNode:
    before = next((name for name in node.upstream if name in others and _gives(others[name])), None)
    data = _promise(START_NODE, "x") if before is None else _promise(before, "o")
    if node.kind is NodeKind.ARRAY:
        parts = [literals_pb2.BindingData(scalar=_literal(number).scalar) for number in range(chance.pick(6))]
        data = literals_pb2.BindingData(collection=literals_pb2.BindingDataCollection(bindings=parts))
    document = workflow_pb2.Node(id=node.id, inputs=[literals_pb2.Binding(var="x", binding=data)])
    changes: dict[str, object] = {}
    if node.kind is NodeKind.BRANCH:
        cases = tuple(_case(case, document, others, chance) for case in node.cases)
        changes["cases"] = cases
        document.branch_node.CopyFrom(_conditions(len(cases), chance.pick(len(cases))))
    elif node.kind is NodeKind.GATE and node.sleep_seconds is None:
        gate = workflow_pb2.SignalCondition(signal_id=node.signal, type=_INT, output_variable_name="o")
        document.gate_node.signal.CopyFrom(gate)
    elif node.kind is NodeKind.GATE:
        document.gate_node.sleep.SetInParent()
    elif node.kind is NodeKind.ARRAY:
        assert node.element is not None
        changes["element"] = structs.replace(node.element, document=workflow_pb2.Node(id="e").SerializeToString())
        document.array_node.SetInParent()
    return structs.replace(node, document=document.SerializeToString(), **changes)


def _case(case: PlanNode, branch: workflow_pb2.Node, others: Mapping[NodeId, PlanNode], chance: Chances) -> PlanNode:
    """Return a case that takes what its branch takes: both stand in the same workflow."""
    made = _with_document(case, others, chance)
    document = workflow_pb2.Node.FromString(made.document)
    if case.kind is not NodeKind.ARRAY:
        del document.inputs[:]
        document.inputs.extend(branch.inputs)
    return structs.replace(made, document=document.SerializeToString())


def _conditions(count: int, taken: int) -> workflow_pb2.BranchNode:
    blocks = [
        workflow_pb2.IfBlock(condition=condition_pb2.BooleanExpression(comparison=_compare(place == taken)))
        for place in range(count)
    ]
    return workflow_pb2.BranchNode(if_else=workflow_pb2.IfElseBlock(case=blocks[0], other=blocks[1:]))


def _compare(equal: bool) -> condition_pb2.ComparisonExpression:
    one, other = (condition_pb2.Operand(primitive=_literal(n).scalar.primitive) for n in (1, 1 if equal else 2))
    return condition_pb2.ComparisonExpression(left_value=one, right_value=other)


def _promise(node: str, variable: str) -> literals_pb2.BindingData:
    return literals_pb2.BindingData(promise=types_pb2.OutputReference(node_id=node, var=variable))


def _literal(number: int) -> literals_pb2.Literal:
    primitive = literals_pb2.Primitive(integer=number)
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=primitive))
