"""Clusters of this host whose start was never recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dayfly.base.clock import Micros
from dayfly.executors.dask import fitting
from dayfly.executors.dask.local import provider
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.clusters import ClusterState
from dayfly.ports.process_groups import GroupReport

KEY = AttemptKey("p/d/x/n0/0")


class FakeGroups:
    def __init__(self, report: GroupReport | None) -> None:
        self._report = report

    async def recover(self, key: str) -> GroupReport | None:
        return self._report


@pytest.mark.parametrize(
    ("report", "state"), [(None, None), (GroupReport(KEY, Micros(1), "starting"), ClusterState.STARTING)]
)
async def test_a_cluster_is_found_without_a_handle(
    tmp_path: Path, report: GroupReport | None, state: ClusterState | None
) -> None:
    nobody: Any = None
    clusters = provider.LocalClusters(
        FakeGroups(report),  # type: ignore[arg-type]
        nobody,
        fitting.HostCapacity(1.0, 1),
        unpack=nobody,
        log_uri=lambda key, role: "",
        dashboard_uri=lambda key: "",
        report_uri=lambda key, name: "",
        work_folder=tmp_path,
        log_folder=tmp_path,
    )
    seen = await clusters.recover(KEY, b"")
    assert (seen and seen.state) == state
