"""Which registered entities a workflow needs: what the caller of the compiler must load first.

Walks branches, arrays, sub-workflows and failure nodes. A sub-workflow that nothing refers to needs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from flyteidl.core import identifier_pb2, workflow_pb2

from dayfly.model.identifiers import EntityId


class References(msgspec.Struct, frozen=True):
    """Everything referred to, directly or through sub-workflows; sorted."""

    tasks: tuple[EntityId, ...]
    launch_plans: tuple[EntityId, ...]
    """The workflow's own id may be among them: a workflow may launch itself, and is not registered then."""
    workflows: tuple[EntityId, ...]
    """Sub-workflows, given or missing."""


def required(
    template: workflow_pb2.WorkflowTemplate, sub_workflows: Sequence[workflow_pb2.WorkflowTemplate]
) -> References:
    """Return what `template` and the sub-workflows it reaches refer to."""
    given = {workflow_id(sub.id): sub for sub in sub_workflows}
    tasks: set[EntityId] = set()
    launch_plans: set[EntityId] = set()
    workflows: set[EntityId] = set()
    waiting = [template]
    while waiting:
        for node in walk(waiting.pop()):
            target = node.WhichOneof("target")
            if target == "task_node":
                tasks.add(task_id(node.task_node.reference_id))
            elif target == "workflow_node" and node.workflow_node.HasField("launchplan_ref"):
                launch_plans.add(launch_plan_id(node.workflow_node.launchplan_ref))
            elif target == "workflow_node" and node.workflow_node.HasField("sub_workflow_ref"):
                sub = workflow_id(node.workflow_node.sub_workflow_ref)
                if sub not in workflows and sub in given:
                    waiting.append(given[sub])
                workflows.add(sub)
    return References(tuple(sorted(tasks)), tuple(sorted(launch_plans)), tuple(sorted(workflows)))


def walk(template: workflow_pb2.WorkflowTemplate) -> Iterator[workflow_pb2.Node]:
    """Yield every node of a workflow: its own, those inside branches and arrays, and the failure node."""
    for node in template.nodes:
        yield from walk_node(node)
    if template.HasField("failure_node"):
        yield from walk_node(template.failure_node)


def walk_node(node: workflow_pb2.Node) -> Iterator[workflow_pb2.Node]:
    """Yield the node, then those inside it."""
    yield node
    for inner in inner_nodes(node):
        yield from walk_node(inner)


def inner_nodes(node: workflow_pb2.Node) -> list[workflow_pb2.Node]:
    """Return the nodes one level below: of a branch's cases and default, or of an array."""
    target = node.WhichOneof("target")
    if target == "array_node":
        return [node.array_node.node]
    if target != "branch_node":
        return []
    block = node.branch_node.if_else
    inner = [case.then_node for case in (block.case, *block.other) if case.HasField("then_node")]
    return [*inner, block.else_node] if block.HasField("else_node") else inner


def task_id(message: identifier_pb2.Identifier) -> EntityId:
    """Return the id of a task, whatever type the message claims."""
    return EntityId(identifier_pb2.TASK, message.project, message.domain, message.name, message.version)


def workflow_id(message: identifier_pb2.Identifier) -> EntityId:
    """Return the id of a workflow, whatever type the message claims."""
    return EntityId(identifier_pb2.WORKFLOW, message.project, message.domain, message.name, message.version)


def launch_plan_id(message: identifier_pb2.Identifier) -> EntityId:
    """Return the id of a launch plan, whatever type the message claims."""
    return EntityId(identifier_pb2.LAUNCH_PLAN, message.project, message.domain, message.name, message.version)
