"""The workflows of one place: what each is for, and how its last runs went."""

from __future__ import annotations

from typing import Any

from flyteidl.core import identifier_pb2

from dayfly.base.clock import Micros
from dayfly.console import addresses, last_runs, listing, live, registered, run_bars, table
from dayfly.console.addresses import Place
from dayfly.console.routing import Page
from dayfly.console.site import View

COLUMNS = (
    table.column("name", "Workflow", kind="grow"),
    table.column("bars", "Last runs"),
    table.column("last", "Last run"),
    table.column("versions", "Versions", kind="num"),
    table.column("act", ""),
)


async def build(view: View) -> None:
    """Show the list."""
    place = view.place
    assert place is not None  # By its route.

    async def fetch() -> list[listing.Entry]:
        named, versions, found = await last_runs.read(view, place, identifier_pb2.WORKFLOW, "workflow")
        now = view.site.clock.now()
        return [_entry(place, one, versions.get(one.id.name, []), found[one.id.name], now) for one in named]

    entries = await fetch()
    with listing.page(view, "workflows", COLUMNS, entries, "launch_plan") as shown:
        live.every(last_runs.REFRESH_SECONDS, lambda: shown.refresh(fetch))


def _created(run: Any) -> table.Cell:
    return table.moment(Micros(run.closure.created_at.ToMicroseconds()))


def _entry(place: Place, named: Any, versions: list[Any], runs: list[Any], now: Micros) -> listing.Entry:
    name = named.id.name
    href = addresses.workflow(place, name)
    told = named.metadata.description or (versions[0].short_description if versions else "")
    archived = named.metadata.state == registered.ARCHIVED
    cells = {
        "name": table.link(name, href, below=told),
        "bars": run_bars.cell(runs, now),
        "last": _created(runs[0]) if runs else table.text("–", faint=True),
        "versions": table.text(
            str(len(versions)) if versions else "–", title=versions[0].id.version if versions else ""
        ),
        "act": table.actions(("restore", "Restore")) if archived else table.actions(("launch", "Launch")),
    }
    return listing.Entry(named, table.row(name, cells, href=href), f"{name} {told}", archived)


PAGES = (Page("/projects/{project}/domains/{domain}/workflows", build),)
