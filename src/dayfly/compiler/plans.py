"""A linked workflow -> the Plan that the engine runs.

Called by `workflows` after everything else has been checked. The numbers follow
flytepropeller/pkg/compiler/transformers/k8s/utils.go in flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flyteidl.core import compiler_pb2, tasks_pb2, workflow_pb2

from dayfly.compiler import digests, references
from dayfly.model.identifiers import END_NODE, START_NODE, EntityId, NodeId
from dayfly.model.phases import FailurePolicy
from dayfly.model.plan import NO_ENTITY, CacheRules, Graph, NodeKind, Plan, PlanNode

FORMAT = 2
"""Part of each plan's digest: one that an older platform made of the same workflow says less."""

ACTIVE_DEADLINE_FACTOR = 2
"""A task with an attempt timeout may take this many timeouts in all, queueing included."""

Templates = Mapping[EntityId, tasks_pb2.TaskTemplate]


def build_plan(
    closure: compiler_pb2.CompiledWorkflowClosure, workflow: EntityId, brought: Iterable[EntityId] = ()
) -> Plan:
    """Return the plan of a linked workflow. `brought` names tasks that are registered nowhere: the plan keeps them."""
    tasks = {references.task_id(task.template.id): task.template for task in closure.tasks}
    template = closure.primary.template
    return Plan(
        **_graph_fields(template, tasks),
        workflow=workflow,
        digest=f"{digests.digest(closure)}.{FORMAT}",
        interface=template.interface.SerializeToString(deterministic=True),
        subs={
            str(references.workflow_id(sub.template.id)): Graph(**_graph_fields(sub.template, tasks))
            for sub in closure.sub_workflows
        },
        tasks={str(task): tasks[task].SerializeToString(deterministic=True) for task in brought if task in tasks},
    )


def _graph_fields(template: workflow_pb2.WorkflowTemplate, tasks: Templates) -> dict[str, Any]:
    own = [node for node in template.nodes if node.id not in (START_NODE, END_NODE)]
    end = next(node for node in template.nodes if node.id == END_NODE)
    return {
        "nodes": {NodeId(node.id): _build_node(node, tasks) for node in own},
        "end_document": end.SerializeToString(deterministic=True),
        "on_failure": FailurePolicy(template.metadata.on_failure),
        "interruptible": template.metadata_defaults.interruptible,
        "failure_node": _build_node(template.failure_node, tasks) if template.HasField("failure_node") else None,
    }


def _build_node(node: workflow_pb2.Node, tasks: Templates) -> PlanNode:
    fields = _BUILDERS[node.WhichOneof("target")](node, tasks)
    timeout_seconds = node.metadata.timeout.seconds + node.metadata.timeout.nanos / 1e9
    says = node.metadata.WhichOneof("interruptible_value") is not None
    common: dict[str, Any] = {
        "target": NO_ENTITY,
        "max_attempts": node.metadata.retries.retries + 1,
        "name": node.metadata.name or (str(getattr(fields.get("target"), "name", "")) or node.id),
    }
    return PlanNode(
        **{**common, **fields},
        id=NodeId(node.id),
        document=node.SerializeToString(deterministic=True),
        upstream=tuple(NodeId(one) for one in node.upstream_node_ids) or (START_NODE,),
        attempt_timeout_seconds=timeout_seconds,
        active_deadline_seconds=ACTIVE_DEADLINE_FACTOR * timeout_seconds,
        interruptible=node.metadata.interruptible if says else None,
    )


def _task(node: workflow_pb2.Node, tasks: Templates) -> dict[str, Any]:
    task = references.task_id(node.task_node.reference_id)
    template = tasks[task]
    # Zero means "not said": a node cannot lower its task's retries to none, as in Flyte.
    retries = node.metadata.retries.retries or template.metadata.retries.retries
    return {
        "kind": NodeKind.TASK,
        "target": task,
        "task_type": template.type,
        "max_attempts": retries + 1,
        "cache": _cache(node.metadata, template),
    }


def _workflow(node: workflow_pb2.Node, tasks: Templates) -> dict[str, Any]:
    if node.workflow_node.HasField("launchplan_ref"):
        target = references.launch_plan_id(node.workflow_node.launchplan_ref)
        return {"kind": NodeKind.LAUNCH_PLAN, "target": target}
    return {
        "kind": NodeKind.SUB_WORKFLOW,
        "target": references.workflow_id(node.workflow_node.sub_workflow_ref),
    }


def _branch(node: workflow_pb2.Node, tasks: Templates) -> dict[str, Any]:
    cases = tuple(_build_node(inner, tasks) for inner in references.inner_nodes(node))
    return {"kind": NodeKind.BRANCH, "cases": cases}


def _gate(node: workflow_pb2.Node, tasks: Templates) -> dict[str, Any]:
    gate = node.gate_node
    kind = gate.WhichOneof("condition")
    if kind == "sleep":
        duration = gate.sleep.duration
        return {"kind": NodeKind.GATE, "sleep_seconds": max(0.0, duration.seconds + duration.nanos / 1e9)}
    return {"kind": NodeKind.GATE, "signal": gate.approve.signal_id if kind == "approve" else gate.signal.signal_id}


def _array(node: workflow_pb2.Node, tasks: Templates) -> dict[str, Any]:
    array = node.array_node
    rule = array.WhichOneof("success_criteria")
    return {
        "kind": NodeKind.ARRAY,
        "element": _build_node(array.node, tasks),
        "parallelism": array.parallelism,
        "min_successes": array.min_successes if rule == "min_successes" else None,
        "min_success_ratio": array.min_success_ratio if rule == "min_success_ratio" else 1.0,
    }


_BUILDERS = {
    "task_node": _task,
    "workflow_node": _workflow,
    "branch_node": _branch,
    "gate_node": _gate,
    "array_node": _array,
}


def _cache(metadata: workflow_pb2.NodeMetadata, template: tasks_pb2.TaskTemplate) -> CacheRules | None:
    """Return how results are kept: as the task says, where the node says nothing else. What gives nothing has none."""
    told = template.metadata
    cached = metadata.cacheable if metadata.WhichOneof("cacheable_value") else told.discoverable
    version = metadata.cache_version if metadata.WhichOneof("cache_version_value") else told.discovery_version
    if not cached or not version or not template.interface.outputs.variables:
        return None
    says = metadata.WhichOneof("cache_serializable_value") is not None
    return CacheRules(
        version=version,
        serializable=metadata.cache_serializable if says else told.cache_serializable,
        ignored=tuple(told.cache_ignore_input_vars),
    )
