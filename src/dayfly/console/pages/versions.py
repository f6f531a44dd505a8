"""One version of a task, workflow or launch plan: where the links lead that clients print when they register."""

from __future__ import annotations

from flyteidl.admin import common_pb2
from flyteidl.core import identifier_pb2
from google.protobuf import json_format

from dayfly.base import errors
from dayfly.console import addresses, frame, markup
from dayfly.console.routing import Page
from dayfly.console.site import View

KINDS = {
    "task": (identifier_pb2.TASK, "GetTask", "tasks"),
    "workflow": (identifier_pb2.WORKFLOW, "GetWorkflow", "workflows"),
    "launch_plan": (identifier_pb2.LAUNCH_PLAN, "GetLaunchPlan", "workflows"),
}


async def build(view: View) -> None:
    """Show the page."""
    kind, name, version = view.path["kind"], view.path["name"], view.path["version"]
    place = view.place
    assert place is not None  # By its route.
    if kind not in KINDS:
        raise errors.NotFound(f"There are no pages about {kind!r}.")
    number, rpc, active = KINDS[kind]
    wanted = identifier_pb2.Identifier(resource_type=number, **place._asdict(), name=name, version=version)
    found = await view.client.call(getattr(view.client.admin, rpc), common_pb2.ObjectGetRequest(id=wanted))
    with frame.page(view, title=name, active=active, crumbs=[(active.capitalize(), addresses.below(place, active))]):
        frame.heading(name, below=version)
        markup.show(markup.block(json_format.MessageToJson(found), "What was registered"))


PAGES = (Page("/projects/{project}/domains/{domain}/{kind}/{name}/version/{version:path}", build),)
