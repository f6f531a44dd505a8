"""One workflow: its last runs, versions and what changed between them, launch plans."""

from __future__ import annotations

import asyncio
from typing import Any

from flyteidl.core import identifier_pb2
from nicegui import ui

from dayfly.base.clock import Micros
from dayfly.console import (
    addresses,
    archiving,
    frame,
    interfaces,
    live,
    markup,
    registered,
    run_bars,
    scheduled,
    table,
    tabs,
    version_changes,
)
from dayfly.console.addresses import Place
from dayfly.console.pages import runs as run_lists
from dayfly.console.routing import Page
from dayfly.console.site import View
from dayfly.model import identifiers

CHARTED, LISTED = 60, 100

REFRESH_SECONDS = 3.0

RUN_COLUMNS = (
    *(one for one in run_lists.COLUMNS if one["key"] != "workflow"),
    table.column("version", "Version"),
    table.column("plan", "Launch plan", kind="grow"),
)

VERSION_COLUMNS = (
    table.column("name", "Version"),
    table.column("created", "Registered"),
    table.column("changes", "What changed", kind="grow"),
    table.column("act", ""),
)


async def build(view: View) -> None:
    """Show the page."""
    place, name = view.place, view.path["name"]
    assert place is not None  # By its route.
    named, versions, plans = await asyncio.gather(
        registered.name(view, identifier_pb2.WORKFLOW, place, name),
        registered.versions(view, identifier_pb2.WORKFLOW, place, name),
        registered.versions(view, identifier_pb2.LAUNCH_PLAN, place, filters=registered.of_name("workflow.name", name)),
    )
    page = _Workflow(view, place, named, versions, plans)
    with frame.page(view, title=name, active="workflows", crumbs=[("Workflows", addresses.workflows(place))]):
        page.head()
        await page.body()


class _Workflow:
    """The page as one person has it open."""

    def __init__(self, view: View, place: Place, named: Any, versions: list[Any], plans: list[Any]) -> None:
        self._view, self._place, self._named, self._versions, self._plans = view, place, named, versions, plans
        self._name = named.id.name
        self._asked = dict(view.query)
        self._live: live.Live | None = None
        self._changes: Any = None
        self._compared: tuple[str, ...] = ()

    def head(self) -> None:
        """Show name, description and what can be done."""
        newest = self._versions[0] if self._versions else None
        told = self._named.metadata.description or (newest.short_description if newest else "")
        with ui.element("div").classes("row-of page-head"):
            frame.heading(self._name, below=told)
            launch = addresses.launch(self._place, {"launch_plan": self._name})
            markup.show(markup.link("Launch", launch, "button main-one"))
            archiving.button(self._view, self._named, "workflow")

    async def body(self) -> None:
        """Show the tabs."""
        plans = len(registered.by_name(self._plans))
        offered = (
            tabs.Tab("runs", "Runs", self._runs),
            tabs.Tab("versions", f"Versions ({len(self._versions)})", self._show_versions),
            tabs.Tab("plans", f"Launch plans ({plans})", self._show_plans),
        )
        await tabs.Tabs(offered, self._asked.get("tab", ""), lambda name: self._tell(tab=name)).show()

    def _tell(self, **changed: str) -> None:
        if self._live is not None:
            self._live.stop()
        self._asked.update(changed)
        ui.navigate.history.replace(addresses.workflow(self._place, self._name, self._asked))

    async def _runs(self) -> None:
        async def fetch() -> list[Any]:
            filters = registered.of_name("workflow.name", self._name)
            return await registered.runs(self._view, self._place, filters, limit=LISTED)

        found = await fetch()
        clock = self._view.site.clock
        chart = markup.show(run_bars.chart(found[:CHARTED], clock.now()), "card chart-card")
        chart.set_visibility(len(found) > 1)
        shown = table.Table(RUN_COLUMNS, _run_rows(found), label="Runs", nothing="It has not run yet: launch it.")

        async def refresh() -> None:
            later = await fetch()
            chart.set_content(str(run_bars.chart(later[:CHARTED], clock.now())))
            chart.set_visibility(len(later) > 1)
            shown.set_rows(_run_rows(later))

        self._live = live.every(REFRESH_SECONDS, refresh)

    async def _show_versions(self) -> None:
        with ui.element("div").classes("row-of list-bar"):
            compare = (
                ui.button("Compare", on_click=self._compare, color=None).classes("button").props("unelevated disable")
            )
            ui.label("Choose two versions to see what changed between them.").classes("faint")

        def selected(chosen: list[str]) -> None:
            self._compared = tuple(chosen)
            compare.set_enabled(len(chosen) == 2)

        table.Table(
            VERSION_COLUMNS, self._version_rows(), label="Versions", selectable=True, on_select=selected,
            on_action=lambda version, _: self._launch(version),
        )  # fmt: skip
        self._changes = ui.element("div").classes("changes").props('role="status"')
        if self._asked.get("before") and self._asked.get("after"):
            await self._show_changes(self._asked["before"], self._asked["after"])

    def _version_rows(self) -> list[table.Row]:
        rows = []
        for at, one in enumerate(self._versions):
            id = identifiers.from_identifier(one.id)
            href = addresses.version("workflow", id)
            told = interfaces.brief(_interface(one))
            if at + 1 < len(self._versions):
                told = "; ".join(interfaces.changes(_interface(self._versions[at + 1]), _interface(one)))
                told = told.capitalize() or "The interface is the same"
            cells = {
                "name": table.link(id.version, href),
                "created": table.moment(Micros(one.closure.created_at.ToMicroseconds())),
                "changes": table.text(told, title=told, faint=told.startswith("The interface")),
                "act": table.actions(("launch", "Launch")),
            }
            rows.append(table.row(id.version, cells, href=href))
        return rows

    def _launch(self, version: str) -> None:
        frame.go(addresses.launch(self._place, {"launch_plan": self._name, "version": version}))

    async def _compare(self) -> None:
        order = [one.id.version for one in self._versions]
        after, before = sorted(self._compared, key=order.index)
        self._tell(before=before, after=after)
        await self._show_changes(before, after)

    async def _show_changes(self, before: str, after: str) -> None:
        known = {one.id.version: identifiers.from_identifier(one.id) for one in self._versions}
        if before not in known or after not in known:
            return
        old, new = await asyncio.gather(
            registered.get_workflow(self._view, known[before]), registered.get_workflow(self._view, known[after])
        )
        found = version_changes.between(old.closure.compiled_workflow, new.closure.compiled_workflow)
        self._changes.clear()
        with self._changes:
            markup.show(version_changes.show(before, after, found), "card")

    async def _show_plans(self) -> None:
        async def refresh() -> None:
            filters = registered.of_name("workflow.name", self._name)
            kind = identifier_pb2.LAUNCH_PLAN
            self._plans = await registered.versions(self._view, kind, self._place, filters=filters)
            await shown.refresh(self._plans)

        shown = scheduled.Plans(self._view, self._place, every=True)
        await shown.refresh(self._plans)
        self._live = live.every(REFRESH_SECONDS, refresh)


def _run_rows(found: list[Any]) -> list[table.Row]:
    rows = run_lists.rows(found)
    for row, one in zip(rows, found, strict=True):
        plan = one.spec.launch_plan.name
        row["cells"]["version"] = table.text(one.closure.workflow_id.version)
        row["cells"]["plan"] = table.text(plan, faint=plan == one.closure.workflow_id.name)
    return rows


def _interface(workflow: Any) -> Any:
    return workflow.closure.compiled_workflow.primary.template.interface


PAGES = (Page("/projects/{project}/domains/{domain}/workflows/{name:path}", build),)
