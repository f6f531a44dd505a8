"""Kinds of nodes that the engine does not run yet: linked and checked, and named in the plan."""

from __future__ import annotations

import pytest
from flyteidl.core import compiler_pb2, condition_pb2, types_pb2, workflow_pb2
from google.protobuf import duration_pb2, wrappers_pb2

from dayfly.compiler import errors, references
from dayfly.model import identifiers
from dayfly.model.plan import NodeKind


@pytest.fixture(scope="module")
def tasks(make):
    return [
        make.task("t", {"a": make.INT}, {"o": make.INT}),
        make.task("u", {"a": make.INT}, {"o": make.INT, "p": make.STR}),
    ]


def compare(var):
    side = condition_pb2.Operand
    return condition_pb2.BooleanExpression(
        comparison=condition_pb2.ComparisonExpression(left_value=side(var=var), right_value=side(var=var))
    )


def branch(make, *, condition="x", complete=True, value=None):
    value = make.promise("n0", "o") if value is None else value
    block = workflow_pb2.IfElseBlock(
        case=workflow_pb2.IfBlock(
            condition=compare(condition) if complete else None, then_node=make.node("t0", "t", inputs={"a": value})
        ),
        else_node=make.node("t1", "u", inputs={"a": make.promise("", "x")}) if complete else None,
    )
    return make.node("b", None, inputs={"x": make.promise("", "x")}, branch_node=workflow_pb2.BranchNode(if_else=block))


def test_a_branch(make, tasks):
    template = make.workflow(
        [make.node("n0", inputs={"a": 1}), branch(make), make.node("n1", inputs={"a": make.promise("b", "o")})],
        inputs={"x": make.INT},
    )
    linked = make.link(template, tasks)
    assert isinstance(linked, compiler_pb2.CompiledWorkflowClosure)
    compiled = linked.primary.template.nodes[3]
    block = compiled.branch_node.if_else
    assert (block.case.then_node.id, block.else_node.id) == ("b-t0", "b-t1")
    assert list(compiled.upstream_node_ids) == ["n0"]
    assert block.else_node.inputs[0].binding.promise.node_id == "start-node"
    assert "b-t0" not in linked.primary.connections.upstream
    planned = make.compile(template, tasks).plan.nodes["b"]
    assert planned.kind is NodeKind.BRANCH
    assert [case.id for case in planned.cases] == ["b-t0", "b-t1"]
    assert planned.upstream == ("n0",)


def test_a_branch_gives_what_all_its_nodes_give(make, tasks):
    template = make.workflow(
        [make.node("n0", inputs={"a": 1}), branch(make), make.node("n1", inputs={"a": make.promise("b", "p")})],
        inputs={"x": make.INT},
    )
    (error,) = make.link(template, tasks).errors
    assert (error.code, error.message) == (errors.VARIABLE_NOT_FOUND, "node b has no output p; known: o")


def test_a_branch_with_everything_wrong(make, tasks):
    template = make.workflow([branch(make, complete=False, value="x")], inputs={"x": make.INT})
    assert make.told(make.link(template, tasks)) == [
        (errors.NO_BRANCH_CONDITION, "workflow wf, node b, case 0"),
        (errors.NO_BRANCH_DEFAULT, "workflow wf, node b"),
        (errors.MISMATCHING_TYPES, "workflow wf, node b, node t0, input a"),
    ]
    template = make.workflow([make.node("n0", inputs={"a": 1}), branch(make, condition="y")], inputs={"x": make.INT})
    assert make.told(make.link(template, tasks)) == [(errors.VARIABLE_NOT_FOUND, "workflow wf, node b, case 0")]


def sub_node(make, name, **inputs):
    reference = identifiers.to_identifier(make.workflow_id(name))
    return make.node("s", None, inputs=inputs, workflow_node=workflow_pb2.WorkflowNode(sub_workflow_ref=reference))


def plan_node(make, name, **inputs):
    reference = identifiers.to_identifier(make.launch_plan_id(name))
    return make.node("l", None, inputs=inputs, workflow_node=workflow_pb2.WorkflowNode(launchplan_ref=reference))


