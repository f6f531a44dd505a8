"""The tab that says where the time went, of a run or of one node: a bar of parts that add up, and what each part is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from flyteidl.admin import execution_pb2
from markupsafe import Markup

from dayfly.base.clock import SECOND, Micros
from dayfly.client import watching
from dayfly.console import markup, wording
from dayfly.console.run import picking, spans
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject
from dayfly.model import identifiers
from dayfly.model.phases import TERMINAL_EXECUTION, TERMINAL_NODE

DEPTH = 20

REFRESH_SECONDS = 5.0

LONGEST = 12
"""Nodes of a run that are shown with their own bars."""

PAGE = 1000
MAX_PAGES = 10
"""Of the event log. In a longer one, the rest is split by its spans alone, which know no environment and no cluster."""

LABELS = {
    spans.CODE: ("User code", "Your task's own code ran, its Dask tasks among it."),
    spans.CLUSTER: ("Cluster", "A Dask cluster came up for the task."),
    spans.ENVIRONMENT: ("Environment", "The task's environment was made ready: images, packages, imports."),
    spans.QUEUE: ("Queue", "Tasks waited for room: processors, memory, quotas, other attempts."),
    spans.PLATFORM: ("Platform", "Dayfly itself: inputs and outputs, the cache, the way from node to node."),
}


async def build(subject: Subject) -> Refresh:
    """Show the tab."""
    shown = markup.show(await _content(subject))
    phase, at = subject.phase, subject.view.site.clock.now()

    async def refresh(later: Subject) -> None:
        nonlocal phase, at
        now = later.view.site.clock.now()
        # All that happened is read for it, so not at each turn, but once more at the end.
        if now - at >= REFRESH_SECONDS * SECOND or later.phase != phase:
            phase, at = later.phase, now
            shown.set_content(str(await _content(later)))

    return refresh


async def _content(subject: Subject) -> Markup:
    one = subject.execution if subject.node is None else subject.node
    start, now = Micros(one.closure.created_at.ToMicroseconds()), subject.view.site.clock.now()
    over = one.closure.phase in (TERMINAL_EXECUTION if subject.node is None else TERMINAL_NODE)
    end = (watching.span(one.closure, over)[1] or Micros(one.closure.updated_at.ToMicroseconds())) if over else now
    metrics, events = await asyncio.gather(_metrics(subject), _events(subject))
    span = metrics if subject.node is None else spans.find_node(metrics, subject.node.id.node_id)
    dask = spans.nodes_with_clusters(events)
    about = events if subject.node is None else [e for e in events if _inside(e["node"], subject.node.id.node_id)]
    intervals = spans.of_events(about, end, dask) + ([] if span is None else spans.of_metrics(span))
    whole = _split(spans.split(intervals, start, end), over, (end - start) / SECOND)
    return whole + _nodes(subject, metrics, events, dask, end) if subject.node is None else whole


def _nodes(subject: Subject, metrics: Any, events: Sequence[Any], dask: frozenset[str], now: Micros) -> Markup:
    """Return the longest nodes of a run, each with its parts; their bars are shares of the longest one's time."""
    timed = [(spans.ended(one, now) - spans.began(one), one) for one in metrics.spans if one.node_id.node_id]
    longest = sorted(timed, key=lambda one: -one[0])[:LONGEST]
    if len(longest) < 2:
        return Markup("")
    rows = Markup("").join(
        _node(subject, span, took / max(longest[0][0], 1), events, dask, now) for took, span in longest
    )
    return Markup(
        '<h2 class="part">Longest nodes</h2><table class="table split-table nodes"><thead><tr><th scope="col">Node</th>'
        '<th scope="col" class="num">Time</th><th scope="col" class="grow">Parts</th></tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(rows)


def _node(
    subject: Subject, span: Any, share: float, events: Sequence[Any], dask: frozenset[str], now: Micros
) -> Markup:
    name, start, end = span.node_id.node_id, spans.began(span), spans.ended(span, now)
    about = [one for one in events if _inside(one["node"], name)]
    parts = spans.split([*spans.of_events(about, end, dask), *spans.of_metrics(span)], start, end)
    link = markup.link(name, picking.address(subject, "time", node=name))
    return Markup(
        '<tr><td>{}</td><td class="num">{}</td>'
        '<td class="grow"><div class="of-longest" style="width:{}%">{}</div></td></tr>'
    ).format(link, wording.duration((end - start) / SECOND), f"{max(share * 100, 1):.1f}", _bar(parts))


async def _metrics(subject: Subject) -> Any:
    client = subject.view.client
    request = execution_pb2.WorkflowExecutionGetMetricsRequest(
        id=identifiers.to_execution_identifier(subject.id), depth=DEPTH
    )
    return (await client.call(client.admin.GetExecutionMetrics, request)).span


async def _events(subject: Subject) -> list[Any]:
    id, found, token = subject.id, [], ""
    for _ in range(MAX_PAGES):
        query = {"limit": PAGE, "token": token}
        page = await subject.view.http.get(f"/executions/{id.project}/{id.domain}/{id.name}/events", query)
        found += page["events"]
        token = page["token"]
        if not token:
            break
    return found


def _inside(node: str, chosen: str) -> bool:
    """Say whether a node is the chosen one, or one that it made: its id begins with that of its parent."""
    return node == chosen or node.startswith((f"{chosen}-", f"{chosen}#"))


def _split(parts: Sequence[spans.Part], over: bool, seconds: float) -> Markup:
    rows = Markup("").join(_row(one) for one in parts)
    return Markup(
        '<p class="standing">{}<b>{}</b>{}</p>{}'
        '<table class="table split-table"><thead><tr><th scope="col">Part</th><th scope="col" class="num">Time</th>'
        '<th scope="col" class="num">Share</th><th scope="col" class="grow">What it is</th></tr></thead>'
        '<tbody>{}</tbody></table><p class="faint">Where several things went on at once, the second counts for the one '
        "that stands highest here.</p>"
    ).format("It took " if over else "So far it took ", wording.duration(seconds), ".", _bar(parts), rows)


def _bar(parts: Sequence[spans.Part]) -> Markup:
    seen = [one for one in parts if one.share >= 0.002]
    label = ", ".join(f"{LABELS[one.kind][0]} {one.share:.0%}" for one in seen)
    pieces = Markup("").join(
        Markup('<span class="span-{}" style="flex-grow:{}" title="{} {}"></span>').format(
            one.kind, f"{one.share:.4f}", LABELS[one.kind][0], wording.duration(one.seconds)
        )
        for one in seen
    )
    return Markup('<div class="split" role="img" aria-label="{}">{}</div>').format(label, pieces)


def _row(one: spans.Part) -> Markup:
    label, told = LABELS[one.kind]
    return Markup(
        '<tr><td><i class="key span-{}" aria-hidden="true"></i>{}</td><td class="num">{}</td><td class="num">{}</td>'
        '<td class="told">{}</td></tr>'
    ).format(one.kind, label, *_amounts(one), told)


def _amounts(one: spans.Part) -> tuple[str, str]:
    return (wording.duration(one.seconds), f"{one.share:.0%}") if one.seconds >= 0.005 else ("–", "–")


TAB = Tab("time", "Time", lambda subject: not subject.array, build)  # Of elements the API tells no times.
