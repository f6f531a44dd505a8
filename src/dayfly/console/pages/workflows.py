"""The workflows of one place: what each is for, and how its last runs went."""

from __future__ import annotations

import asyncio
from typing import Any

from flyteidl.core import identifier_pb2

from dayfly.base.clock import Micros
from dayfly.console import addresses, listing, live, registered, run_bars, table
from dayfly.console.addresses import Place
from dayfly.console.routing import Page
from dayfly.console.site import View

REFRESH_SECONDS = 3.0

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
        named, versions, runs = await asyncio.gather(
            registered.names(view, identifier_pb2.WORKFLOW, place),
            registered.versions(view, identifier_pb2.WORKFLOW, place),
            registered.runs(view, place),
        )
        found = await last_runs(view, place, [one.id.name for one in named], runs, "workflow")
        newest = registered.by_name(versions)
        now = view.site.clock.now()
        return [_entry(place, one, newest.get(one.id.name, []), found[one.id.name], now) for one in named]

    entries = await fetch()
    with listing.page(view, "workflows", COLUMNS, entries, "launch_plan") as shown:
        live.every(REFRESH_SECONDS, lambda: shown.refresh(fetch))


async def last_runs(view: View, place: Place, names: list[str], runs: list[Any], kind: str) -> dict[str, list[Any]]:
    """Return the last runs by name, out of the newest of the place; those with none there are asked for one by one."""
    found: dict[str, list[Any]] = {name: [] for name in names}
    for one in runs:
        name = one.closure.workflow_id.name if kind == "workflow" else one.spec.launch_plan.name
        if name in found and len(found[name]) < run_bars.IN_A_ROW:
            found[name].append(one)
    if len(runs) >= registered.MOST:  # There are older ones.
        rare = [name for name, some in found.items() if not some][: registered.MOST // 5]
        field = f"{kind}.name"
        lists = await asyncio.gather(
            *(registered.runs(view, place, registered.of_name(field, name), limit=run_bars.IN_A_ROW) for name in rare)
        )
        found.update(zip(rare, lists, strict=True))
    return found


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
