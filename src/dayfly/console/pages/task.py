"""One task: what its newest version asks for, its versions, and the runs of it by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from flyteidl.core import identifier_pb2
from markupsafe import Markup
from nicegui import ui

from dayfly.base.clock import Micros
from dayfly.console import addresses, archiving, frame, interfaces, live, markup, registered, run_bars, table, tabs
from dayfly.console import task_facts as facts
from dayfly.console.addresses import Place
from dayfly.console.pages import runs as run_lists
from dayfly.console.routing import Page
from dayfly.console.site import View
from dayfly.model import identifiers

LISTED = 60

REFRESH_SECONDS = 3.0

VERSION_COLUMNS = (
    table.column("name", "Version"),
    table.column("created", "Registered"),
    table.column("asks", "Type"),
    table.column("changes", "What changed", kind="grow"),
    table.column("act", ""),
)


async def build(view: View) -> None:
    """Show the page."""
    place, name = view.place, view.path["name"]
    assert place is not None  # By its route.
    named, versions = await asyncio.gather(
        registered.name(view, identifier_pb2.TASK, place, name),
        registered.versions(view, identifier_pb2.TASK, place, name),
    )
    with frame.page(view, title=name, active="tasks", crumbs=[("Tasks", addresses.tasks(place))]):
        with ui.element("div").classes("row-of page-head"):
            frame.heading(name, below=named.metadata.description or (versions[0].short_description if versions else ""))
            markup.show(markup.link("Launch", addresses.launch(place, {"task": name}), "button main-one"))
            archiving.button(view, named, "task")
        await _Task(view, place, name, versions).body()


class _Task:
    """The page as one person has it open."""

    def __init__(self, view: View, place: Place, name: str, versions: list[Any]) -> None:
        self._view, self._place, self._name, self._versions = view, place, name, versions
        self._live: live.Live | None = None

    async def body(self) -> None:
        """Show the tabs."""
        offered = (
            tabs.Tab("about", "About", self._about),
            tabs.Tab("versions", f"Versions ({len(self._versions)})", self._show_versions),
            tabs.Tab("runs", "Runs by itself", self._runs),
        )
        await tabs.Tabs(offered, self._view.query.get("tab", ""), self._tell).show()

    def _tell(self, tab: str) -> None:
        if self._live is not None:
            self._live.stop()
        ui.navigate.history.replace(addresses.task(self._place, self._name, {"tab": tab}))

    async def _about(self) -> None:
        if self._versions:
            markup.show(about(self._versions[0]))

    async def _show_versions(self) -> None:
        rows = []
        for at, one in enumerate(self._versions):
            id = identifiers.from_identifier(one.id)
            href = addresses.version("task", id)
            template = one.closure.compiled_task.template
            before = self._versions[at + 1].closure.compiled_task.template if at + 1 < len(self._versions) else None
            told = changes(before, template) if before is not None else interfaces.brief(template.interface)
            cells = {
                "name": table.link(id.version, href),
                "created": table.moment(Micros(one.closure.created_at.ToMicroseconds())),
                "asks": table.text(facts.brief(template)),
                "changes": table.text(told, title=told),
                "act": table.actions(("launch", "Launch")),
            }
            rows.append(table.row(id.version, cells, href=href))
        table.Table(VERSION_COLUMNS, rows, label="Versions", on_action=lambda version, _: self._launch(version))

    def _launch(self, version: str) -> None:
        frame.go(addresses.launch(self._place, {"task": self._name, "version": version}))

    async def _runs(self) -> None:
        async def fetch() -> list[Any]:
            filters = registered.of_name("task.name", self._name)
            return await registered.runs(self._view, self._place, filters, limit=LISTED)

        found = await fetch()
        clock = self._view.site.clock
        chart = markup.show(run_bars.chart(found, clock.now()), "card chart-card")
        chart.set_visibility(len(found) > 1)
        nothing = "It has not been launched by itself. Its runs in workflows are on their pages."
        shown = table.Table(run_lists.COLUMNS, run_lists.rows(found), label="Runs", nothing=nothing)

        async def refresh() -> None:
            later = await fetch()
            chart.set_content(str(run_bars.chart(later, clock.now())))
            chart.set_visibility(len(later) > 1)
            shown.set_rows(run_lists.rows(later))

        self._live = live.every(REFRESH_SECONDS, refresh)


def about(task: Any) -> Markup:
    """Return what an admin.Task asks for and takes."""
    template = task.closure.compiled_task.template
    cards = [
        ("Task", facts.main(template)),
        ("Container", facts.container(template)),
        ("Cluster", facts.dask(template)),
    ]
    told = Markup("").join(
        Markup('<section class="card"><h2>{}</h2>{}</section>').format(label, markup.facts(pairs))
        for label, pairs in cards
        if pairs
    )
    lines = interfaces.show("Inputs", interfaces.of_variables(template.interface.inputs.variables))
    lines += interfaces.show("Outputs", interfaces.of_variables(template.interface.outputs.variables))
    interface = Markup('<section class="card"><h2>Interface</h2>{}</section>').format(lines)
    return Markup('<div class="two"><div class="stack">{}</div>{}</div>').format(told, interface)


def changes(before: Any, after: Any) -> str:
    """Return what is different between two core.TaskTemplate, in a line."""
    found = interfaces.changes(before.interface, after.interface)
    for part in (facts.main, facts.container, facts.dask):
        old, new = dict(part(before)), dict(part(after))
        found += [f"{name.lower()} is other" for name in new if old.get(name) != new[name]]
    told = "; ".join(found)
    return told.capitalize() or "What it asks for is the same"


PAGES = (Page("/projects/{project}/domains/{domain}/tasks/{name:path}", build),)
