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
    if subject.attempt is None:
        return None
    return (await get(subject.view, subject.attempt.id.task_id)).closure.compiled_task.template


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