def test_sub_workflows_are_linked_once_each(make, tasks):
    leaf = make.workflow(
        [make.node("n0", inputs={"a": make.promise("", "i")})],
        inputs={"i": make.INT},
        outputs={"r": make.INT},
        returns={"r": make.promise("n0", "o")},
        name="leaf",
    )
    middle = make.workflow([sub_node(make, "leaf", i=1)], name="middle")
    template = make.workflow([sub_node(make, "middle")])
    linked = make.link(template, tasks, [leaf, middle, leaf])
    assert [sub.template.id.name for sub in linked.sub_workflows] == ["leaf", "middle"]
    assert [node.id for node in linked.sub_workflows[0].template.nodes] == ["start-node", "end-node", "n0"]
    assert [task.template.id.name for task in linked.tasks] == ["t"]
    changed = make.workflow([make.node("n0", inputs={"a": "x"})], name="leaf")
    assert make.told(make.link(template, tasks, [leaf, middle, changed]))[0] == (
        errors.VALUE_COLLISION,
        "workflow leaf",
    )
    assert make.told(make.link(template, tasks, [make.workflow([sub_node(make, "leaf", i="x")], name="middle")])) == [
        (errors.WORKFLOW_NOT_FOUND, "workflow middle, node s")
    ]
    plan = make.compile(template, tasks, [leaf, middle]).plan
    assert plan.nodes["s"].kind is NodeKind.SUB_WORKFLOW
    assert [list(plan.subs[key].nodes) for key in sorted(plan.subs)] == [["n0"], ["s"]]
    assert str(plan.nodes["s"].target) in plan.subs


def test_launch_plans_take_defaults_and_refuse_fixed_inputs(make, tasks):
    plan = make.launch_plan("lp", {"a": make.INT, "b": make.INT}, {"r": make.INT}, defaults=("b",), fixed=("c",))
    good = make.workflow([plan_node(make, "lp", a=1)], outputs={"r": make.INT}, returns={"r": make.promise("l", "r")})
    assert isinstance(make.link(good, tasks, plans=[plan]), compiler_pb2.CompiledWorkflowClosure)
    bad = make.workflow([plan_node(make, "lp", b="x", c=1)])
    assert make.told(make.link(bad, tasks, plans=[plan])) == [
        (errors.MISMATCHING_TYPES, "workflow wf, node l, input b"),
        (errors.VARIABLE_NOT_FOUND, "workflow wf, node l, input c"),
        (errors.PARAMETER_NOT_BOUND, "workflow wf, node l, input a"),
    ]
    assert make.told(make.link(bad, tasks)) == [(errors.LAUNCH_PLAN_NOT_FOUND, "workflow wf, node l")]


def test_a_workflow_may_launch_itself(make, tasks):
    template = make.workflow([plan_node(make, "wf", i=1)], inputs={"i": make.INT})
    assert isinstance(make.link(template, tasks), compiler_pb2.CompiledWorkflowClosure)


def gate(make, id="g", inputs=None, **condition):
    return make.node(id, None, inputs=inputs, gate_node=workflow_pb2.GateNode(**condition))


def test_gates(make, tasks):
    signal = workflow_pb2.SignalCondition(signal_id="s", type=make.INT, output_variable_name="v")
    template = make.workflow(
        [
            gate(make, "sleep", sleep=workflow_pb2.SleepCondition(duration=duration_pb2.Duration(seconds=1))),
            gate(make, "signal", signal=signal),
            gate(
                make,
                "approve",
                {"v": make.promise("signal", "v")},
                approve=workflow_pb2.ApproveCondition(signal_id="ok"),
            ),
            make.node("n0", inputs={"a": make.promise("approve", "v")}),
        ]
    )
    assert isinstance(make.link(template, tasks), compiler_pb2.CompiledWorkflowClosure)
    planned = make.compile(template, tasks).plan.nodes
    assert [planned[name].sleep_seconds for name in ("sleep", "signal", "approve")] == [1.0, None, None]
    assert [planned[name].signal for name in ("sleep", "signal", "approve")] == ["", "s", "ok"]
    wrong = make.workflow([gate(make, "a"), gate(make, "b", signal=workflow_pb2.SignalCondition())])
    assert [code for code, _ in make.told(make.link(wrong, tasks))] == [
        errors.NO_CONDITION,
        errors.VALUE_REQUIRED,
        errors.VALUE_REQUIRED,
    ]


def test_approvals_that_wait_for_each_other_end(make, tasks):
    approve = {"approve": workflow_pb2.ApproveCondition(signal_id="ok")}
    template = make.workflow(
        [
            gate(make, "a", {"v": make.promise("b", "v")}, **approve),
            gate(make, "b", {"v": make.promise("a", "v")}, **approve),
        ]
    )
    assert make.told(make.link(template, tasks)) == [(errors.CYCLE_DETECTED, "workflow wf")]


