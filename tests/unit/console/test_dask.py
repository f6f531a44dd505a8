"""What the console says of one Dask cluster, and how much of its record it asks for."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.console.run import dask, dask_after

WORKER = {
    "name": "worker-1-r2",
    "gone_at": 100.0,
    "expected": False,
    "cause": "",
    "processing": ["fit-1"],
    "memory_limit": 1024,
    "memory_peak": 922,
    "spilled_peak": 10,
    "busy_seconds": 3.0,
}


def told(*workers: dict[str, Any], live: bool = False, reports: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    record = {
        "workers": workers,
        "roles": [{"name": "driver", "memory_peak": 50, "memory_limit": 0}],
        "memory_peak": 922,
    }
    return {"cluster": {"live": live}, "record": record, "idle_share": 0.25, "reports": reports}


@pytest.mark.parametrize(
    ("changes", "said", "ending"),
    [
        ({"gone_at": None}, [], "at the cluster's end"),
        ({"expected": True}, [], "retired"),
        ({"expected": True, "cause": "retired, no longer needed"}, [], "retired, no longer needed"),
        ({}, [], "lost while it had fit-1"),
        ({"processing": []}, [[50.0, "worker-1 held 2 GiB"]], "lost"),
        ({}, [[99.9, "worker-1 held 2 GiB"], [98.5, "worker-1 x"]], "lost while it had fit-1: worker-1 held 2 GiB"),
    ],
)
def test_how_a_worker_ended(changes: dict[str, Any], said: list[list[Any]], ending: str) -> None:
    assert dask_after.ending({**WORKER, **changes}, said) == ending


def test_what_is_said_of_a_cluster_that_is_over() -> None:
    advice = {
        "task": "flows.fit<script>",
        "runs": 2,
        "advice": [{"role": "worker", "what": "memory", "had": "", "ask": "2Gi", "reason": "it was killed"}],
    }
    report = {"name": "performance.html", "url": "/api/dayfly/v1/clusters/x/reports/performance.html"}
    content = str(dask_after.content(told(WORKER, reports=(report,)), []) + dask_after.advice(advice))
    for text in ("<strong>2Gi</strong>", "no limit", "By its last 2 runs", "922 MiB of 1.0 GiB", 'class="high"', "25%"):
        assert text in content
    assert (
        '<iframe class="dask-report" loading="lazy" sandbox="allow-scripts" src="/api/dayfly/v1/clusters/x/reports/'
        in content
    )
    assert "<script>" not in content


def test_nothing_is_said_too_early_and_no_report_of_elsewhere_is_shown() -> None:
    assert dask_after.content(told(WORKER, live=True), []) == ""
    report = {"name": "performance.html", "url": "javascript:alert(1)"}
    assert "iframe" not in dask_after.content(told(WORKER, reports=(report,)), [])
    assert dask_after.advice(None) == ""
    right = {"task": "flows.fit", "runs": 1, "advice": []}
    assert "What it asks for is right, by its last 1 run." in dask_after.advice(right)


def test_no_more_of_a_record_is_asked_for_than_can_be_shown() -> None:
    def asked(seconds: float, workers: int) -> tuple[int, int]:
        return dask.coarseness({"began_at": 10.0, "ended_at": 10.0 + seconds, "workers": [{}] * workers})

    assert dask.coarseness(None) == (0, dask.MOST_TASKS)
    assert asked(60, 4) == (0, 667)
    for seconds, workers in ((3600, 100), (86_400, 3), (7200, 1000)):
        every, tasks = asked(seconds, workers)
        assert seconds / every * workers <= dask.POINTS
        assert seconds / every <= dask.MOST_FRAMES
        assert tasks * seconds / every <= dask.MOST_TASKS + 10 * seconds / every


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("http://elsewhere:1/api/dayfly/v1/dashboards/p/status", "/api/dayfly/v1/dashboards/p/status"),
        ("javascript:alert(1)", ""),
        ("http://[", ""),
        ("http://elsewhere/board", ""),
        ("", ""),
    ],
)
def test_links_lead_to_this_platform_alone(url: str, link: str) -> None:
    assert dask.link_within(url) == link
