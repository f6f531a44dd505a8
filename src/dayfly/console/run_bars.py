"""Last runs as bars: as high as they took long, in the colour of their phase. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from flyteidl.core import execution_pb2 as phases_pb2
from markupsafe import Markup

from dayfly.base.clock import SECOND, Micros
from dayfly.client import watching
from dayfly.console import addresses, table, wording
from dayfly.model import identifiers
from dayfly.model.phases import TERMINAL_EXECUTION

IN_A_ROW = 12
"""Runs shown in a row of a list."""

HEIGHT = 96
"""Pixels of the large chart."""


def cell(found: Sequence[Any], now: Micros) -> table.Cell:
    """Return the newest runs as a cell, the newest on the right. `found` begins with the newest."""
    shown = _bars(found[:IN_A_ROW], now)
    if not shown:
        return table.text("–", faint=True)
    bad = sum(one["tone"] in ("FAILED", "TIMED_OUT") for one in shown)
    return table.bars(shown, f"Last {wording.count(len(shown), 'run')}, {bad} failed")


def chart(found: Sequence[Any], now: Micros) -> Markup:
    """Return the runs as a large chart with the middle of their durations as a line, and what it says in words."""
    shown = _bars(found, now)
    if not shown:
        return Markup("")
    took = [one["seconds"] for one in shown]
    longest, middle = max(took), statistics.median(took)
    columns = Markup("").join(
        Markup(
            '<a href="{href}" title="{title}" aria-label="{title}" class="fill-{tone}" style="height: {high}px"></a>'
        ).format(**one, high=max(4, round(one["share"] * HEIGHT)))
        for one in shown
    )
    line = Markup('<i style="bottom: {}px" title="The middle: {}"></i>').format(
        round(middle / longest * HEIGHT) if longest else 0, wording.duration(middle)
    )
    return Markup(
        '<div class="run-chart" role="group" aria-label="Last runs by duration"><div class="run-chart-scale">'
        "<small>{}</small><small>0 s</small></div>"
        '<div class="run-chart-bars" style="height: {}px">{}{}</div></div><p class="run-chart-told">{}</p>'
    ).format(wording.duration(longest), HEIGHT, line, columns, trend(found, now))


def trend(found: Sequence[Any], now: Micros) -> str:
    """Return in words how long runs take, how it changed, and how many fail."""
    shown = _bars(found, now)
    good = [one["seconds"] for one in shown if one["tone"] == "SUCCEEDED"]
    over = [one for one in shown if one["over"]]
    told = [f"Last {wording.count(len(shown), 'run')}"]
    if over:
        told.append(f"{sum(one['tone'] == 'SUCCEEDED' for one in over) * 100 // len(over)} % succeeded")
    if good:
        told.append(f"half took at most {wording.duration(statistics.median(good))}")
    if len(good) >= 10:
        early, late = (statistics.median(part) for part in (good[: len(good) // 2], good[len(good) // 2 :]))
        if early and abs(late / early - 1) >= 0.1:
            told.append(f"the later half {abs(late / early - 1):.0%} {'slower' if late > early else 'faster'}")
    return ", ".join(told) + "."


def _bars(found: Sequence[Any], now: Micros) -> list[dict[str, Any]]:
    bars = [_bar(one, now) for one in reversed(found)]
    longest = max((one["seconds"] for one in bars), default=0)
    for one in bars:
        one["share"] = one["seconds"] / longest if longest else 0
    return bars


def _bar(one: Any, now: Micros) -> dict[str, Any]:
    over = one.closure.phase in TERMINAL_EXECUTION
    started, ended = watching.span(one.closure, over)
    seconds = max(((ended or now) - started) / SECOND, 0) if started else 0
    phase = phases_pb2.WorkflowExecution.Phase.Name(one.closure.phase)
    id = identifiers.from_execution_identifier(one.id)
    return {
        "tone": phase,
        "seconds": seconds,
        "over": over,
        "title": f"{id.name}: {wording.phase(phase)}, {wording.duration(seconds)}",
        "href": addresses.run(id),
    }
