"""The first page: what runs, what failed and why."""

from __future__ import annotations

import asyncio

from dayfly.console import addresses, frame, live, markup, table
from dayfly.console.pages import runs
from dayfly.console.routing import Page
from dayfly.console.site import View

LISTED = 30
"""Newest runs that are shown, of all places together."""

REFRESH_SECONDS = 2.0


async def build(view: View) -> None:
    """Show the page."""
    newest = await _newest(view)
    with frame.page(view, title="Home", active=""):
        frame.heading("Home")
        shown = table.Table(
            (*runs.COLUMNS, table.column("place", "Project")),
            newest,
            label="Newest runs",
            nothing="Nothing has run yet.",
        )
        hint = markup.show(markup.empty("Launch something: `pyflyte run --remote FILE WORKFLOW`."))
        hint.set_visibility(not newest)

        async def refresh() -> None:
            found = await _newest(view)
            shown.set_rows(found)
            hint.set_visibility(not found)

        live.every(REFRESH_SECONDS, refresh)


async def _newest(view: View) -> list[table.Row]:
    places = await view.client.list_places()
    lists = await asyncio.gather(*(view.client.list_executions(*place, limit=LISTED) for place in places))
    found = sorted(
        (one for some in lists for one in some), key=lambda one: one.closure.created_at.ToMicroseconds(), reverse=True
    )[:LISTED]
    shown = runs.rows(found)
    for row, one in zip(shown, found, strict=True):
        place = addresses.Place(one.id.project, one.id.domain)
        row["id"] = f"{one.id.project}/{one.id.domain}/{one.id.name}"
        row["cells"]["place"] = table.link(f"{place.project} / {place.domain}", addresses.runs(place))
    return shown


PAGES = (Page("/", build),)
