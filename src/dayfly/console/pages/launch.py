"""The launch form: of a launch plan, of a task, or like a past run."""

from __future__ import annotations

from typing import Any

from flyteidl.core import execution_pb2 as phases_pb2
from markupsafe import Markup
from nicegui import ui

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.console import addresses, copying, frame, markup, registered, wording
from dayfly.console.addresses import Place
from dayfly.console.launching import filling, form, options
from dayfly.console.launching import target as targets
from dayfly.console.launching.reading import Mistakes
from dayfly.console.launching.target import Target
from dayfly.console.routing import Page
from dayfly.console.site import View

PAST = 8
"""Past runs that the form can be filled in like."""


async def build(view: View) -> None:
    """Show the form."""
    place = view.place
    assert place is not None  # By its route.
    found = await targets.read(view, place, view.query)
    field = "task.name" if found.kind == "task" else "launch_plan.name"
    past = await registered.runs(view, place, registered.of_name(field, found.id.name), limit=PAST)
    active = "tasks" if found.kind == "task" else "workflows"
    with frame.page(view, title=f"Launch {found.id.name}", active=active, crumbs=_crumbs(found)):
        frame.heading(f"Launch {found.id.name}", below=_below(found))
        with ui.element("div").classes("launching"):
            _Launching(view, place, found)
            markup.show(_past(place, past), "launch-past")


class _Launching:
    """The form on one person's page, and what it does."""

    def __init__(self, view: View, place: Place, target: Target) -> None:
        self._view, self._place, self._target = view, place, target
        self._form = form.Form(target, on_launch=self._launch, on_copy=self._copy, on_version=self._version)

    async def _launch(self, told: form.Told) -> None:
        mistakes: Mistakes = {}
        inputs = filling.inputs(self._form.fields, told["inputs"], mistakes)
        name, spec = options.read(told["options"], mistakes)
        if mistakes:
            count = wording.count(len(mistakes), "field is", "fields are")
            self._form.refuse(mistakes, {"told": f"{count} not right yet."})
            return
        self._form.wait()
        try:
            run = await self._view.client.create_execution(*self._place, self._target.id, inputs, name=name, spec=spec)
        except errors.AlreadyExists as error:
            self._form.refuse({"options/name": "There is a run of this name."} if name else {}, _problem(error))
            return
        except errors.DayflyError as error:
            self._form.refuse(*filling.refusal(error, self._form.fields))
            return
        frame.go(addresses.run(run))

    async def _version(self, told: form.Told) -> None:
        asked = {**self._view.query, "version": str(told["version"])}
        try:
            self._target = await targets.read(self._view, self._place, asked)
        except errors.DayflyError as error:
            self._form.refuse({}, _problem(error))
            return
        self._form.show(self._target, told)
        ui.navigate.history.replace(addresses.launch(self._place, asked))

    def _copy(self, told: form.Told) -> None:
        mistakes: Mistakes = {}
        inputs = filling.inputs(self._form.fields, told["inputs"], mistakes)
        name, spec = options.read(told["options"], mistakes)
        if mistakes:
            self._form.refuse(mistakes, {"told": "Code can be made once all fields are right."})
            return
        models = any(one.shape["kind"] in ("record", "json") for one in self._form.fields)
        launch = copying.Launch(self._place, self._target.id, dict(inputs.literals), name, spec, models)
        copying.show(launch, self._view.site.public_url)


def _problem(error: errors.DayflyError) -> dict[str, str]:
    return {"told": error.message, "remedy": error.remedy}


def _crumbs(found: Target) -> list[frame.Crumb]:
    place = Place(found.id.project, found.id.domain)
    if found.kind == "task":
        return [("Tasks", addresses.tasks(place)), (found.id.name, addresses.task(place, found.id.name))]
    crumbs = [("Workflows", addresses.workflows(place))]
    if found.workflow is not None:
        of = Place(found.workflow.project, found.workflow.domain)
        crumbs.append((found.workflow.name, addresses.workflow(of, found.workflow.name)))
    return crumbs


def _below(found: Target) -> Markup:
    kind = "Task" if found.kind == "task" else "Launch plan"
    told = Markup("{} {}").format(kind, markup.link(found.id.version, addresses.version(found.kind, found.id)))
    if found.template is None:
        return told
    run = found.template.id
    return Markup("{} · filled in like {}").format(told, markup.link(run.name, addresses.run(run)))


def _past(place: Place, runs: list[Any]) -> Markup:
    if not runs:
        return Markup("")
    items = Markup("").join(
        Markup('<li>{}<a href="{}">{}</a> {}</li>').format(
            markup.phase(phases_pb2.WorkflowExecution.Phase.Name(one.closure.phase)),
            addresses.launch(place, {"execution": one.id.name}),
            one.id.name,
            markup.moment(Micros(one.closure.created_at.ToMicroseconds())),
        )
        for one in runs
    )
    return Markup(
        '<aside class="card" aria-label="Past runs"><h2>Fill in like a past run</h2><ul>{}</ul></aside>'
    ).format(items)


PAGES = (Page("/projects/{project}/domains/{domain}/launch", build),)