def array(make, inputs, **more):
    inner = make.node("inner", "t")
    return make.node("m", None, inputs=inputs, array_node=workflow_pb2.ArrayNode(node=inner, **more))


def test_arrays(make, tasks):
    # flytekit's map tasks are registered with lists already
    assert isinstance(make.link(make.workflow([array(make, {"a": 1})]), tasks), compiler_pb2.CompiledWorkflowClosure)
    original = {"is_original_sub_node_interface": wrappers_pb2.BoolValue(value=True)}
    outputs = {"outputs": {"r": make.list_of(make.INT)}, "returns": {"r": make.promise("m", "o")}}
    good = make.workflow([array(make, {"a": [1, 2]}, **original)], **outputs)
    assert isinstance(make.link(good, tasks), compiler_pb2.CompiledWorkflowClosure)
    partial = make.workflow([array(make, {"a": [1]}, min_success_ratio=0.5, **original)], **outputs)
    assert make.told(make.link(partial, tasks)) == [(errors.MISMATCHING_TYPES, "workflow wf, output r")]
    bound = make.workflow([array(make, {"a": 1}, bound_inputs=["a"], **original)], **outputs)
    assert isinstance(make.link(bound, tasks), compiler_pb2.CompiledWorkflowClosure)
    rules = make.workflow([array(make, {"a": [1]}, min_successes=2, parallelism=7, **original)])
    planned = make.compile(rules, tasks).plan.nodes["m"]
    assert (planned.kind, planned.parallelism, planned.min_successes) == (NodeKind.ARRAY, 7, 2)
    assert planned.element.kind is NodeKind.TASK
    assert planned.element.target.name == "t"


def test_failure_nodes(make, tasks):
    good = make.workflow(
        [make.node("n0", inputs={"a": 1})],
        inputs={"x": make.INT},
        failure_node=make.node("efn", inputs={"a": make.promise("", "x")}),
    )
    linked = make.link(good, tasks)
    assert linked.primary.template.failure_node.inputs[0].binding.promise.node_id == "start-node"
    assert "efn" not in linked.primary.connections.upstream
    plan = make.compile(good, tasks).plan
    assert (plan.failure_node.id, list(plan.nodes)) == ("efn", ["n0"])
    bad = make.workflow([make.node("n0", inputs={"a": 1})], failure_node=make.node("efn", "ghost"))
    assert make.told(make.compile(bad, tasks)) == [(errors.TASK_NOT_FOUND, "workflow wf, node efn")]


def test_what_must_be_loaded_first(make):
    deep = make.workflow([make.node("n0", "in-sub"), sub_node(make, "gone")], name="deep")
    unused = make.workflow([make.node("n0", "unused")], name="unused")
    template = make.workflow(
        [branch(make), sub_node(make, "deep"), plan_node(make, "lp"), array(make, {}), gate(make)],
        failure_node=make.node("efn", "rescue"),
    )
    needed = references.required(template, [deep, unused])
    assert [task.name for task in needed.tasks] == ["in-sub", "rescue", "t", "u"]
    assert [plan.name for plan in needed.launch_plans] == ["lp"]
    assert [sub.name for sub in needed.workflows] == ["deep", "gone"]


def test_sub_workflows_that_hold_each_other_end(make, tasks):
    one, two = make.workflow([sub_node(make, "two")], name="one"), make.workflow([sub_node(make, "one")], name="two")
    assert len(references.required(one, [one, two]).workflows) == 2
    assert isinstance(make.link(one, tasks, [one, two]), compiler_pb2.CompiledWorkflowClosure)


def test_a_type_that_is_none_of_ours(make):
    template = make.workflow([make.node("n0", inputs={"a": 1})])
    untyped = make.task("t", {"a": types_pb2.LiteralType()}, {})
    assert make.told(make.compile(template, [untyped])) == [(errors.MISMATCHING_TYPES, "workflow wf, node n0, input a")]


def test_a_long_chain_of_approvals_against_their_order_is_told(make, tasks):
    approve = {"approve": workflow_pb2.ApproveCondition(signal_id="ok")}
    chain = [gate(make, f"g{index}", {"v": make.promise(f"g{index + 1}", "v")}, **approve) for index in range(400)]
    last = gate(make, "g400", {"v": 1}, **approve)
    assert (errors.INVALID_VALUE, "workflow wf") in make.told(make.link(make.workflow([*chain, last]), tasks))
    in_order = make.workflow([last, *chain[::-1]])
    assert isinstance(make.link(in_order, tasks), compiler_pb2.CompiledWorkflowClosure)
