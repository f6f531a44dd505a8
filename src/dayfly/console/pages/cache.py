"""The cache: what is kept of which task, made by which run, what it takes; and removing some of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup
from nicegui import ui

from dayfly.console import addresses, asking, frame, markup, table, wording
from dayfly.console.addresses import Place
from dayfly.console.routing import Page
from dayfly.console.site import View
from dayfly.model.identifiers import ExecutionId

PAGE_ROWS = 100

TASKS = (
    table.column("task", "Task", kind="grow"),
    table.column("entries", "Entries", kind="num"),
    table.column("size", "Size", kind="num"),
    table.column("newest", "Newest"),
    table.column("oldest", "Oldest"),
    table.column("act", ""),
)

ENTRIES = (
    table.column("task", "Task", kind="grow"),
    table.column("version", "Cache version"),
    table.column("run", "Made by"),
    table.column("made", "Made"),
    table.column("size", "Size", kind="num"),
    table.column("act", ""),
)


async def build(view: View) -> None:
    """Show the page."""
    assert view.place is not None  # By its route.
    screen = _Screen(view, view.place, view.query.get("task", ""))
    await screen.read()
    screen.show()


class _Screen:
    """The cache of one place, or what it has of one task."""

    def __init__(self, view: View, place: Place, task: str) -> None:
        self._view, self._place, self._task = view, place, task
        self._scope = {**place._asdict(), "task": task}
        self._chosen: list[str] = []

    async def read(self) -> None:
        """Read sizes and the first page of entries."""
        self._sizes, page = await asyncio.gather(
            self._view.http.get("/cache/sizes", self._place._asdict()),
            self._view.http.get("/cache/entries", {**self._scope, "limit": PAGE_ROWS}),
        )
        self._entries, self._token = page["entries"], page["token"]

    def show(self) -> None:
        """Put it on the screen."""
        crumbs = [("Cache", addresses.cache(self._place))] if self._task else []
        with frame.page(self._view, title="Cache", active="cache", crumbs=crumbs):
            self._head = markup.show(Markup(""))
            if not self._task:
                self._by_task = table.Table(
                    TASKS,
                    label="Tasks with cached outputs",
                    nothing="Nothing is cached here. Tasks with cache=True keep their outputs.",
                    on_action=self._evict_task,
                )
                markup.show(Markup('<h2 class="apart">Newest entries</h2>'))
            self._table = table.Table(
                ENTRIES,
                label="Entries of the cache",
                selectable=True,
                nothing="Nothing is cached here.",
                on_select=self._select,
                on_action=lambda id, _: self._ask([id]),
                on_more=self._more,
            )
            self._bulk = ui.element("div").classes("bulk").props('role="toolbar" aria-label="With the chosen entries"')
            self._bulk.set_visibility(False)
            with self._bulk:
                self._count = ui.label().classes("bulk-count").props('role="status"')
                asking.button("Evict", lambda: self._ask(self._chosen), classes="danger")
            self._fill()

    def _fill(self) -> None:
        mine = [one for one in self._sizes["tasks"] if not self._task or one["task"] == self._task]
        entries, size = sum(one["entries"] for one in mine), sum(one["size_bytes"] for one in mine)
        of = "" if self._task else f" of {wording.count(len(mine), 'task')}"
        taken = f"{wording.count(entries, 'entry', 'entries')}{of}, {wording.size(size)}"
        told = f"{taken}. Files that outputs point to are not counted."
        self._head.set_content(str(markup.heading(self._task or "Cache", told)))
        if not self._task:
            self._by_task.set_rows([_task(self._place, one) for one in mine])
        self._table.set_rows([_entry(self._place, one) for one in self._entries])
        self._table.set_more(bool(self._token))

    async def _again(self) -> None:
        await self.read()
        self._fill()

    async def _more(self) -> None:
        if self._token:
            self._table.set_more(False)
            page = await self._view.http.get(
                "/cache/entries", {**self._scope, "limit": PAGE_ROWS, "token": self._token}
            )
            self._entries, self._token = [*self._entries, *page["entries"]], page["token"]
            self._fill()

    def _select(self, ids: list[str]) -> None:
        self._chosen = ids
        self._bulk.set_visibility(bool(ids))
        self._count.set_text(f"{wording.count(len(ids), 'entry', 'entries')} chosen")

    # -- removing -----------------------------------------------------------------------------------------------------
    def _ask(self, ids: Sequence[str]) -> None:
        wanted = [one for one in self._entries if one["artifact"] in ids]
        jobs = [asking.Job(f"{one['task']}, made by {one['execution']['name']}", one["artifact"]) for one in wanted]
        what = "this entry" if len(jobs) == 1 else wording.count(len(jobs), "entry", "entries")
        self._question(f"Evict {what}?", jobs, lambda artifact: {**self._place._asdict(), "artifact": artifact})

    def _evict_task(self, task: str, _: str) -> None:
        count = next((one["entries"] for one in self._sizes["tasks"] if one["task"] == task), 0)
        what = wording.count(count, "entry", "entries")
        self._question(
            f"Evict all of {task}?",
            [asking.Job(f"{task}, {what}", task)],
            lambda task: {**self._place._asdict(), "task": task},
        )

    def _question(self, label: str, jobs: Sequence[asking.Job[str]], query: Callable[[str], dict[str, str]]) -> None:
        async def perform(subject: str) -> str:
            gone = await self._view.http.delete("/cache/entries", query(subject))
            return f"{wording.count(gone['entries'], 'entry', 'entries')} removed, {wording.size(gone['size_bytes'])}"

        asking.question(
            label,
            "The task runs again when it is asked for the same next time. Files that the outputs point to stay.",
            jobs,
            perform,
            confirm="Evict",
            danger=True,
            after=self._again,
        )


def _task(place: Place, one: dict[str, Any]) -> table.Row:
    href = addresses.cache(place, {"task": one["task"]})
    cells = {
        "task": table.link(one["task"], href),
        "entries": table.text(f"{one['entries']:,}"),
        "size": table.text(wording.size(one["size_bytes"])),
        "newest": table.moment(wording.read_moment(one["newest"])),
        "oldest": table.moment(wording.read_moment(one["oldest"])),
        "act": table.actions(("evict", "Evict")),
    }
    return table.row(one["task"], cells, href=href)


def _entry(place: Place, one: dict[str, Any]) -> table.Row:
    made = one["execution"]
    run = ExecutionId(made["project"], made["domain"], made["name"])
    # What others put into the catalog may say of no run that made it.
    known = all((made["project"], made["domain"], made["name"])) and made["name"] != "unknown"
    cells = {
        "task": table.link(one["task"], addresses.task(place, one["task"])),
        "version": table.text(one["cache_version"], title=one["dataset_version"]),
        "run": table.link(made["name"], addresses.run(run, {"node": made["node"]})) if known else table.text("unknown"),
        "made": table.moment(wording.read_moment(one["made_at"])),
        "size": table.text(wording.size(one["size_bytes"])),
        "act": table.actions(("evict", "Evict")),
    }
    return table.row(one["artifact"], cells)


PAGES = (Page("/projects/{project}/domains/{domain}/cache", build),)
