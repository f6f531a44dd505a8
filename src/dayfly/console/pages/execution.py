"""One run: its nodes on the left, what is chosen of them on the right, both kept in the address."""

from __future__ import annotations

import asyncio
from typing import Any

from flyteidl.core import execution_pb2 as phases_pb2
from markupsafe import Markup
from nicegui import ui

from dayfly.client import watching
from dayfly.console import acting, addresses, frame, live, markup, table
from dayfly.console.routing import Page
from dayfly.console.run import gate, panel, subject, summary
from dayfly.console.site import View
from dayfly.model.identifiers import END_NODE, START_NODE, ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, TERMINAL_NODE

REFRESH_SECONDS = 1.0

TABS = (summary.TAB, gate.TAB)

COLUMNS = (table.column("phase", "Phase"), table.column("name", "Node", kind="grow"), table.column("took", "Duration"))


async def build(view: View) -> None:
    """Show the page."""
    id = ExecutionId(view.path["project"], view.path["domain"], view.path["name"])
    choice = subject.Choice(view.query.get("node", ""), _number(view.query.get("attempt", "")))
    about, nodes = await asyncio.gather(subject.read(view, id, choice), view.client.list_nodes(id))
    asked = dict(view.query)

    def tell(**changed: str) -> None:
        asked.update(changed)
        ui.navigate.history.replace(addresses.run(id, asked))

    place = addresses.Place(id.project, id.domain)
    with frame.page(view, title=id.name, active="runs", crumbs=[("Runs", addresses.runs(place))]):
        with ui.element("div").classes("run-head"):
            head = markup.show(_head(about))
            with ui.element("div").classes("run-actions"):
                buttons = acting.Buttons(view, about.execution)
        waits = markup.show(gate.banner(about), "banner-holder").props('role="status"')
        with ui.element("div").classes("run"):
            with ui.element("section").classes("run-left").props('aria-label="Nodes"'):
                shown = table.Table(COLUMNS, _rows(nodes, id), label="Nodes")
            with ui.element("section").classes("run-right card").props('aria-label="What is chosen"'):
                right = panel.Panel(TABS, asked.get("tab", ""), lambda name: tell(tab=name))
                await right.show(about)

        async def refresh() -> bool:
            later = await subject.read(view, id, choice)
            head.set_content(str(_head(later)))
            waits.set_content(str(gate.banner(later)))
            buttons.refresh(later.execution)
            shown.set_rows(_rows(await view.client.list_nodes(id), id))
            await right.refresh(later)
            return later.execution.closure.phase in TERMINAL_EXECUTION

        if about.execution.closure.phase not in TERMINAL_EXECUTION:
            live.every(REFRESH_SECONDS, refresh)


def _head(about: subject.Subject) -> Markup:
    phase = phases_pb2.WorkflowExecution.Phase.Name(about.execution.closure.phase)
    return Markup('<div class="heading row-of"><h1>{}</h1>{}</div>').format(about.id.name, markup.phase(phase))


def _rows(nodes: list[Any], id: ExecutionId) -> list[table.Row]:
    return [_row(one, id) for one in nodes if one.id.node_id not in (START_NODE, END_NODE)]


def _row(one: Any, id: ExecutionId) -> table.Row:
    phase = phases_pb2.NodeExecution.Phase.Name(one.closure.phase)
    started, ended = watching.span(one.closure, one.closure.phase in TERMINAL_NODE)
    href = addresses.run(id, {"node": one.id.node_id})
    cells = {
        "phase": table.phase(phase),
        "name": table.link(one.metadata.spec_node_id or one.id.node_id, href),
        "took": table.duration(started, ended, tone=phase),
    }
    return table.row(one.id.node_id, cells, href=href)


def _number(told: str) -> int | None:
    return int(told) if told.isascii() and told.isdigit() else None


PAGES = (Page("/projects/{project}/domains/{domain}/executions/{name}", build),)
