"""Clusters of pods, one beside the other: what is wrong with one is no matter of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from dayfly.base.clock import ManualClock, Micros
from dayfly.executors.dask.pods import provider, reports
from dayfly.executors.dask.roles import settling
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.clusters import ClusterEnd, ClusterState
from dayfly.ports.pod_groups import PodGroupReport, PodPhase, PodSeen

BAD, GOOD = AttemptKey("p/d/e/n0/0"), AttemptKey("p/d/e/n1/0")

HANDLE = msgspec.json.encode(provider.Handle(b"group", reports.Limits(1, 1, 60.0, 0, ("driver",))))


class Groups:
    """Groups of pods that a test reports."""

    def __init__(self) -> None:
        self.reports: asyncio.Queue[PodGroupReport | None] = asyncio.Queue()
        self.recovered = {key: PodGroupReport(key, Micros(1)) for key in (BAD, GOOD)}
        self.asked: list[bytes] = []
        self.wanted: list[frozenset[str]] = []

    def listen(self, taker: object) -> None:
        pass

    async def recover(self, key: AttemptKey, handle: bytes) -> PodGroupReport | None:
        return self.recovered[key]

    async def want(self, key: AttemptKey, roles: frozenset[str]) -> None:
        self.wanted.append(roles)

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        self.asked.append(handle)
        return [key]

    async def watch(self) -> AsyncIterator[PodGroupReport]:
        while (report := await self.reports.get()) is not None:
            yield report


@pytest.fixture
def groups() -> Groups:
    return Groups()


@pytest.fixture
def clusters(groups: Groups, tmp_path: Path) -> provider.PodClusters:
    def dashboard_uri(key: AttemptKey) -> str:
        if key == BAD:
            raise AttributeError("nobody has foreseen this")
        return "http://dash"

    return provider.PodClusters(
        groups,  # type: ignore[arg-type]
        ManualClock(),
        None,  # type: ignore[arg-type]
        log_uri=lambda key, role: f"http://log/{key}/{role}",
        dashboard_uri=dashboard_uri,
        report_uri=lambda key, name: f"http://report/{key}/{name}",
        log_folder=tmp_path,
    )


def report(key: AttemptKey, at: int, phase: PodPhase) -> PodGroupReport:
    driver = PodSeen("x", "driver", "u", phase, exit_code=0 if phase is PodPhase.EXITED else None)
    return PodGroupReport(key, Micros(at), (driver,), ended=phase is PodPhase.EXITED)


async def test_one_that_cannot_be_read_stops_no_others(groups: Groups, clusters: provider.PodClusters) -> None:
    for key in (BAD, GOOD):
        taken = await clusters.recover(key, HANDLE)
        assert taken is not None, key
        assert taken.end is None
    for phase in (PodPhase.RUNNING, PodPhase.EXITED):
        for key in (BAD, GOOD):
            groups.reports.put_nowait(report(key, 5, phase))
    groups.reports.put_nowait(None)
    told = [(one.key, one.state, one.end) async for one in clusters.watch()]
    assert told == [
        (GOOD, ClusterState.STARTING, None),
        (BAD, ClusterState.ENDED, ClusterEnd.LOST),
        (GOOD, ClusterState.ENDED, ClusterEnd.DRIVER_EXITED),
    ]


async def test_an_end_that_cannot_be_read_is_one(groups: Groups, clusters: provider.PodClusters) -> None:
    groups.recovered[BAD] = report(BAD, 5, PodPhase.EXITED)
    taken = await clusters.recover(BAD, HANDLE)
    assert taken is not None
    assert (taken.state, taken.end) == (ClusterState.ENDED, ClusterEnd.LOST)


async def test_who_has_no_handle_is_told_what_is_left_too(groups: Groups, clusters: provider.PodClusters) -> None:
    for handle in (HANDLE, b""):
        assert await clusters.leftovers(GOOD, handle) == [GOOD]
    assert groups.asked == [b"group", b""]


async def test_workers_go_where_the_driver_goes_on_alone(groups: Groups, clusters: provider.PodClusters) -> None:
    await clusters.recover(GOOD, HANDLE)
    driver = PodSeen("x", "driver", "u", PodPhase.RUNNING)
    scheduler = PodSeen("s", "scheduler", "v", PodPhase.EXITED, exit_code=0, last_words=settling.ASKED)
    for at in (5, 6):
        groups.reports.put_nowait(PodGroupReport(GOOD, Micros(at), (driver, scheduler)))
    groups.reports.put_nowait(None)
    told = [(one.state, one.reason) async for one in clusters.watch()]
    assert told == [(ClusterState.READY, reports.SETTLED)] * 2
    assert groups.wanted == [frozenset({"driver"}), frozenset()]


@pytest.mark.parametrize(("scaled", "wanted"), [((), [frozenset({"driver", "worker-0"})]), (("worker-0",), [])])
async def test_workers_that_went_unseen_are_wanted_by_a_platform_that_comes_back(
    groups: Groups, clusters: provider.PodClusters, scaled: tuple[str, ...], wanted: list[frozenset[str]]
) -> None:
    limits = reports.Limits(1, 1, 60.0, 0, ("driver", "worker-0"), scaled=scaled)
    await clusters.recover(GOOD, msgspec.json.encode(provider.Handle(b"group", limits)))
    assert groups.wanted == wanted, "of what is scaled its scheduler says what is wanted"
