"""The tab of reports: the task's deck, and Dask's own reports, in frames that may do nothing to this page."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from flyteidl.service import dataproxy_pb2
from markupsafe import Markup

from dayfly.base import errors
from dayfly.client import extras
from dayfly.console import markup, wording
from dayfly.console.run import picking
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject

LABELS = {"performance.html": "Dask performance report", "state.msgpack.gz": "Dump of the cluster's last state"}


class Report(NamedTuple):
    """One that is there; `path` is on this server."""

    label: str
    path: str
    about: str
    framed: bool


async def build(subject: Subject) -> Refresh:
    """Show the tab. What is shown stays: a report that is read does not begin anew."""
    choice = picking.show(subject, "report")
    found = [one for some in await asyncio.gather(_deck(subject), _dask(subject)) for one in some]
    if not found:
        hint = (
            "Decks are made by tasks with enable_deck=True; Dask's reports when a cluster ends that has lived a while."
        )
        markup.show(markup.empty("There is no report yet.", hint))
        return choice
    framed = [one for one in found if one.framed]
    if framed:
        markup.show(_frames(framed), "frames")
    others = [one for one in found if not one.framed]
    if others:
        items = Markup("").join(
            Markup('<li><a href="{}" download>{}</a> <span class="faint">{}</span></li>').format(
                one.path, one.label, one.about
            )
            for one in others
        )
        markup.show(Markup('<ul class="links">{}</ul>').format(items))
    return choice


async def _deck(subject: Subject) -> list[Report]:
    if not subject.node.closure.deck_uri:
        return []
    client = subject.view.client
    request = dataproxy_pb2.CreateDownloadLinkRequest(
        artifact_type=dataproxy_pb2.ARTIFACT_TYPE_DECK, node_execution_id=subject.node.id
    )
    try:
        answer = await client.call(client.dataproxy.CreateDownloadLink, request)
    except errors.NotFound:
        return []  # Its address is known before the task has written it.
    return [Report("Deck", _on_this_server(answer.pre_signed_urls.signed_url[0]), "", framed=True)]


async def _dask(subject: Subject) -> list[Report]:
    if subject.attempt is None or subject.attempt.closure.task_type != "dask":
        return []
    id, number = subject.id, subject.attempt.id.retry_attempt
    node = quote(subject.node.id.node_id, safe="")
    try:
        cluster: Any = await subject.view.http.get(f"/clusters/{id.project}/{id.domain}/{id.name}/{node}/{number}")
    except errors.NotFound:
        return []
    return [
        Report(
            LABELS.get(one["name"], one["name"]), _on_this_server(one["url"]), wording.size(one["size_bytes"]), framed
        )
        for one in cluster["reports"]
        for framed in (one["name"].endswith(".html"),)
    ]


def _on_this_server(url: str) -> str:
    """Return an address of this server as a path: pages may be open under another name of it than it was told."""
    path = urlsplit(url)._replace(scheme="", netloc="").geturl()
    assert path.startswith(extras.PREFIX)  # What the platform signs or lists is its own.
    return path


def _frames(framed: list[Report]) -> Markup:
    # The first one is open. Others are loaded when they are: a performance report takes megabytes.
    return Markup("").join(
        Markup(
            '<details class="fold report"{}><summary>{} <span class="faint">{}</span></summary>'
            '<p class="row-of"><a href="{}" target="_blank" rel="noopener">Open by itself</a></p>'
            '<iframe title="{}" sandbox="allow-scripts" referrerpolicy="no-referrer" loading="lazy" src="{}"></iframe>'
            "</details>"
        ).format(Markup(" open") if at == 0 else "", one.label, one.about, one.path, one.label, one.path)
        for at, one in enumerate(framed)
    )


def _applies(subject: Subject) -> bool:
    if subject.node is None:
        return False
    dask = subject.attempt is not None and subject.attempt.closure.task_type == "dask"
    return bool(subject.node.closure.deck_uri) or dask


TAB = Tab("report", "Report", _applies, build)
