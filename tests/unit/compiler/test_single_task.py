"""The workflow around a task that is executed alone."""

from __future__ import annotations

import pytest
from flyteidl.core import literals_pb2, tasks_pb2
from google.protobuf import duration_pb2

from dayfly.compiler import single_task, workflows


def build(make, name="pkg.mod.t", metadata=None):
    task = make.task(name, {"b": make.STR, "a": make.INT}, {"o": make.INT})
    task.metadata.CopyFrom(metadata or tasks_pb2.TaskMetadata())
    id, template = single_task.build_workflow(make.task_id(name), task)
    result = workflows.compile(template, [], {make.task_id(name): task}, {}, id)
    assert isinstance(result, workflows.Compiled)
    return id, template, result.plan


def test_it_is_named_after_the_task_and_has_its_interface(make):
    id, template, plan = build(make)
    assert id == make.workflow_id(".flytegen.pkg.mod.t")
    assert template.interface == make.interface({"b": make.STR, "a": make.INT}, {"o": make.INT})
    assert list(plan.nodes) == ["pkgmodt"]
    assert plan.nodes["pkgmodt"].name == "pkg.mod.t"


@pytest.mark.parametrize(
    ("name", "node"),
    [("a_b.c-d", "abc-d"), ("x" * 70, "x" * 63), (f"{'y' * 10}.{'x' * 60}", "y" * 2 + "x" * 60), ("é.", "task")],
)
def test_node_ids(make, name, node):
    assert list(build(make, name)[2].nodes) == [node]


def test_policies_come_from_the_task(make):
    assert build(make)[2].nodes["pkgmodt"].max_attempts == 4
    metadata = tasks_pb2.TaskMetadata(
        retries=literals_pb2.RetryStrategy(retries=0), timeout=duration_pb2.Duration(seconds=5), interruptible=False
    )
    node = build(make, metadata=metadata)[2].nodes["pkgmodt"]
    assert (node.max_attempts, node.attempt_timeout_seconds, node.interruptible) == (1, 5.0, False)
