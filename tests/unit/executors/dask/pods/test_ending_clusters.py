"""A cluster of pods that is over is ended, also where Kubernetes does not answer at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dayfly.base import errors
from dayfly.base.clock import Micros, SystemClock
from dayfly.executors.dask.pods import provider, reports
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.clusters import ClusterEnd, ClusterReport
from dayfly.ports.pod_groups import PodGroupReport, PodPhase, PodSeen

KEY = AttemptKey("p/d/e/n0/0")

PATIENCE_SECONDS = 20.0


class Groups:
    """A group whose pods cannot be deleted the first time."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[PodGroupReport] = asyncio.Queue()
        self.stops = 0

    def listen(self, _take: Callable[..., Any]) -> None:
        pass

    async def recover(self, key: AttemptKey, handle: bytes) -> PodGroupReport | None:
        return report("scheduler", "driver", "worker-0")

    async def watch(self) -> AsyncIterator[PodGroupReport]:
        while True:
            yield await self.told.get()

    async def want(self, key: AttemptKey, roles: frozenset[str]) -> None:
        pass

    async def stop(self, key: AttemptKey, *, grace_seconds: float) -> None:
        self.stops += 1
        if self.stops == 1:
            raise errors.ExecutorUnavailable("Kubernetes does not answer.")
        self.told.put_nowait(msgspec.structs.replace(report(), ended=True, stopped=True))

    async def close(self) -> None:
        pass


def report(*running: str, lost: str = "") -> PodGroupReport:
    pods = [PodSeen(role, role, role, PodPhase.RUNNING) for role in running]
    if lost:
        pods.append(PodSeen(lost, lost, lost, PodPhase.LOST, code="Deleted", message="somebody deleted it"))
    return PodGroupReport(KEY, Micros(0), tuple(pods))


def build(groups: Groups, folder: Path, *, timeout: float = 60.0) -> tuple[provider.PodClusters, bytes]:
    made = provider.PodClusters(
        groups,  # type: ignore[arg-type]
        SystemClock(),
        None,  # type: ignore[arg-type]  # nothing is laid out here
        log_uri=lambda key, role: "",
        dashboard_uri=lambda key: "",
        report_uri=lambda key, name: f"http://report/{key}/{name}",
        log_folder=folder,
    )
    limits = reports.Limits(2, 2, timeout, 0, ("driver", "scheduler", "worker-0", "worker-1"))
    return made, msgspec.json.encode(provider.Handle(b"", limits))


async def ended(clusters: provider.PodClusters) -> ClusterReport:
    async def look() -> ClusterReport:
        async for told in clusters.watch():
            if told.end is not None:
                return told
        raise AssertionError("nothing more is told")

    return await asyncio.wait_for(look(), PATIENCE_SECONDS)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "PAUSE_SECONDS", 0.0)


async def test_a_cluster_without_scheduler_is_ended(tmp_path: Path) -> None:
    groups = Groups()
    clusters, handle = build(groups, tmp_path)
    await clusters.recover(KEY, handle)
    for _ in range(3):
        groups.told.put_nowait(report("driver", "worker-0", lost="scheduler"))
    told = await ended(clusters)
    assert told.end in (ClusterEnd.SCHEDULER_LOST, ClusterEnd.PART_LOST)
    assert groups.stops == 2
    await clusters.close(grace_seconds=0)


async def test_a_cluster_that_is_not_there_in_time_is_ended(tmp_path: Path) -> None:
    groups = Groups()
    clusters, handle = build(groups, tmp_path, timeout=0.0)
    await clusters.recover(KEY, handle)
    told = await ended(clusters)
    assert told.end is ClusterEnd.STARTUP_TIMEOUT
    assert groups.stops == 2
    await clusters.close(grace_seconds=0)
