"""One version of a task, workflow or launch plan: where the links lead that clients print when they register."""

from __future__ import annotations

import functools
from typing import Any

from flyteidl.admin import common_pb2
from flyteidl.core import identifier_pb2
from google.protobuf import json_format
from markupsafe import Markup
from nicegui import ui

from dayfly.base.clock import Micros
from dayfly.console import addresses, frame, interfaces, markup, schedule_words, scheduled, workflow_nodes
from dayfly.console.addresses import Place
from dayfly.console.pages import task as tasks
from dayfly.console.routing import Page
from dayfly.console.site import View
from dayfly.model import identifiers

KINDS = {
    "task": (identifier_pb2.TASK, "GetTask", "tasks"),
    "workflow": (identifier_pb2.WORKFLOW, "GetWorkflow", "workflows"),
    "launch_plan": (identifier_pb2.LAUNCH_PLAN, "GetLaunchPlan", "workflows"),
}

MOST_JSON = 400_000
"""Characters of a message that are shown."""

NEXT = 5


async def build(view: View, kind: str) -> None:
    """Show the page about a version of one of `KINDS`."""
    name, version = view.path["name"], view.path["version"]
    place = view.place
    assert place is not None  # By its route.
    number, rpc, active = KINDS[kind]
    wanted = identifier_pb2.Identifier(resource_type=number, **place._asdict(), name=name, version=version)
    found = await view.client.call(getattr(view.client.admin, rpc), common_pb2.ObjectGetRequest(id=wanted))
    fires = await scheduled.find_fires(view, place, found) if kind == "launch_plan" else None
    with frame.page(view, title=f"{name} {version}", active=active, crumbs=_crumbs(kind, place, found)):
        with ui.element("div").classes("row-of page-head"):
            frame.heading(name, below=_below(kind, found))
            _actions(view, kind, place, found)
        if kind == "launch_plan":
            markup.show(_plan(found, fires))
        elif kind == "workflow":
            markup.show(_workflow(found))
        else:
            markup.show(tasks.about(found))
        markup.show(_json(found), "registered")


def _crumbs(kind: str, place: Place, found: Any) -> list[frame.Crumb]:
    if kind == "task":
        return [("Tasks", addresses.tasks(place)), (found.id.name, addresses.task(place, found.id.name))]
    of = found.id if kind == "workflow" else found.spec.workflow_id
    home = Place(of.project, of.domain)
    return [("Workflows", addresses.workflows(place)), (of.name, addresses.workflow(home, of.name))]


def _below(kind: str, found: Any) -> Markup:
    label = kind.replace("_", " ").capitalize()
    made = Micros(found.closure.created_at.ToMicroseconds())
    told = Markup("{} version {}").format(label, markup.code(found.id.version))
    if found.closure.HasField("created_at"):
        told += Markup(", registered {}").format(markup.moment(made))
    about = getattr(found, "short_description", "")
    return told + Markup("<br>{}").format(about) if about else told


def _actions(view: View, kind: str, place: Place, found: Any) -> None:
    # A workflow is launched by the launch plan of its name.
    asked = {"task" if kind == "task" else "launch_plan": found.id.name, "version": found.id.version}
    markup.show(markup.link("Launch", addresses.launch(place, asked), "button main-one"))
    if kind != "launch_plan":
        return

    async def clicked() -> None:
        if await scheduled.switch(view, found, not scheduled.is_active(found)):
            frame.go(addresses.version(kind, identifiers.from_identifier(found.id)))

    label = "Deactivate" if scheduled.is_active(found) else "Activate"
    ui.button(label, on_click=clicked, color=None).classes("button").props("unelevated")


def _workflow(found: Any) -> Markup:
    compiled = found.closure.compiled_workflow
    template = compiled.primary.template
    about: list[tuple[str, Markup | str]] = [
        ("Nodes", str(sum(not one.id.endswith("-node") for one in template.nodes))),
        ("Tasks", str(len(compiled.tasks))),
        ("Sub-workflows", str(len(compiled.sub_workflows))),
        ("On failure", "the others go on" if template.metadata.on_failure else "all ends"),
    ]
    lines = interfaces.show("Inputs", interfaces.of_variables(template.interface.inputs.variables))
    lines += interfaces.show("Outputs", interfaces.of_variables(template.interface.outputs.variables))
    return Markup(
        '<div class="two"><section class="card"><h2>Workflow</h2>{}</section>'
        '<section class="card"><h2>Interface</h2>{}</section></div>{}'
    ).format(markup.facts(about), lines, workflow_nodes.show(template))


def _plan(found: Any, fires: scheduled.Fires | None) -> Markup:
    workflow = identifiers.from_identifier(found.spec.workflow_id)
    link = markup.link(f"{workflow.name} {workflow.version}", addresses.version("workflow", workflow))
    pairs: list[tuple[str, Markup | str]] = [
        ("Workflow", link),
        ("State", "active" if scheduled.is_active(found) else "inactive"),
        *_schedule(found, fires),
        *_settings(found.spec),
    ]
    return Markup(
        '<div class="two"><section class="card"><h2>Launch plan</h2>{}</section>'
        '<section class="card"><h2>Interface</h2>{}</section></div>'
    ).format(markup.facts(pairs), interfaces.show("Inputs", interfaces.of_plan(found)))


def _schedule(found: Any, fires: scheduled.Fires | None) -> list[tuple[str, Markup | str]]:
    if not scheduled.is_scheduled(found):
        return [("Schedule", "none")]
    told = schedule_words.tell(found.spec.entity_metadata.schedule)
    pairs: list[tuple[str, Markup | str]] = [("Schedule", Markup("{} {}").format(told.words, markup.code(told.exact)))]
    argument = found.spec.entity_metadata.schedule.kickoff_time_input_arg
    if argument:
        pairs.append(("Its time is", markup.code(argument)))
    if fires is not None and fires.next:
        pairs.append(("Next", Markup("<br>").join(markup.moment(at) for at in fires.next[:NEXT])))
    if fires is not None and fires.last is not None:
        id = identifiers.from_execution_identifier(fires.last.id)
        pairs.append(("Last run", markup.link(id.name, addresses.run(id))))
    return pairs


def _settings(spec: Any) -> list[tuple[str, Markup | str]]:
    told = [
        ("Labels", ", ".join(f"{name}={one}" for name, one in sorted(spec.labels.values.items()))),
        ("Parallelism", str(spec.max_parallelism or "")),
        ("Interruptible", str(spec.interruptible.value) if spec.HasField("interruptible") else ""),
        ("Overwrites the cache", "yes" if spec.overwrite_cache else ""),
        ("Raw outputs", spec.raw_output_data_config.output_location_prefix),
        ("Environment", ", ".join(f"{one.key}={one.value}" for one in spec.envs.values)),
        ("At once", str(spec.concurrency_policy.max or "")),
        ("Notifications", str(len(spec.entity_metadata.notifications) or "")),
    ]
    return [(name, one) for name, one in told if one]


def _json(found: Any) -> Markup:
    text = json_format.MessageToJson(found)
    cut = f"\n… and {len(text) - MOST_JSON:,} characters more" if len(text) > MOST_JSON else ""
    return Markup('<details class="card"><summary>As registered, in JSON</summary>{}</details>').format(
        markup.block(text[:MOST_JSON] + cut, "What was registered")
    )


PAGES = tuple(
    Page(
        f"/projects/{{project}}/domains/{{domain}}/{kind}/{{name:path}}/version/{{version:path}}",
        functools.partial(build, kind=kind),
    )
    for kind in KINDS
)
