"""The workflow around a task that is executed alone: one node, its inputs and outputs those of the task.

`services.executions` registers it once per task version and launches it like any other. Names and shape:
flyteadmin/pkg/manager/impl/util/single_task_execution.go in flyteorg/flyte; beyond that, the task's timeout and
interruptibility are carried over, since flytekit writes them on nodes and here there is no flytekit to do so.
"""

from __future__ import annotations

from flyteidl.core import identifier_pb2, interface_pb2, literals_pb2, tasks_pb2, types_pb2, workflow_pb2

from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId

NAME_PREFIX = ".flytegen."
"""Begins the name of every such workflow; lists of names hide it."""

DEFAULT_RETRIES = 3
"""For templates that say nothing of retries at all; flytekit's always do."""

_MAX_NODE_ID = 63


def workflow_id(task: EntityId) -> EntityId:
    """Return the id of the workflow (and with kind LAUNCH_PLAN, of the launch plan) that stands for the task."""
    return EntityId(identifier_pb2.WORKFLOW, task.project, task.domain, NAME_PREFIX + task.name, task.version)


def build_workflow(task: EntityId, template: tasks_pb2.TaskTemplate) -> tuple[EntityId, workflow_pb2.WorkflowTemplate]:
    """Return the id and the template of the workflow that runs the task alone."""
    node = workflow_pb2.Node(
        id=_node_id(task.name),
        metadata=_node_metadata(task, template),
        inputs=_promises("", template.interface.inputs),
        task_node=workflow_pb2.TaskNode(reference_id=identifiers.to_identifier(task)),
    )
    workflow = workflow_id(task)
    return workflow, workflow_pb2.WorkflowTemplate(
        id=identifiers.to_identifier(workflow),
        interface=template.interface,
        metadata=workflow_pb2.WorkflowMetadata(),
        metadata_defaults=workflow_pb2.WorkflowMetadataDefaults(),
        nodes=[node],
        outputs=_promises(node.id, template.interface.outputs),
    )


def _node_id(name: str) -> str:
    kept = "".join(one for one in name[-_MAX_NODE_ID:] if one == "-" or (one.isascii() and one.isalnum()))
    return kept or "task"


def _node_metadata(task: EntityId, template: tasks_pb2.TaskTemplate) -> workflow_pb2.NodeMetadata:
    wanted = template.metadata
    metadata = workflow_pb2.NodeMetadata(
        name=task.name,
        retries=wanted.retries if wanted.HasField("retries") else literals_pb2.RetryStrategy(retries=DEFAULT_RETRIES),
    )
    if wanted.HasField("timeout"):
        metadata.timeout.CopyFrom(wanted.timeout)
    if wanted.WhichOneof("interruptible_value") is not None:
        metadata.interruptible = wanted.interruptible
    return metadata


def _promises(node: str, variables: interface_pb2.VariableMap) -> list[literals_pb2.Binding]:
    return [
        literals_pb2.Binding(
            var=name, binding=literals_pb2.BindingData(promise=types_pb2.OutputReference(node_id=node, var=name))
        )
        for name in sorted(variables.variables)
    ]
