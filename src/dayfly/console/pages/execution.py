"""One run: its nodes on the left, what is chosen of them on the right, both kept in the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.core import execution_pb2 as phases_pb2
from flyteidl.core import identifier_pb2
from markupsafe import Markup
from nicegui import ui

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.client import watching
from dayfly.console import acting, addresses, frame, live, markup
from dayfly.console.routing import Page
from dayfly.console.run import (
    about_run,
    board,
    cache,
    dask,
    data,
    feeding,
    gate,
    logs,
    panel,
    picking,
    report,
    spec,
    subject,
    summary,
    time_split,
)
from dayfly.console.run.subject import Choice, Subject
from dayfly.console.site import View
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION

REFRESH_SECONDS = 1.0

REST_SECONDS = 0.2
"""How often the board of a run that has ended is told what was read behind the first page."""

TABS = (
    summary.TAB,
    gate.TAB,
    data.TAB,
    logs.TAB,
    logs.STORY,
    dask.TAB,
    report.TAB,
    time_split.TAB,
    cache.TAB,
    spec.TAB,
)


async def build(view: View) -> None:
    """Show the page."""
    id = ExecutionId(view.path["project"], view.path["domain"], view.path["name"])
    page = _Run(view, id)
    await page.fetch()
    place = addresses.Place(id.project, id.domain)
    with frame.page(view, title=id.name, active="runs", crumbs=[("Runs", addresses.runs(place))]):
        await page.show()


class _Run:
    """One page of a run, while somebody looks at it."""

    def __init__(self, view: View, id: ExecutionId) -> None:
        self._view, self._id = view, id
        self._asked = dict(view.query)
        self._choice = subject.choice(self._asked)
        self._turn = 0
        """Goes up with each choice, so that an answer to an earlier one is dropped."""

    async def fetch(self) -> None:
        """Read what is shown at first. Raise `NotFound`."""
        self._about = await self._read()
        self._feed = await feeding.begin(self._view, self._about.execution, self._choice.node)

    async def show(self) -> None:
        """Put it on the screen, and keep it up to date."""
        with ui.element("div").classes("run-head"):
            self._head = markup.show(_head(self._about))
            with ui.element("div").classes("run-actions"):
                self._buttons = acting.Buttons(self._view, self._about.execution)
        self._waits = markup.show(gate.banner(self._about), "banner-holder").props('role="status"')
        with ui.element("div").classes("run"):
            with ui.element("section").classes("run-left").props('aria-label="Nodes"'):
                answers: dict[str, board.Answer] = {
                    "choose": self.choose,
                    "view": self._viewed,
                    "came": self._came,
                    "unfold": self._feed.unfold,
                    "see": self._feed.see,
                    "graph": self._feed.graph,
                }
                self._feed.show(board.Board(self._feed.start(_start(self._asked)), answers))
            with ui.element("section").classes("run-right card").props('aria-label="What is chosen"'):
                self._panel = panel.Panel(TABS, self._asked.get("tab", ""), lambda name: self._tell(tab=name))
                self._absent = markup.show(Markup(""))
                await self._show_chosen()
        if not self._feed.over:
            live.every(REFRESH_SECONDS, self._refresh)
        elif not self._feed.nodes.complete:
            live.every(REST_SECONDS, self._feed.go_on)

    async def choose(self, node: str, attempt: int | None = None) -> None:
        """Show another node, or an attempt of it; an empty name is the run itself. The browser has the address."""
        number = "" if attempt is None else str(attempt)
        self._asked = {**picking.without_log(self._asked), "node": node, "attempt": number}
        await self._chosen()

    async def _chosen(self) -> None:
        self._choice = subject.choice(self._asked)
        self._turn += 1
        turn = self._turn
        about = await self._read()
        if turn == self._turn:
            self._about = about
            await self._show_chosen()

    async def _show_chosen(self) -> None:
        there = self._is_there()
        self._absent.set_content("" if there else str(self._absence()))
        self._absent.set_visibility(not there)
        self._panel.set_visibility(there)
        if there:
            await self._panel.show(self._about)

    async def _refresh(self) -> bool:
        turn, was_there = self._turn, self._is_there()
        about = await self._read()
        self._head.set_content(str(_head(about)))
        self._waits.set_content(str(gate.banner(about)))
        self._buttons.refresh(about.execution)
        over = await self._feed.refresh(about.execution)
        if turn == self._turn:
            self._about = about
            if was_there and self._is_there():
                await self._panel.refresh(about)
            elif self._is_there():
                await self._show_chosen()
        return over

    async def _read(self) -> Subject:
        """Return what is chosen; the run alone where that is not there, or has not started yet."""
        try:
            return await subject.read(self._view, self._id, self._choice)
        except (errors.NotFound, errors.InvalidArgument):
            return await subject.read(self._view, self._id, Choice())

    def _is_there(self) -> bool:
        return self._about.node is not None or not self._choice.node

    def _absence(self) -> Markup:
        name = self._feed.name_of(self._choice.node)
        if self._feed.over:
            return markup.empty(f"{name} has not run.", "The run ended without it, or took another way.")
        return markup.empty(f"{name} has not started yet.", "It does once all that it waits for has succeeded.")

    async def _viewed(self, view: str) -> None:
        self._asked["view"] = view

    async def _came(self, query: Mapping[str, str]) -> None:
        self._asked = {str(name): str(value) for name, value in query.items()}
        self._panel.choose(self._asked.get("tab", ""))
        await self._chosen()

    def _tell(self, **changed: str) -> None:
        self._asked.update(changed)
        ui.run_javascript(addresses.setting(changed))


def _head(about: Subject) -> Markup:
    closure = about.execution.closure
    phase = phases_pb2.WorkflowExecution.Phase.Name(closure.phase)
    started, ended = watching.span(closure, closure.phase in TERMINAL_EXECUTION)
    of = _of(about.execution)
    created = markup.moment(Micros(closure.created_at.ToMicroseconds()))
    return Markup(
        '<div class="row-of"><h1>{}</h1>{}<span class="run-facts"><span>{}</span><span>{}</span>{}</span></div>'
    ).format(about.id.name, markup.phase(phase), of, created, markup.duration(started, ended))


def _of(execution: Any) -> Markup:
    """Return a link to what is run: of a task that runs by itself the task, for its workflow is the platform's own."""
    launched = execution.spec.launch_plan
    if launched.resource_type == identifier_pb2.TASK:
        return about_run.entity("task", launched)
    return about_run.entity("workflow", execution.closure.workflow_id)


def _start(asked: Mapping[str, str]) -> dict[str, str]:
    view = asked.get("view", "")
    return {"node": asked.get("node", ""), "view": view if view in board.VIEWS else board.VIEWS[0]}


PAGES = (Page("/projects/{project}/domains/{domain}/executions/{name}", build),)
