"""Retries, timeouts, interruptibility, names: from node and task into the plan."""

from __future__ import annotations

import pytest
from flyteidl.core import literals_pb2, tasks_pb2, workflow_pb2
from google.protobuf import duration_pb2

from dayfly.model import plan as plans
from dayfly.model.phases import FailurePolicy


def compiled_node(make, node_metadata, task_metadata, **more):
    task = make.task("pkg.t")
    task.metadata.CopyFrom(task_metadata)
    template = make.workflow([make.node("n", "pkg.t", metadata=node_metadata)], **more)
    return make.compile(template, [task]).plan


@pytest.mark.parametrize(
    ("node_retries", "task_retries", "attempts"), [(None, None, 1), (2, 5, 3), (0, 5, 6), (None, 5, 6), (3, None, 4)]
)
def test_attempts(make, node_retries, task_retries, attempts):
    def strategy(count):
        return {} if count is None else {"retries": literals_pb2.RetryStrategy(retries=count)}

    plan = compiled_node(
        make, workflow_pb2.NodeMetadata(**strategy(node_retries)), tasks_pb2.TaskMetadata(**strategy(task_retries))
    )
    assert plan.nodes["n"].max_attempts == attempts


def test_timeouts(make):
    metadata = workflow_pb2.NodeMetadata(timeout=duration_pb2.Duration(seconds=1, nanos=500_000_000))
    node = compiled_node(make, metadata, tasks_pb2.TaskMetadata()).nodes["n"]
    assert (node.attempt_timeout_seconds, node.active_deadline_seconds) == (1.5, 3.0)
    node = compiled_node(make, workflow_pb2.NodeMetadata(), tasks_pb2.TaskMetadata()).nodes["n"]
    assert (node.attempt_timeout_seconds, node.active_deadline_seconds) == (0.0, 0.0)


@pytest.mark.parametrize("wish", [None, True, False])
def test_interruptible_has_three_answers(make, wish):
    metadata = workflow_pb2.NodeMetadata(**({} if wish is None else {"interruptible": wish}))
    assert compiled_node(make, metadata, tasks_pb2.TaskMetadata()).nodes["n"].interruptible is wish


def test_names_and_the_workflow_s_own_policies(make):
    plan = compiled_node(
        make,
        workflow_pb2.NodeMetadata(),
        tasks_pb2.TaskMetadata(),
        metadata=workflow_pb2.WorkflowMetadata(
            on_failure=workflow_pb2.WorkflowMetadata.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
        ),
        metadata_defaults=workflow_pb2.WorkflowMetadataDefaults(interruptible=True),
    )
    assert (plan.nodes["n"].name, plan.nodes["n"].task_type) == ("pkg.t", "python-task")
    assert plan.on_failure is FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
    assert plan.interruptible
    assert plans.decode(plans.encode(plan)) == plan
