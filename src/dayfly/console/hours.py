"""Runs of the last day as bars, one an hour, stacked by phase. Drawn as HTML; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from markupsafe import Markup

from dayfly.base import clock
from dayfly.base.clock import SECOND, Micros
from dayfly.console import run_filters, wording

HOUR = 3600 * SECOND

KINDS = (
    ("SUCCEEDED", "succeeded", frozenset({"SUCCEEDED"})),
    ("FAILED", "failed", frozenset({"FAILED", "TIMED_OUT"})),
    ("ABORTED", "aborted", frozenset({"ABORTED"})),
    ("RUNNING", "running", frozenset(run_filters.RUNNING)),
    ("QUEUED", "queued", frozenset(run_filters.QUEUED)),
)
"""The phase whose colour it has, what it is called, and the phases in it; from the bottom of a bar to its top."""


def counted(hours: Sequence[Mapping[str, Any]], now: Micros, count: int) -> list[tuple[datetime, dict[str, int]]]:
    """Return the last `count` hours, the oldest first, each with its runs by kind; hours without any have none."""
    by_hour: dict[datetime, dict[str, int]] = {}
    for one in hours:
        told = {name: sum(one["phases"].get(phase, 0) for phase in phases) for name, _, phases in KINDS}
        by_hour[datetime.fromisoformat(one["hour"].replace("Z", "+00:00"))] = told
    last = clock.to_datetime(Micros(now - now % HOUR)).astimezone(timezone.utc)
    every = [last - timedelta(hours=count - 1 - number) for number in range(count)]
    return [(hour, by_hour.get(hour, {})) for hour in every]


def chart(hours: Sequence[tuple[datetime, Mapping[str, int]]]) -> Markup:
    """Return the bars; each says what it stands for when it is pointed at, and all together for those who listen."""
    most = max((sum(kinds.values()) for _, kinds in hours), default=0)
    total = {name: sum(kinds.get(name, 0) for _, kinds in hours) for name, _, _ in KINDS}
    said = ", ".join(f"{total[name]:,} {word}" for name, word, _ in KINDS if total[name]) or "no runs"
    bars = Markup("").join(_bar(hour, kinds, most) for hour, kinds in hours)
    keys = Markup("").join(
        Markup('<li><i class="fill-{}"></i>{} {}</li>').format(name, f"{total[name]:,}", word)
        for name, word, _ in KINDS
        if total[name]
    )
    return Markup(
        '<div class="hours" role="img" aria-label="Runs by hour, {} hours: {}">{}</div>'
        '<div class="hours-axis" aria-hidden="true">{}</div><ul class="hours-key">{}</ul>'
    ).format(len(hours), said, bars, _axis([hour for hour, _ in hours]), keys)


def _bar(hour: datetime, kinds: Mapping[str, int], most: int) -> Markup:
    told = ", ".join(f"{kinds[name]:,} {word}" for name, word, _ in KINDS if kinds.get(name)) or "no runs"
    parts = Markup("").join(
        Markup('<i class="fill-{}" style="height:{}%"></i>').format(name, f"{max(100 * kinds[name] / most, 2):.1f}")
        for name, _, _ in reversed(KINDS)
        if kinds.get(name)
    )
    return Markup('<span title="{} UTC: {}">{}</span>').format(f"{hour:%H:%M}", told, parts)


def _axis(hours: Sequence[datetime]) -> Markup:
    # Written by the browser in the reader's own zone: static/lists.js.
    return Markup("").join(
        Markup("<span>{}</span>").format(
            Markup('<time datetime="{}" data-hour>{}</time>').format(_moment(hour), f"{hour:%H}")
            if number % 3 == 0
            else ""
        )
        for number, hour in enumerate(hours)
    )


def _moment(hour: datetime) -> str:
    return wording.moment(clock.from_datetime(hour))
