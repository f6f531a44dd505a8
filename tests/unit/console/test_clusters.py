"""The console's list of Dask clusters."""

from __future__ import annotations

from typing import Any

from dayfly.console.pages import clusters


def entry(**changes: Any) -> dict[str, Any]:
    figures = {"workers": 2, "wanted": 3, "tasks_done": 1200, "tasks_total": 1500, "tasks_processing": 4}
    return {
        "project": "p",
        "domain": "d",
        "execution": "a",
        "node": "n0",
        "attempt": 1,
        "task": "flows.fit",
        "phase": "RUNNING",
        "live": True,
        "created_at": "2026-11-26T12:00:00Z",
        "duration_seconds": None,
        "started_at": "2026-11-26T12:00:01.5Z",
        "error_code": "",
        "url": "/api/dayfly/v1/clusters/p/d/a/n0/1",
        "figures": {**figures, "memory_bytes": 2**30},
        **changes,
    }


def test_a_cluster_in_the_list() -> None:
    over = entry(live=False, phase="FAILED", duration_seconds=10.0, error_code="DaskSchedulerLost", url="u")
    living, gone = clusters.rows([entry(), over], {"u": 0.42}, everywhere=True)
    assert living["href"] == "/console/projects/p/domains/d/executions/a?node=n0&attempt=1&tab=dask"
    cells = {key: cell["text"] for key, cell in living["cells"].items()}
    assert (cells["workers"], cells["tasks"], cells["idle"]) == ("2 / 3", "1,200 / 1,500", "busy")
    assert (cells["memory"], cells["place"]) == ("1.0 GiB", "p / d")
    assert living["cells"]["task"]["below"] == "n0, attempt 2"
    assert "since" in living["cells"]["duration"]
    cells = {key: cell["text"] for key, cell in gone["cells"].items()}
    assert (cells["workers"], cells["idle"], cells["error"]) == ("3", "42%", "DaskSchedulerLost")
    assert cells["duration"] == "10.0 s"
