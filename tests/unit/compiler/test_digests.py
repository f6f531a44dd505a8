"""Digests depend on content alone."""

from __future__ import annotations

from flyteidl.core import interface_pb2, workflow_pb2

from dayfly.compiler import digests


def test_the_order_of_maps_does_not_count(make):
    names = [f"v{index}" for index in range(50)]
    one, other = interface_pb2.VariableMap(), interface_pb2.VariableMap()
    for name in names:
        one.variables[name].type.CopyFrom(make.INT)
    for name in reversed(names):
        other.variables[name].type.CopyFrom(make.INT)
    assert digests.digest(one) == digests.digest(other)


def test_content_and_kind_count(make):
    assert digests.digest(make.task("a")) != digests.digest(make.task("b"))
    assert digests.digest(workflow_pb2.Node()) != digests.digest(workflow_pb2.WorkflowNode())


def test_an_equal_workflow_has_an_equal_plan(make):
    def compiled(after):
        nodes = [make.node(name, "t") for name in ("a", "b")]
        return make.compile(make.workflow([*nodes, make.node("c", "t", after=after)]), [make.task("t")])

    assert compiled(["a", "b"]).plan.digest == compiled(["b", "a"]).plan.digest
    assert compiled(["a", "b"]).plan.digest != compiled(["a"]).plan.digest
