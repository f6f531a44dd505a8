"""The tasks of one place: what each is for, asks for, and how runs of it alone went."""

from __future__ import annotations

from typing import Any

from flyteidl.core import identifier_pb2

from dayfly.base.clock import Micros
from dayfly.console import addresses, last_runs, listing, live, registered, run_bars, table, task_facts
from dayfly.console.addresses import Place
from dayfly.console.routing import Page
from dayfly.console.site import View

COLUMNS = (
    table.column("name", "Task", kind="grow"),
    table.column("asks", "Type"),
    table.column("cache", "Cache"),
    table.column("bars", "Runs by itself"),
    table.column("created", "Registered"),
    table.column("act", ""),
)


async def build(view: View) -> None:
    """Show the list."""
    place = view.place
    assert place is not None  # By its route.

    async def fetch() -> list[listing.Entry]:
        of_tasks = registered.of_name("launch_entity", "task")
        named, versions, found = await last_runs.read(view, place, identifier_pb2.TASK, "task", of_tasks)
        now = view.site.clock.now()
        return [_entry(place, one, versions.get(one.id.name, []), found[one.id.name], now) for one in named]

    entries = await fetch()
    with listing.page(view, "tasks", COLUMNS, entries, "task") as shown:
        live.every(last_runs.REFRESH_SECONDS, lambda: shown.refresh(fetch))


def _entry(place: Place, named: Any, versions: list[Any], runs: list[Any], now: Micros) -> listing.Entry:
    name = named.id.name
    href = addresses.task(place, name)
    newest = versions[0] if versions else None
    told = named.metadata.description or (newest.short_description if newest else "")
    archived = named.metadata.state == registered.ARCHIVED
    template = newest.closure.compiled_task.template if newest else None
    cells = {
        "name": table.link(name, href, below=told),
        "asks": table.text(task_facts.brief(template)) if template is not None else table.text("–", faint=True),
        "cache": _cache(template),
        "bars": run_bars.cell(runs, now),
        "created": table.moment(Micros(newest.closure.created_at.ToMicroseconds()) if newest else None),
        "act": table.actions(("restore", "Restore")) if archived else table.actions(("launch", "Launch")),
    }
    return listing.Entry(named, table.row(name, cells, href=href), f"{name} {told}", archived)


def _cache(template: Any) -> table.Cell:
    if template is None or not template.metadata.discoverable:
        return table.text("no", faint=True)
    return table.text(template.metadata.discovery_version, title=task_facts.cache(template))


PAGES = (Page("/projects/{project}/domains/{domain}/tasks", build),)
