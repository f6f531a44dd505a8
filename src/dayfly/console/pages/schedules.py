"""All launch plans of a place that have a schedule: when they fire, how the last fire went, what was missed."""

from __future__ import annotations

import asyncio
from typing import Any

from flyteidl.core import identifier_pb2

from dayfly.console import frame, live, registered, scheduled
from dayfly.console.addresses import Place
from dayfly.console.routing import Page
from dayfly.console.site import View

REFRESH_SECONDS = 3.0


async def build(view: View) -> None:
    """Show the page."""
    place = view.place
    assert place is not None  # By its route.
    found = await _plans(view, place)
    with frame.page(view, title="Schedules", active="schedules"):
        frame.heading("Schedules", below="Times of schedules are UTC; they are shown in yours.")
        shown = scheduled.Plans(view, place)
        await shown.refresh(found)

        async def refresh() -> None:
            await shown.refresh(await _plans(view, place))

        live.every(REFRESH_SECONDS, refresh)


async def _plans(view: View, place: Place) -> list[Any]:
    """Return the newest versions, and the active ones however old they are."""
    kind = identifier_pb2.LAUNCH_PLAN
    newest, active = await asyncio.gather(
        registered.versions(view, kind, place),
        registered.versions(view, kind, place, filters=f"eq(state,{registered.ACTIVE})"),
    )
    known = {(one.id.name, one.id.version) for one in newest}
    return [*newest, *(one for one in active if (one.id.name, one.id.version) not in known)]


PAGES = (Page("/projects/{project}/domains/{domain}/schedules", build),)
