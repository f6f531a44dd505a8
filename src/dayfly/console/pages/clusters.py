"""Dask clusters, those that live and those that are gone: of one place, or of all. Filtered by the address, live."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from dayfly.base import clock, errors
from dayfly.base.clock import SECOND, Micros
from dayfly.client import extras
from dayfly.client.http_api import HttpApi
from dayfly.console import addresses, frame, live, markup, table, wording
from dayfly.console.addresses import Place
from dayfly.console.routing import Page
from dayfly.console.site import View
from dayfly.model.identifiers import ExecutionId

PAGE_ROWS = 60

MOST_ROWS = 600
"""Rows that are kept up to date; who looks for older ones filters."""

REFRESH_SECONDS = 2.0

STATES = (("", "All"), ("live", "Live"), ("past", "Past"))

MAX_SHARES = 5_000
"""Idle shares remembered, of clusters that are gone: they do not change."""

AT_ONCE = 2
"""Records that one page has summed up at the same time."""

COLUMNS = (
    table.column("phase", "Phase"),
    table.column("task", "Task", kind="grow"),
    table.column("run", "Run"),
    table.column("created", "Created"),
    table.column("duration", "Duration"),
    table.column("workers", "Workers", kind="num"),
    table.column("memory", "Memory", kind="num"),
    table.column("idle", "Idle", kind="num"),
    table.column("tasks", "Tasks done", kind="num"),
    table.column("error", "Error"),
)

Told = dict[str, Any]

_shares: collections.OrderedDict[str, float] = collections.OrderedDict()


class Listing:
    """What the page lists: the newest clusters that its address asks for, and what older ones were scrolled to."""

    def __init__(self, http: HttpApi, place: Place | None, state: str, task: str) -> None:
        self._http, self._place = http, place
        self._query = {**(place._asdict() if place else {}), "state": state, "task": task}
        self._wanted = PAGE_ROWS
        self.found: list[Told] = []
        self.more = False

    async def look(self) -> list[table.Row]:
        """Return the rows as they are now."""
        found: list[Told] = []
        token = ""
        # A page may be short, where the server has looked through other attempts.
        while True:
            query = {**self._query, "limit": self._wanted - len(found), "token": token}
            answer = await self._http.get("/clusters", query)
            found += answer["clusters"]
            token = answer["token"]
            if not token or len(found) >= self._wanted:
                break
        self.found, self.more = found, bool(token) and self._wanted < MOST_ROWS
        return self.rows()

    def rows(self) -> list[table.Row]:
        """Return what was found, with the idle shares that are known by now."""
        shares = {one["url"]: _shares.get(self._http.url + one["url"], -1.0) for one in self.found}
        return rows(self.found, shares, everywhere=self._place is None)

    async def enlarge(self) -> list[table.Row]:
        """Return rows with older ones."""
        self._wanted = min(self._wanted + PAGE_ROWS, MOST_ROWS)
        return await self.look()

    async def sum_up(self) -> bool:
        """Have some more records summed up for their idle shares; say whether there were any."""
        unknown = [one["url"] for one in self.found if not one["live"] and self._http.url + one["url"] not in _shares][
            :AT_ONCE
        ]
        await asyncio.gather(*(self._sum_up(url) for url in unknown))
        return bool(unknown)

    async def _sum_up(self, url: str) -> None:
        try:
            told = await self._http.get(url.partition(extras.PREFIX)[2])
        except errors.DayflyError:
            told = {"idle_share": None}
        _shares[self._http.url + url] = -1.0 if told["idle_share"] is None else told["idle_share"]
        while len(_shares) > MAX_SHARES:
            _shares.popitem(last=False)


async def build(view: View) -> None:
    """Show the page."""
    state, task = view.query.get("state", ""), view.query.get("task", "")
    state = state if state in ("live", "past") else ""
    listing = Listing(view.http, view.place, state, task)
    found = await listing.look()
    with frame.page(view, title="Clusters", active="clusters"):
        frame.heading("Dask clusters", below="One for each attempt of a Dask task, from its start to its end.")
        markup.show(_filters(view.place, state, task))
        nothing = "No cluster is as the filter says." if state or task else "No Dask task has run here yet."

        async def more() -> None:
            shown.set_rows(await listing.enlarge())
            shown.set_more(listing.more)

        columns = (*COLUMNS[:3], table.column("place", "Project"), *COLUMNS[3:]) if view.place is None else COLUMNS
        shown = table.Table(columns, found, label="Clusters", nothing=nothing, on_more=more)
        shown.set_more(listing.more)

        async def refresh() -> None:
            shown.set_rows(await listing.look())
            shown.set_more(listing.more)

        async def sum_up() -> None:
            if await listing.sum_up():
                shown.set_rows(listing.rows())

        live.every(REFRESH_SECONDS, refresh)
        live.every(0.5, sum_up)


def rows(found: list[Told], shares: Mapping[str, float], *, everywhere: bool = False) -> list[table.Row]:
    """Return clusters as rows of a table; bars are shares of the longest one's time.

    `shares` are idle shares by the clusters' addresses, negative where there is none to be told.
    """
    longest = max((one["duration_seconds"] or 0.0 for one in found), default=0.0)
    return [_row(one, longest, shares.get(one["url"], -1.0), everywhere=everywhere) for one in found]


def _row(one: Told, longest: float, share: float, *, everywhere: bool) -> table.Row:
    id = ExecutionId(one["project"], one["domain"], one["execution"])
    figures, phase = one["figures"], one["phase"]
    href = addresses.cluster(id, one["node"], one["attempt"])
    started = _micros(one["started_at"])
    lasted = one["duration_seconds"]
    ended = started + round(lasted * SECOND) if started is not None and lasted is not None else None
    ran = started if one["live"] or ended is not None else None
    below = one["node"] + (f", attempt {one['attempt'] + 1}" if one["attempt"] else "")
    cells: dict[str, table.Cell | str] = {
        "phase": table.phase(phase),
        "task": {**table.text(one["task"]), "below": below},
        "run": table.link(id.name, href),
        "created": table.moment(_micros(one["created_at"])),
        "duration": table.duration(
            ran, Micros(ended) if ended is not None else None, longest_seconds=longest, tone=phase
        ),
        "workers": f"{figures['workers']} / {figures['wanted']}" if one["live"] else str(figures["wanted"]),
        "memory": table.text(wording.size(figures["memory_bytes"]), title="Of all workers, when last heard of"),
        "idle": _idle(one, share),
        "tasks": _tasks(figures),
        "error": table.text(one["error_code"], title=one["error_code"]),
    }
    if everywhere:
        cells["place"] = table.text(f"{one['project']} / {one['domain']}")
    return table.row(one["url"], cells, href=href, tone=phase)


def _idle(one: Told, share: float) -> table.Cell:
    if one["live"]:
        # Its record is not summed up while it grows: what it does at this moment says enough.
        return table.text("busy" if one["figures"]["tasks_processing"] else "idle", faint=True)
    return table.text("–", faint=True) if share < 0 else table.text(f"{share:.0%}", title="Of its threads' time")


def _tasks(figures: Told) -> str:
    done, total = figures["tasks_done"], figures["tasks_total"]
    return f"{done:,}" if done >= total else f"{done:,} / {total:,}"


def _micros(told: str | None) -> Micros | None:
    return clock.from_datetime(datetime.fromisoformat(told.replace("Z", "+00:00"))) if told else None


def _filters(place: Place | None, state: str, task: str) -> Markup:
    """Return the ways to other states and places, and the field for a task's name: all are addresses."""
    states = Markup("").join(
        _way(label, addresses.clusters(place, {"state": name, "task": task}), current=name == state)
        for name, label in STATES
    )
    here = place or frame.FIRST_PLACE
    places = _way(
        f"{here.project} / {here.domain}",
        addresses.clusters(here, {"state": state, "task": task}),
        current=place is not None,
    ) + _way("All projects", addresses.clusters(None, {"state": state, "task": task}), current=place is None)
    return Markup(
        """<div class="cluster-filters"><nav class="choices" aria-label="State">{}</nav>
<nav class="choices" aria-label="Projects">{}</nav><form action="{}" role="search">
<input type="hidden" name="state" value="{}"><input class="field" type="search" name="task" value="{}"
 placeholder="Task, such as flows.fit" aria-label="Task"></form></div>"""
    ).format(states, places, addresses.clusters(place), state, task)


def _way(label: str, href: str, *, current: bool) -> Markup:
    return Markup('<a href="{}"{}>{}</a>').format(href, Markup(' aria-current="true"') if current else "", label)


PAGES = (
    Page("/projects/{project}/domains/{domain}/clusters", build),
    Page("/clusters", build),
)
