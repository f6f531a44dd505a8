"""Where time went: parts that add up to the whole, whatever went on side by side."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from flyteidl.core import metrics_pb2

from dayfly.base.clock import SECOND, Micros
from dayfly.console.run import spans
from dayfly.console.run.spans import CLUSTER, CODE, ENVIRONMENT, PLATFORM, QUEUE, Interval


def seconds(*intervals: Interval, end: int = 10) -> dict[str, float]:
    parts = spans.split(intervals, Micros(0), Micros(end * SECOND))
    assert abs(sum(one.share for one in parts) - 1) < 1e-6
    return {one.kind: one.seconds for one in parts if one.seconds}


def span(kind: str, start: float, end: float) -> Interval:
    return Interval(kind, Micros(round(start * SECOND)), Micros(round(end * SECOND)))


def test_what_nothing_covers_is_the_platforms() -> None:
    assert seconds() == {PLATFORM: 10}
    assert seconds(span(CODE, 2, 5)) == {CODE: 3, PLATFORM: 7}


def test_a_second_counts_for_the_most_telling_thing_once() -> None:
    told = seconds(span(QUEUE, 0, 8), span(CODE, 2, 5), span(CODE, 3, 6), span(CLUSTER, 1, 3))
    assert told == {QUEUE: 3, CLUSTER: 1, CODE: 4, PLATFORM: 2}


def test_only_what_lies_within_counts() -> None:
    assert seconds(span(CODE, -5, 3), span(QUEUE, 9, 30)) == {CODE: 3, QUEUE: 1, PLATFORM: 6}


def event(at: float, kind: str, phase: str = "", reason: str = "", node: str = "n0", **data: Any) -> dict[str, Any]:
    moment = datetime.fromtimestamp(at, timezone.utc).isoformat().replace("+00:00", "Z")
    return {"at": moment, "kind": kind, "node": node, "attempt": 0, "data": {"phase": phase, "reason": reason, **data}}


def test_events_tell_environment_from_cluster() -> None:
    told = [
        event(0, "AttemptProgressed", "WAITING_FOR_RESOURCES"),
        event(2, "AttemptProgressed", "INITIALIZING", "loading flows before the first process is forked"),
        event(3, "AttemptProgressed", "INITIALIZING"),
        event(5, "AttemptProgressed", "RUNNING", custom_info={"dask": {"workers": 2}}),
        event(9, "AttemptFailed"),
    ]
    dask = spans.nodes_with_clusters(told)
    assert dask == {"n0"}
    assert seconds(*spans.of_events(told, Micros(10 * SECOND), dask)) == {
        QUEUE: 2,
        ENVIRONMENT: 1,
        CLUSTER: 2,
        CODE: 4,
        PLATFORM: 1,
    }


def test_what_goes_on_lasts_until_now() -> None:
    told = [event(4, "AttemptProgressed", "RUNNING")]
    assert spans.of_events(told, Micros(7 * SECOND)) == [span(CODE, 4, 7)]


def test_spans_of_metrics_are_read_and_found() -> None:
    whole = metrics_pb2.Span(workflow_id={"name": "e"})
    node = whole.spans.add(node_id={"node_id": "n0"})
    node.spans.add(operation_id="TASK_RUNTIME", start_time={"seconds": 1}, end_time={"seconds": 4})
    node.spans.add(operation_id="NODE_SETUP", start_time={"seconds": 0}, end_time={"seconds": 1})
    assert spans.find_node(whole, "n0") is not None and spans.find_node(whole, "n1") is None
    assert spans.of_metrics(whole) == [span(CODE, 1, 4), span(PLATFORM, 0, 1)]
