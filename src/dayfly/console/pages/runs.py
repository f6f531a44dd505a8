"""The list of runs of one place: filtered by its address, sorted, live, more as one scrolls; many acted on at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from flyteidl.admin import common_pb2
from flyteidl.core import execution_pb2 as phases_pb2
from flyteidl.core import identifier_pb2
from nicegui import ui

from dayfly.base import errors
from dayfly.base.clock import SECOND, Micros
from dayfly.client import watching
from dayfly.console import acting, addresses, asking, filter_bar, frame, live, markup, run_filters, table, wording
from dayfly.console.addresses import Place
from dayfly.console.routing import Page
from dayfly.console.run_list import RunList
from dayfly.console.site import View
from dayfly.model import identifiers
from dayfly.model.phases import TERMINAL_EXECUTION

REFRESH_SECONDS = 2.0

KNOWN_NAMES = 300
"""Names of workflows and launch plans that the filters offer."""

COLUMNS = (
    table.column("phase", "Phase"),
    table.column("name", "Run"),
    table.column("workflow", "Workflow", kind="grow"),
    table.column("created", "Created", sort=True),
    table.column("duration", "Duration", sort=True),
)

BULK = ("abort", "relaunch", "recover", "archive", "restore")


async def build(view: View) -> None:
    """Show the list."""
    assert view.place is not None  # By its route.
    screen = _Screen(view, view.place, run_filters.kept(view.query))
    _, known = await asyncio.gather(screen.read(), _known_names(view, view.place))
    screen.show(known)


def rows(found: Sequence[Any]) -> list[table.Row]:
    """Return executions as rows of a table; bars are shares of the longest one's time."""
    spans = [watching.span(one.closure, one.closure.phase in TERMINAL_EXECUTION) for one in found]
    longest = max((float(end - start) / SECOND for start, end in spans if start and end), default=0.0)
    return [_row(one, start, end, longest) for one, (start, end) in zip(found, spans, strict=True)]


def _row(one: Any, started: Micros | None, ended: Micros | None, longest: float) -> table.Row:
    id = identifiers.from_execution_identifier(one.id)
    phase = phases_pb2.WorkflowExecution.Phase.Name(one.closure.phase)
    reason = one.closure.error.message.strip().partition("\n")[0] if one.closure.HasField("error") else ""
    if reason.startswith("Trace"):
        reason = ""  # Messages are cut short in lists: what comes behind the traceback is not there.
    cells = {
        "phase": table.phase(phase),
        "name": table.link(one.id.name, addresses.run(id)),
        "workflow": {
            **table.text(wording.entity(one.closure.workflow_id.name), title=reason or one.closure.workflow_id.version),
            "below": reason or one.closure.workflow_id.version,
        },
        "created": table.moment(Micros(one.closure.created_at.ToMicroseconds())),
        "duration": table.duration(started, ended, longest_seconds=longest, tone=phase),
    }
    return table.row(one.id.name, cells, href=addresses.run(id), tone=phase)


