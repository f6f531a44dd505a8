"""The list of runs of one place: filtered by its address, sorted, live, with more as one scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flyteidl.admin import common_pb2
from flyteidl.core import execution_pb2 as phases_pb2

from dayfly.base.clock import SECOND, Micros
from dayfly.client import watching
from dayfly.console import addresses, frame, live, table
from dayfly.console.addresses import Place
from dayfly.console.routing import Page
from dayfly.console.site import View
from dayfly.model import identifiers
from dayfly.model.phases import TERMINAL_EXECUTION

PAGE_ROWS = 100

REFRESH_SECONDS = 2.0

COLUMNS = (
    table.column("phase", "Phase"),
    table.column("name", "Run"),
    table.column("workflow", "Workflow", kind="grow"),
    table.column("created", "Created"),
    table.column("duration", "Duration"),
)


async def build(view: View) -> None:
    """Show the list."""
    place = view.place
    assert place is not None  # By its route.
    found = await _list(view, place)
    with frame.page(view, title="Runs", active="runs"):
        frame.heading("Runs")
        shown = table.Table(COLUMNS, rows(found), label="Runs", selectable=True, nothing="Nothing has run here yet.")

        async def refresh() -> None:
            shown.set_rows(rows(await _list(view, place)))

        live.every(REFRESH_SECONDS, refresh)


def rows(found: Sequence[Any]) -> list[table.Row]:
    """Return executions as rows of a table; bars are shares of the longest one's time."""
    spans = [watching.span(one.closure, one.closure.phase in TERMINAL_EXECUTION) for one in found]
    longest = max((float(end - start) / SECOND for start, end in spans if start and end), default=0.0)
    return [_row(one, start, end, longest) for one, (start, end) in zip(found, spans, strict=True)]


def _row(one: Any, started: Micros | None, ended: Micros | None, longest: float) -> table.Row:
    id = identifiers.from_execution_identifier(one.id)
    phase = phases_pb2.WorkflowExecution.Phase.Name(one.closure.phase)
    cells = {
        "phase": table.phase(phase),
        "name": table.link(one.id.name, addresses.run(id)),
        "workflow": table.text(one.closure.workflow_id.name, title=one.closure.workflow_id.version),
        "created": table.moment(Micros(one.closure.created_at.ToMicroseconds())),
        "duration": table.duration(started, ended, longest_seconds=longest, tone=phase),
    }
    return table.row(one.id.name, cells, href=addresses.run(id), tone=phase)


async def _list(view: View, place: Place) -> list[Any]:
    request = common_pb2.ResourceListRequest(
        id={"project": place.project, "domain": place.domain},
        limit=PAGE_ROWS,
        sort_by={"key": "created_at", "direction": "DESCENDING"},
    )
    return list((await view.client.call(view.client.admin.ListExecutions, request)).executions)


PAGES = (Page("/projects/{project}/domains/{domain}/executions", build),)
