"""What the chosen run or node was registered as: its interface and its template."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import common_pb2
from flyteidl.core import identifier_pb2, interface_pb2

from dayfly.base import errors
from dayfly.console.run.subject import Subject
from dayfly.console.site import View

RPCS = {
    identifier_pb2.TASK: "GetTask",
    identifier_pb2.WORKFLOW: "GetWorkflow",
    identifier_pb2.LAUNCH_PLAN: "GetLaunchPlan",
}


async def get(view: View, id: Any) -> Any:
    """Return what a core.Identifier names. Raise `NotFound`."""
    rpc = getattr(view.client.admin, RPCS[id.resource_type])
    return await view.client.call(rpc, common_pb2.ObjectGetRequest(id=id))


async def find_task(subject: Subject) -> Any:
    """Return the template (core.TaskTemplate) of what the chosen node runs; None where it runs no task."""
    id = subject.attempt.id.task_id if subject.attempt is not None else await _find_task_id(subject)
    return None if id is None else (await get(subject.view, id)).closure.compiled_task.template


async def _find_task_id(subject: Subject) -> Any:
    """Return the task of a node with no attempt, such as one whose outputs were cached: the workflow names it.

    Nodes further down are not looked for: their ids are their own only together with those above.
    """
    node = subject.node
    if node.id.node_id != node.metadata.spec_node_id:
        return None
    found = (await get(subject.view, subject.execution.closure.workflow_id)).closure.compiled_workflow.primary
    ids = (one.task_node.reference_id for one in found.template.nodes if one.id == node.id.node_id)
    return next((id for id in ids if id.name), None)


async def find_interface(subject: Subject) -> interface_pb2.TypedInterface:
    """Return the types of inputs and outputs; an empty interface where they are not registered by themselves."""
    try:
        if subject.node is None:
            found = await get(subject.view, subject.execution.closure.workflow_id)
            return found.closure.compiled_workflow.primary.template.interface
        template = await find_task(subject)
    except errors.NotFound:
        template = None  # What a single task's run or a dynamic task made is in no list of what is registered.
    return interface_pb2.TypedInterface() if template is None else template.interface
