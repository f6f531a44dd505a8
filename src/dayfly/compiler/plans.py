"""A linked workflow -> the Plan that the engine runs, which names the nodes that this engine cannot run.

Called by `workflows` after everything else has been checked. The numbers follow
flytepropeller/pkg/compiler/transformers/k8s/utils.go in flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Mapping

from flyteidl.core import compiler_pb2, tasks_pb2, workflow_pb2

from dayfly.compiler import digests, nodes, references
from dayfly.model.identifiers import END_NODE, START_NODE, EntityId, NodeId
from dayfly.model.phases import FailurePolicy
from dayfly.model.plan import Plan, PlanNode

ACTIVE_DEADLINE_FACTOR = 2
"""A node with an attempt timeout may take this many timeouts in all, queueing included."""

_KINDS = {
    "workflow_node": "a sub-workflow or launch plan",
    "branch_node": "a conditional",
    "gate_node": "a gate (sleep, signal or approval)",
    "array_node": "a map task",
}


def build_plan(closure: compiler_pb2.CompiledWorkflowClosure, workflow: EntityId) -> Plan:
    """Return the plan of a linked workflow: its task nodes, and what else there is in words.

    A plan that lacks nodes has another digest than the whole one that a later engine makes of the same workflow.
    """
    template = closure.primary.template
    tasks = {references.task_id(task.template.id): task.template for task in closure.tasks}
    own = [node for node in template.nodes if node.id not in (START_NODE, END_NODE)]
    end = next(node for node in template.nodes if node.id == END_NODE)
    unrunnable = _find_unrunnable(template)
    return Plan(
        workflow=workflow,
        digest=digests.digest(closure) + (".part" if unrunnable else ""),
        nodes={NodeId(node.id): _build_node(node, tasks) for node in own if node.WhichOneof("target") == "task_node"},
        end_document=end.SerializeToString(deterministic=True),
        interface=template.interface.SerializeToString(deterministic=True),
        on_failure=FailurePolicy(template.metadata.on_failure),
        interruptible=template.metadata_defaults.interruptible,
        unrunnable=unrunnable,
    )


def _find_unrunnable(template: workflow_pb2.WorkflowTemplate) -> tuple[str, ...]:
    found = [(node, _KINDS[kind]) for node in template.nodes if (kind := node.WhichOneof("target")) in _KINDS]
    if template.HasField("failure_node"):
        found.append((template.failure_node, "a failure node"))
    return tuple(f"{nodes.describe(node)} is {kind}" for node, kind in found)


def _build_node(node: workflow_pb2.Node, tasks: Mapping[EntityId, tasks_pb2.TaskTemplate]) -> PlanNode:
    task = references.task_id(node.task_node.reference_id)
    template = tasks[task]
    timeout_seconds = node.metadata.timeout.seconds + node.metadata.timeout.nanos / 1e9
    # Zero means "not said": a node cannot lower its task's retries to none, as in Flyte.
    retries = node.metadata.retries.retries or template.metadata.retries.retries
    says = node.metadata.WhichOneof("interruptible_value") is not None
    return PlanNode(
        id=NodeId(node.id),
        task=task,
        document=node.SerializeToString(deterministic=True),
        upstream=tuple(NodeId(one) for one in node.upstream_node_ids) or (START_NODE,),
        name=node.metadata.name or task.name,
        task_type=template.type,
        max_attempts=retries + 1,
        attempt_timeout_seconds=timeout_seconds,
        active_deadline_seconds=ACTIVE_DEADLINE_FACTOR * timeout_seconds,
        interruptible=node.metadata.interruptible if says else None,
    )
