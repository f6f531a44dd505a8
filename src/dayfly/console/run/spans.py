"""Where time went: at each moment the most telling thing that was done, so that all parts add up to the whole. Pure.

Nodes run side by side, so their times add up to more than the run took. What counts here is the clock on the wall: a
second in which some task's code ran is user code, whatever else waited meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from dayfly.base import clock
from dayfly.base.clock import SECOND, Micros

CODE, CLUSTER, ENVIRONMENT, QUEUE, PLATFORM = "code", "cluster", "environment", "queue", "platform"

KINDS = (CODE, CLUSTER, ENVIRONMENT, QUEUE, PLATFORM)
"""The most telling first."""

OPERATIONS = {"TASK_RUNTIME": CODE, "TASK_SETUP": QUEUE}
"""Of GetExecutionMetrics; all others are the platform's."""

PHASES = {"QUEUED": QUEUE, "WAITING_FOR_RESOURCES": QUEUE, "RUNNING": CODE}

PREPARING = ("loading ", "environment", "installing", "building", "pulling", "image")
"""Words of reasons that tell of an environment; without one, a Dask task that gets ready waits for its cluster."""


class Interval(NamedTuple):
    """Something that was done from one moment to another."""

    kind: str
    start: Micros
    end: Micros


class Part(NamedTuple):
    """What one kind took of the whole."""

    kind: str
    seconds: float
    share: float


def split(intervals: Iterable[Interval], start: Micros, end: Micros) -> list[Part]:
    """Return what each kind took between two moments; what nothing covers is the platform's."""
    edges: list[tuple[Micros, int, str]] = []
    for one in intervals:
        begun, done = max(one.start, start), min(one.end, end)
        if begun < done:
            edges += [(begun, 1, one.kind), (done, -1, one.kind)]
    open_now = dict.fromkeys(KINDS, 0)
    taken = dict.fromkeys(KINDS, 0)
    at = start
    for moment, step, kind in sorted(edges):
        taken[_telling(open_now)] += moment - at
        open_now[kind] += step
        at = moment
    taken[_telling(open_now)] += max(end - at, 0)
    whole = max(end - start, 1)
    return [Part(kind, taken[kind] / SECOND, taken[kind] / whole) for kind in KINDS]


def of_metrics(span: Any) -> list[Interval]:
    """Return what a span (core.Span) and all below it tell."""
    found = []
    if span.operation_id:
        found.append(
            Interval(OPERATIONS.get(span.operation_id, PLATFORM), _micros(span.start_time), _micros(span.end_time))
        )
    for one in span.spans:
        found += of_metrics(one)
    return found


def began(span: Any) -> Micros:
    """Return when a span (core.Span) began."""
    return _micros(span.start_time)


def ended(span: Any, now: Micros) -> Micros:
    """Return when a span ended, at the latest `now`."""
    return min(_micros(span.end_time), now)


def find_node(span: Any, node: str) -> Any:
    """Return the span of a node, wherever it is; None where there is none."""
    if span.WhichOneof("id") == "node_id" and span.node_id.node_id == node:
        return span
    return next((found for one in span.spans if (found := find_node(one, node)) is not None), None)


def of_events(events: Sequence[Mapping[str, Any]], now: Micros, dask: frozenset[str] = frozenset()) -> list[Interval]:
    """Return what events of attempts tell (`EventEntry` of the HTTP API); `dask` names nodes whose tasks have clusters.

    What goes on lasts until `now`.
    """
    found = []
    doing: dict[tuple[str, int], tuple[str, Micros]] = {}
    for one in events:
        if one["attempt"] is None:
            continue
        key, at = (one["node"], one["attempt"]), _moment(one["at"])
        before = doing.pop(key, None)
        if before is not None and before[1] < at:
            found.append(Interval(before[0], before[1], at))
        if one["kind"] == "AttemptProgressed":
            # What is told late, of an attempt that has ended meanwhile, begins nothing.
            doing[key] = (_kind(one["data"], one["node"] in dask), at)
    return found + [Interval(kind, at, now) for kind, at in doing.values() if at < now]


def nodes_with_clusters(events: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the nodes whose attempts told of a Dask cluster."""
    return frozenset(one["node"] for one in events if "dask" in (one["data"].get("custom_info") or {}))


def _kind(data: Mapping[str, Any], dask: bool) -> str:
    phase, reason = data.get("phase", ""), str(data.get("reason", "")).lower()
    if phase in PHASES:
        return PHASES[phase]
    return CLUSTER if dask and not any(word in reason for word in PREPARING) else ENVIRONMENT


def _telling(open_now: Mapping[str, int]) -> str:
    return next((kind for kind in KINDS if open_now[kind]), PLATFORM)


def _moment(told: str) -> Micros:
    return clock.from_datetime(datetime.fromisoformat(told.replace("Z", "+00:00")))


def _micros(moment: Any) -> Micros:
    return Micros(moment.ToMicroseconds())