class _Screen:
    """The list as one reader sees it."""

    def __init__(self, view: View, place: Place, query: dict[str, str]) -> None:
        self._view, self._place, self._query = view, place, query
        self._list: RunList | None = None
        self._problem = ""
        self._chosen: list[str] = []

    async def read(self) -> None:
        """Read the first page of what the filters say; what is wrong with them is kept, to be told."""
        query = self._query
        key, falling = run_filters.sort(query)
        self._list, self._problem = None, ""
        try:
            filters = run_filters.read(query, self._view.site.clock.now())
            found = RunList(self._view.client, self._place, filters, run_filters.SORTS[key], falling)
            await found.begin()
        except errors.InvalidArgument as error:
            self._problem = str(error)
            return
        if query is self._query:  # Else the filters have changed meanwhile, and who changed them reads.
            self._list = found

    def show(self, known: dict[str, list[str]]) -> None:
        """Put it on the screen."""
        with frame.page(self._view, title="Runs", active="runs"):
            self._head = markup.show(markup.heading("Runs", self._counted()))
            self._bar = filter_bar.FilterBar(
                [
                    filter_bar.field(one.key, one.label, one.hint, **_offered(one.key, known))
                    for one in run_filters.FILTERS
                ],
                self._query,
                quick=run_filters.QUICK,
                quick_key="phase",
                on_change=self._filtered,
            )
            self._table = table.Table(
                COLUMNS,
                label="Runs",
                selectable=True,
                nothing="Nothing has run here yet.",
                on_select=self._select,
                on_sort=self._sort,
                on_more=self._more,
            )
            self._bulk_bar()
            self._fill()
            self._live = live.every(REFRESH_SECONDS, self._refresh)

    def _bulk_bar(self) -> None:
        self._bulk = ui.element("div").classes("bulk").props('role="toolbar" aria-label="With the chosen runs"')
        self._bulk.set_visibility(False)
        self._buttons = {}
        with self._bulk:
            self._count = ui.label().classes("bulk-count").props('role="status"')
            for name in BULK:
                action = acting.find(name)
                made = asking.button(action.label, self._asker(action), classes="danger" if action.danger else "")
                self._buttons[name] = made
            self._compare = asking.button("Compare", self._compare_two)

    def _fill(self) -> None:
        found = self._list.rows if self._list is not None else []
        key, falling = run_filters.sort(self._query)
        self._table.set_rows(rows(found))
        self._table.set_sorted(key, falling=falling)
        self._table.set_more(bool(self._list is not None and self._list.token))
        filtered = run_filters.is_filtered(self._query)
        self._table.set_nothing("No run is like that. Remove a filter." if filtered else "Nothing has run here yet.")
        self._bar.set_problem(self._problem)
        self._head.set_content(str(markup.heading("Runs", self._counted())))
        self._show_bulk()

    def _counted(self) -> str:
        if self._list is None:
            return "The filters cannot be used"
        count = len(self._list.rows)
        where = f"{self._place.project} / {self._place.domain}"
        more = f" read, more below, in {where}" if self._list.token else f" in {where}"
        return wording.count(count, "run") + more

    async def _filtered(self, values: dict[str, str]) -> None:
        self._query = run_filters.kept(values)
        self._bar.set_values(self._query)
        ui.navigate.history.replace(addresses.runs(self._place, self._query))
        query = self._query
        await self.read()
        if query is self._query:
            self._fill()

    async def _sort(self, key: str, falling: bool) -> None:
        newest_first = key == "created" and falling
        await self._filtered({**self._query, "sort": "" if newest_first else f"{'-' if falling else ''}{key}"})

    async def _more(self) -> None:
        if self._list is not None and self._list.token:
            self._table.set_more(False)
            await self._list.more()
            self._fill()

    async def _refresh(self) -> None:
        read = self._list
        if read is None:
            return
        await read.again()
        if read is self._list:  # Else the filters have changed meanwhile.
            self._fill()

    # -- many at once -------------------------------------------------------------------------------------------------
    def _select(self, ids: list[str]) -> None:
        self._chosen = ids
        self._show_bulk()

    def _show_bulk(self) -> None:
        chosen = self._executions()
        self._bulk.set_visibility(bool(chosen))
        self._count.set_text(f"{wording.count(len(chosen), 'run')} chosen")
        for name, made in self._buttons.items():
            fits = sum(acting.find(name).fits(one) for one in chosen)
            made.allow(fits > 0)
            made.set_visibility(fits > 0 or name != "restore")
        self._compare.allow(len(chosen) == 2)

    def _executions(self) -> list[Any]:
        wanted = set(self._chosen)
        return [one for one in (self._list.rows if self._list is not None else []) if one.id.name in wanted]

    def _asker(self, action: acting.Action) -> Any:
        return lambda: acting.ask(self._view, action, self._executions(), self._live.now)

    def _compare_two(self) -> None:
        newer, older = self._executions()[:2]
        frame.go(addresses.compare(self._place, older.id.name, newer.id.name))


def _offered(key: str, known: dict[str, list[str]]) -> dict[str, Any]:
    if key == "archived":
        return {"choices": ["only", "also"]}
    return {"known": known.get(key, [])}


async def _known_names(view: View, place: Place) -> dict[str, list[str]]:
    async def names(kind: int) -> list[str]:
        request = common_pb2.NamedEntityIdentifierListRequest(
            project=place.project, domain=place.domain, limit=KNOWN_NAMES, sort_by={"key": "name", "direction": 1}
        )
        method = (
            view.client.admin.ListWorkflowIds
            if kind == identifier_pb2.WORKFLOW
            else view.client.admin.ListLaunchPlanIds
        )
        return [one.name for one in (await view.client.call(method, request)).entities]

    workflows, plans = await asyncio.gather(names(identifier_pb2.WORKFLOW), names(identifier_pb2.LAUNCH_PLAN))
    return {"workflow": workflows, "launch_plan": plans}


PAGES = (Page("/projects/{project}/domains/{domain}/executions", build),)
