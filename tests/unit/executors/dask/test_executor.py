"""What is observed of an attempt, over clusters that are only claimed to be there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from tests.contract import cluster_hosts
from tests.fakes import cluster_provider

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.executors.dask import executor, fitting
from dayfly.executors.dask.recorder import files
from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import FailureKind
from dayfly.ports.clusters import ClusterEnd, ClusterState, Progress
from dayfly.ports.executors import Observation, ObservationKind

KEY = AttemptKey("p/d/e/n0/0")
SMALL = fitting.HostCapacity(1.0, 2**30)


def build(world: cluster_provider.World | None = None, **rest: Any) -> tuple[executor.DaskExecutor, Any]:
    clusters = cluster_provider.FakeClusters(ManualClock(), world)
    made = executor.DaskExecutor(
        clusters, cluster_hosts.OneEnvironment(), ManualClock(), records=files.RecordFiles(Path("/nowhere")), **rest
    )
    return made, clusters


async def observe(made: executor.DaskExecutor) -> list[Observation]:
    await made.close(grace_seconds=0)
    return [seen async for seen in made.watch()]


def limits(cpu: float, memory: int) -> dict[str, Any]:
    return {
        "cpu_request": cpu,
        "cpu_limit": cpu,
        "memory_request_bytes": memory,
        "memory_limit_bytes": memory,
    }


async def test_fitting_is_told_while_the_cluster_starts_and_once():
    made, clusters = build(host=SMALL)
    await made.start(cluster_hosts.attempt(KEY, workers=2, **limits(4, 2**33)))
    clusters.tell(KEY, progress=Progress(2, 2, 10, 5))
    first, second, third, last = await observe(made)
    assert first.kind is ObservationKind.INITIALIZING
    assert first.reason.startswith("2 workers asked for 4 CPUs and 8 GiB each; this host has 1 CPU and 1 GiB")
    assert (second.kind, third.kind, third.reason) == (ObservationKind.RUNNING, ObservationKind.RUNNING, "")
    told = json_format.MessageToDict(struct_pb2.Struct.FromString(third.custom_info))["dask"]
    assert (told["workers"], told["wanted"], told["tasksDone"], told["tasksTotal"]) == (2, 2, 5, 10)
    assert (last.kind, last.failure_kind, last.code) == (ObservationKind.FAILED, FailureKind.SYSTEM, "Interrupted")


async def test_a_strict_host_refuses_what_it_cannot_give():
    made, clusters = build(host=SMALL, strict=True)
    with pytest.raises(executor.ClusterTooLarge, match="this host has 1 CPU") as caught:
        await made.start(cluster_hosts.attempt(KEY, **limits(4, 2**33)))
    assert isinstance(caught.value, errors.InvalidArgument)
    assert caught.value.code == "ClusterTooLarge"
    assert clusters.world.made == {}


async def test_the_same_again_is_no_news():
    made, clusters = build()
    await made.start(cluster_hosts.attempt(KEY))
    for _ in range(3):
        clusters.tell(KEY)
    clusters.tell(KEY, reason="worker-0 was killed")
    clusters.tell(KEY, progress=Progress(1, 2))
    kinds = [(seen.kind.value, seen.reason) for seen in await observe(made)]
    assert kinds == [
        ("initializing", ""),
        ("running", ""),
        ("running", "worker-0 was killed"),
        ("running", ""),
        ("failed", ""),
    ]


@pytest.mark.parametrize(
    ("end", "kind", "failure", "code"),
    [
        (ClusterEnd.DRIVER_EXITED, ObservationKind.EXITED, FailureKind.UNKNOWN, ""),
        (ClusterEnd.STOPPED, ObservationKind.STOPPED, FailureKind.UNKNOWN, ""),
        (ClusterEnd.DRIVER_OUT_OF_MEMORY, ObservationKind.FAILED, FailureKind.USER, "OOMKilled"),
        (ClusterEnd.SCHEDULER_LOST, ObservationKind.FAILED, FailureKind.SYSTEM, "DaskSchedulerLost"),
        (ClusterEnd.STARTUP_TIMEOUT, ObservationKind.FAILED, FailureKind.SYSTEM, "DaskStartupTimeout"),
        (ClusterEnd.RESTARTS_EXHAUSTED, ObservationKind.FAILED, FailureKind.USER, "DaskWorkersLost"),
        (ClusterEnd.INTERRUPTED, ObservationKind.FAILED, FailureKind.SYSTEM, "Interrupted"),
        (ClusterEnd.LOST, ObservationKind.FAILED, FailureKind.SYSTEM, "DaskClusterLost"),
    ],
)
async def test_every_end_has_its_kind_and_code(end: ClusterEnd, kind: ObservationKind, failure: FailureKind, code: str):
    made, clusters = build()
    await made.start(cluster_hosts.attempt(KEY))
    clusters.tell(KEY, state=ClusterState.ENDED, end=end, message="why {it} ended", exit_code=0)
    last = (await observe(made))[-1]
    assert (last.kind, last.failure_kind, last.code, last.recoverable) == (kind, failure, code, True)
    if code not in ("", "Interrupted"):
        assert "why {it} ended" in last.message


async def test_an_attempt_is_taken_back_or_known_to_be_lost():
    first, clusters = build(host=SMALL)
    handle = await first.start(cluster_hosts.attempt(KEY, **limits(4, 2**33)))
    second, _ = build(clusters.world)
    taken = await second.recover(KEY, handle)
    assert taken.kind is ObservationKind.RUNNING
    lost = await second.recover(AttemptKey("p/d/e/n1/0"), handle)
    assert (lost.kind, lost.code) == (ObservationKind.FAILED, "DaskClusterLost")
    await second.forget(AttemptKey("p/d/e/n2/0"), b"")


async def test_two_attempts_are_told_apart():
    made, clusters = build()
    other = AttemptKey("p/d/e/n1/0")
    await asyncio.gather(*(made.start(cluster_hosts.attempt(key)) for key in (KEY, other)))
    clusters.tell(other, state=ClusterState.ENDED, end=ClusterEnd.STOPPED)
    ends = [(seen.key, seen.kind.value) for seen in await observe(made)]
    assert (other, "stopped") in ends
    assert (KEY, "failed") in ends
