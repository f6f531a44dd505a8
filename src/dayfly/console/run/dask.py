"""The tab about the Dask cluster of an attempt: live while it runs, replayed from its flight record ever after.

The moving parts are one element, `dask.js`, which asks the public API for frames by itself, so that neither their
number nor how many look costs anything here. What is said once, a cause, figures, advice, is put beside it.
"""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import quote, urlsplit

from flyteidl.event import event_pb2
from google.protobuf import json_format
from markupsafe import Markup
from nicegui import ui
from nicegui.element import Element

from dayfly.base import errors
from dayfly.client import extras
from dayfly.console import addresses, markup, static_files
from dayfly.console.run import dask_after
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject
from dayfly.model.phases import TERMINAL_ATTEMPT

TASK_TYPE = "dask"

DASHBOARD = "Dask dashboard"
"""Name of its link among an attempt's logs."""

POINTS = 30_000
"""Rows of workers that a record is first shown with: of a long one with many workers one frame stands for several."""

MOST_FRAMES = 1_800
"""Frames that it is first shown with."""

MOST_TASKS = 40_000
"""Tasks that it is first shown with."""

Told = dict[str, Any]


class Cluster(Element, component="dask.js"):
    """A cluster on a page, at the moment that its reader has chosen."""

    def __init__(self, subject: Subject, told: Told) -> None:
        super().__init__()
        self._props["modules"] = addresses.ROOT + static_files.URL
        self.show(subject, told)

    def show(self, subject: Subject, told: Told) -> None:
        """Show an attempt's cluster; nothing moves where it is shown already."""
        every, tasks = coarseness(told["record"])
        self._props.update(
            base=f"{extras.PREFIX}{path_of(subject)}",
            spot=subject.attempt.closure.metadata.instance_class == event_pb2.TaskExecutionMetadata.INTERRUPTIBLE,
            every=every,
            tasks=tasks,
        )
        self.keep_up(subject)

    def keep_up(self, subject: Subject) -> None:
        """Tell what the platform said meanwhile, and whether it is over."""
        now = {"said": said_of(subject), "live": not is_over(subject), "wanted": wanted(subject)}
        for name, value in now.items():
            if self._props.get(name) != value:
                self._props[name] = value


async def build(subject: Subject) -> Refresh:
    """Show the tab."""
    told: Told = await subject.view.http.get(path_of(subject))
    cause = markup.show(_cause(told))
    links = markup.show(_links(subject, told), "dask-links")
    cluster = Cluster(subject, told)
    with ui.element("div").classes("dask-after"):
        advised = markup.show(Markup(""))
        after = markup.show(dask_after.content(told, said_of(subject)))
    shown = (path_of(subject), is_over(subject))

    async def advise(about: Subject) -> None:
        advised.set_content(str(dask_after.advice(await _advice(about))))

    # The records of many runs are read for it, which nothing else waits for.
    ui.timer(0.05, lambda: advise(subject), once=True)

    async def refresh(later: Subject) -> None:
        nonlocal shown, told
        cluster.keep_up(later)
        links.set_content(str(_links(later, told)))
        now = (path_of(later), is_over(later))
        if now == shown:
            return
        told = await later.view.http.get(path_of(later))
        if now[0] != shown[0]:
            cluster.show(later, told)
        shown = now
        cause.set_content(str(_cause(told)))
        links.set_content(str(_links(later, told)))
        after.set_content(str(dask_after.content(told, said_of(later))))
        await advise(later)

    return refresh


def path_of(subject: Subject) -> str:
    """Return the cluster's path in Dayfly's own HTTP API, below its prefix."""
    id, at = subject.id, subject.attempt.id
    parts = (id.project, id.domain, id.name, at.node_execution_id.node_id, str(at.retry_attempt))
    return "/clusters/" + "/".join(quote(part, safe="") for part in parts)


def is_over(subject: Subject) -> bool:
    """Say whether the attempt has ended."""
    return subject.attempt.closure.phase in TERMINAL_ATTEMPT


def said_of(subject: Subject) -> list[list[Any]]:
    """Return what the platform said of the attempt, each with when, in seconds since the epoch."""
    return [
        [one.occurred_at.ToMicroseconds() / 1e6, one.message] for one in subject.attempt.closure.reasons if one.message
    ]


def wanted(subject: Subject) -> int:
    """Return how many workers there are to be, as the platform said last."""
    info = json_format.MessageToDict(subject.attempt.closure.custom_info)
    return int(info.get("dask", {}).get("wanted", 0))


def coarseness(record: Told | None) -> tuple[int, int]:
    """Return for how many seconds one frame is to stand, and how many tasks each may tell; 0 seconds is each second."""
    if record is None:
        return 0, MOST_TASKS
    seconds = max(1.0, record["ended_at"] - record["began_at"])
    workers = max(1, len(record["workers"]))
    every = math.ceil(max(seconds * workers / POINTS, seconds / MOST_FRAMES))
    every = every if every > 1 else 0
    return every, max(10, math.ceil(MOST_TASKS * max(every, 1) / seconds))


def link_within(url: str) -> str:
    """Return a link to this platform without its host, which its reader may know by another name; empty for others."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return path if path.startswith(f"{extras.PREFIX}/") else ""


async def _advice(subject: Subject) -> Told | None:
    """Return what the cluster's task should ask for; None while it lives, and where no run has left a record."""
    if not is_over(subject):
        return None
    query = {"project": subject.id.project, "domain": subject.id.domain, "task": subject.attempt.id.task_id.name}
    try:
        found: Told = await subject.view.http.get("/advice", query)
    except errors.DayflyError:
        return None
    return found


def _cause(told: Told) -> Markup:
    found = told["diagnosis"]
    if found is None:
        return Markup("")
    return Markup('<div class="problem" role="alert"><p><strong>{}</strong></p><p>{}</p></div>').format(
        found["code"], found["sentence"]
    )


def _links(subject: Subject, told: Told) -> Markup:
    """Return the ways to what Dask itself shows of the cluster; to its dashboard from when there is one."""
    boards = [] if is_over(subject) else [log.uri for log in subject.attempt.closure.logs if log.name == DASHBOARD]
    ways = [("Dask dashboard ↗", link_within(url)) for url in boards]
    names = {"performance.html": "Performance report ↗", "state.msgpack.gz": "Cluster dump"}
    ways += [(names.get(one["name"], one["name"]), link_within(one["url"])) for one in told["reports"]]
    links = [
        Markup('<a class="button" href="{}" target="_blank" rel="noopener">{}</a>').format(href, label)
        for label, href in ways
        if href
    ]
    return Markup('<div class="row-of">{}</div>').format(Markup("").join(links)) if links else Markup("")


TAB = Tab(
    "dask",
    "Dask",
    lambda subject: subject.attempt is not None and subject.attempt.closure.task_type == TASK_TYPE,
    build,
)
