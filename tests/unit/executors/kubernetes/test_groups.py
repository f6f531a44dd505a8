"""Groups of pods over a cluster in memory: whose pod is whose, and what becomes of groups that are half made."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.executors.kubernetes import groups, names, observing, remembering
from dayfly.executors.kubernetes.api import Forbidden, NotNow
from dayfly.executors.kubernetes.groups import KubernetesGroups
from dayfly.executors.kubernetes.settings import Patience, PodSettings
from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import ObservationKind
from dayfly.ports.pod_groups import Maker, PodGroupReport, PodGroupSpec, PodPhase
from tests.unit.executors.kubernetes.making import KEY

Manifest = dict[str, Any]

OTHER = AttemptKey("other/development/x1/n0/0")

NAMESPACE = "flytesnacks-development"


class FakeCluster:
    """Objects by kind, namespace and name, as `Api` has them; what happens to pods is put into `events`."""

    def __init__(self) -> None:
        self.there: dict[tuple[str, str, str], Manifest] = {}
        self.events: asyncio.Queue[tuple[str, Manifest]] = asyncio.Queue()
        self.refused: dict[str, errors.DayflyError] = {}
        """Names of what cannot be made."""
        self.forbidden: set[str] = set()
        """Kinds that the platform may not touch."""
        self.listed: set[str] = set()
        self.served: set[str] = {"Pod", "Service"}

    def put(self, manifest: Manifest) -> Manifest:
        metadata = manifest["metadata"]
        key = (manifest["kind"], metadata["namespace"], metadata["name"])
        made = self.there[key] = copy.deepcopy(manifest)
        made["apiVersion"] = "v1"
        made["metadata"]["uid"] = "/".join(key)
        return made

    def list_names(self) -> list[tuple[str, str]]:
        return sorted((kind, name) for kind, _, name in self.there)

    async def create(self, manifest: Manifest) -> Manifest | None:
        metadata = manifest["metadata"]
        if metadata["name"] in self.refused:
            raise self.refused[metadata["name"]]
        if (manifest["kind"], metadata["namespace"], metadata["name"]) in self.there:
            return None
        return copy.deepcopy(self.put(manifest))

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        return self.there.get((kind, namespace, name))

    async def list(self, kind: str, namespace: str, selector: str, *, fields: str = "") -> tuple[list[Manifest], str]:
        if kind == "Event":
            return [], "1"
        self.listed.add(kind)
        if kind not in self.served:
            raise errors.NotFound(kind)
        if kind in self.forbidden:
            raise Forbidden(kind)
        wanted = dict(pair.split("=") for pair in selector.split(",") if pair)
        found = [
            copy.deepcopy(one)
            for (its, where, _), one in self.there.items()
            if its == kind and namespace in ("", where) and wanted.items() <= one["metadata"]["labels"].items()
        ]
        return found, "1"

    async def watch(
        self, kind: str, namespace: str, selector: str, since: str, *, seconds: int
    ) -> AsyncIterator[tuple[str, Manifest]]:
        while True:
            yield await self.events.get()

    async def delete(
        self, kind: str, namespace: str, name: str, *, grace_seconds: float | None = None, uid: str = ""
    ) -> None:
        self.there.pop((kind, namespace, name), None)

    async def version(self) -> str:
        return "v1.29.0"

    async def serves(self, kind: str) -> bool:
        return kind in self.served

    async def close(self) -> None:
        pass


class FakeLogs:
    """Logs that are always complete."""

    def __init__(self, folder: Path) -> None:
        self.pods: list[Manifest] = []
        self.gone: list[str] = []
        self.awaited: set[str] = set()
        """Pods whose logs are complete once they are told to be gone."""
        self.told = asyncio.Event()
        self.memory = remembering.Memory(lambda key: folder / key)

    def look(self, key: str, pod: Manifest) -> None:
        self.pods.append(pod)

    async def wait(self, key: str, seconds: float, role: str = "") -> None:
        while self.awaited and role == "":
            await asyncio.wait_for(self.told.wait(), 10.0)
            self.awaited.discard(self.gone[-1])

    def tell_gone(self, key: str, name: str) -> None:
        self.gone.append(name)
        self.told.set()

    def drop(self, key: str) -> None:
        pass

    def tail(self, key: str, role: str) -> str:
        return ""

    async def close(self) -> None:
        pass


class NoWorkflows:
    async def own(self, key: str, manifest: Manifest) -> Manifest:
        return manifest


class World:
    """A cluster and a platform."""

    def __init__(self, folder: Path) -> None:
        self.cluster, self._folder = FakeCluster(), folder
        self.groups = self.another()

    def another(self) -> KubernetesGroups:
        """Return what a platform has that knows nothing yet."""
        told = PodSettings()
        self.logs = FakeLogs(self._folder)
        return KubernetesGroups(self.cluster, told, Patience(), self.logs, NoWorkflows(), ManualClock())  # type: ignore[arg-type]

    async def next(self) -> PodGroupReport:
        async for report in self.groups.watch():
            return report
        raise AssertionError("no report")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    await made.groups.close()


def pod(role: str = "driver", *, kind: str = "Pod", **metadata: Any) -> Manifest:
    """Return an object of the attempt."""
    own = {
        "name": "x1-n0-0" if role == "driver" else f"x1-n0-0-{role}",
        "namespace": NAMESPACE,
        "labels": names.own_labels(KEY, "dayfly", role),
        "annotations": {names.ATTEMPT: KEY, "primary_container_name": "main"},
    }
    return {"kind": kind, "metadata": {**own, **metadata}, "spec": {"containers": [{"name": "main"}]}}


def spec(*roles: str) -> PodGroupSpec:
    return PodGroupSpec(KEY, NAMESPACE, (pod(), *(pod(role) for role in roles)), "driver")


def ended(manifest: Manifest) -> Manifest:
    state = {"name": "main", "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}
    return {**manifest, "status": {"phase": "Succeeded", "containerStatuses": [state]}}


FOREIGN = [
    {"namespace": "other-development"},
    {"labels": names.own_labels(OTHER, "dayfly", "driver")},
]


@pytest.mark.parametrize("metadata", FOREIGN)
async def test_a_pod_that_only_says_that_it_is_an_attempts_is_not(world: World, metadata: dict[str, Any]) -> None:
    await world.groups.start(spec())
    assert (await world.next()).pods[0].phase is PodPhase.QUEUED
    real = len(world.logs.pods)
    stranger = ended(pod(**metadata))
    stranger["metadata"]["uid"] = "another"
    world.cluster.events.put_nowait(("ADDED", stranger))
    own = ended(pod())
    own["metadata"]["uid"] = "own"
    world.cluster.events.put_nowait(("MODIFIED", own))
    report = await world.next()
    assert report.pods[0].uid == "own"
    assert "another" not in [one["metadata"]["uid"] for one in world.logs.pods[real:]]


async def test_a_pod_that_says_it_is_of_another_attempt_is_not_taken_back(world: World) -> None:
    handle = await world.groups.start(spec())
    (driver,) = world.cluster.there.values()
    driver["metadata"]["annotations"][names.ATTEMPT] = OTHER
    await world.groups.close()
    world.groups = world.another()
    assert await world.groups.recover(KEY, handle) is None


async def test_what_was_made_and_never_recorded_goes_when_the_attempt_is_forgotten(world: World) -> None:
    world.cluster.served |= {"DaskJob", "Deployment"}
    world.cluster.forbidden = {"Deployment"}
    for one in (pod(), pod("scheduler", kind="Service"), pod("job", kind="DaskJob")):
        world.cluster.put(one)
    world.cluster.put(pod(name="x2", labels=names.own_labels(OTHER, "dayfly", "driver")))
    world.cluster.put(pod(name="x3", labels=names.own_labels(KEY, "another-platform", "driver")))
    assert await world.groups.recover(KEY, b"") is None
    left = [
        f"{kind} {NAMESPACE}/x1-n0-0{end}"
        for kind, end in (("DaskJob", "-job"), ("Service", "-scheduler"), ("Pod", ""))
    ]
    assert await world.groups.leftovers(KEY, b"") == left
    await world.groups.forget(KEY, b"")
    assert world.cluster.list_names() == [("Pod", "x2"), ("Pod", "x3")]
    assert await world.groups.leftovers(KEY, b"") == []


async def test_a_cluster_without_operators_is_not_asked_for_what_they_make(world: World) -> None:
    world.cluster.put(pod())
    await world.groups.forget(KEY, b"")
    assert world.cluster.there == {}
    assert world.cluster.listed <= {"Pod", "Service"}


QUOTA = NotNow("exceeded quota: pods")


async def test_what_had_not_been_made_when_the_platform_ended_was_deleted_by_nobody(world: World) -> None:
    world.cluster.refused["x1-n0-0"] = QUOTA
    handle = await world.groups.start(spec())
    assert (await world.next()).waits_for == QUOTA.message
    await world.groups.close()
    world.groups = world.another()
    report = await world.groups.recover(KEY, handle)
    assert report is not None
    seen = observing.observe(report, ())
    assert (seen.kind, seen.failure_kind, seen.recoverable) == (ObservationKind.FAILED, FailureKind.SYSTEM, True)
    assert (seen.code, seen.message) == (
        "NotMadeYet",
        "Its pod was not made before the platform ended, or is gone since; it had to wait: exceeded quota: pods",
    )
    await world.groups.forget(KEY, handle)


async def test_what_had_been_made_and_is_gone_was_deleted(world: World) -> None:
    handle = await world.groups.start(spec())
    world.cluster.there.clear()
    await world.groups.close()
    world.groups = world.another()
    assert await world.groups.recover(KEY, handle) is None


@pytest.mark.parametrize(
    ("driver", "made"),
    [({}, ["x1-n0-0", "x1-n0-0-worker-0"]), ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, ["x1-n0-0"])],
)
async def test_a_later_platform_makes_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch, driver: dict[str, str], made: list[str]
) -> None:
    world.cluster.refused["x1-n0-0-worker-0"] = QUOTA
    handle = await world.groups.start(spec("worker-0"))
    assert world.cluster.list_names() == [("Pod", "x1-n0-0")]
    await world.groups.close()
    world.cluster.refused.clear()
    world.cluster.there["Pod", NAMESPACE, "x1-n0-0"]["metadata"] |= driver
    monkeypatch.setattr(groups, "PAUSE_SECONDS", 0.0)
    world.groups = world.another()
    report = await world.groups.recover(KEY, handle)
    assert report is not None
    for _ in range(20):
        await asyncio.sleep(0)
    assert [name for _, name in world.cluster.list_names()] == made


async def test_a_cluster_that_is_away_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(groups, "LONGEST_PAUSE_SECONDS", 0.0)
    away = errors.ExecutorAway("Kubernetes does not answer.")
    world.cluster.refused |= {"x1-n0-0": away, "x1-n0-0-worker-0": away}
    await world.groups.start(spec("worker-0"))
    assert (await world.next()).waits_for == away.message
    del world.cluster.refused["x1-n0-0"]
    for _ in range(20):
        await asyncio.sleep(0)
    del world.cluster.refused["x1-n0-0-worker-0"]
    for _ in range(20):
        await asyncio.sleep(0)
    assert world.cluster.list_names() == [("Pod", "x1-n0-0"), ("Pod", "x1-n0-0-worker-0")]


async def test_a_resource_that_waits_to_be_made_is_not_taken_for_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((groups, "PAUSE_SECONDS"), (groups, "LONGEST_PAUSE_SECONDS"), (groups, "LOOK_SECONDS")):
        monkeypatch.setattr(module, name, 0.0)
    job = pod("job", kind="Job", name="x")
    world.cluster.refused["x"] = errors.ExecutorAway("Kubernetes does not answer.")
    await world.groups.start(PodGroupSpec(KEY, NAMESPACE, (job,), "driver", maker=MAKER))
    for _ in range(50):
        await asyncio.sleep(0)
    del world.cluster.refused["x"]
    for _ in range(50):
        await asyncio.sleep(0)
    assert ("Job", "x") in world.cluster.list_names()
    reports = [world.groups._reports.get_nowait() for _ in range(world.groups._reports.qsize())]
    assert [one.pods[0].phase for one in reports if one is not None] == [PodPhase.QUEUED] * len(reports)
    assert len(reports) >= 2


async def test_what_is_stopped_while_it_waits_is_not_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "PAUSE_SECONDS", 0.0)
    world.cluster.refused["x1-n0-0"] = QUOTA
    await world.groups.start(spec())
    await world.groups.stop(KEY, grace_seconds=0.0)
    world.cluster.refused.clear()
    for _ in range(20):
        await asyncio.sleep(0)
    assert world.cluster.there == {}


MAKER = Maker("an operator", "x1-n0-0-runner", "taken", "made", ("DaskJob", "Pod"), 2, "", "")

BY_JOB = PodGroupSpec(KEY, NAMESPACE, (pod("job", kind="DaskJob"),), "driver", maker=MAKER)


async def until_noted(world: World, *manifests: Manifest) -> None:
    """Have the platform see pods that another has made."""
    for one in manifests:
        world.cluster.events.put_nowait(("ADDED", world.cluster.put(one)))
    last = world.cluster.there["Pod", NAMESPACE, manifests[-1]["metadata"]["name"]]
    for _ in range(1000):
        if world.logs.pods[-1:] == [last]:
            return
        await asyncio.sleep(0)
    raise AssertionError("it is not noted")


async def test_a_scheduler_that_another_has_replaced_while_no_platform_ran_is_told(world: World) -> None:
    world.cluster.served.add("DaskJob")
    handle = await world.groups.start(BY_JOB)
    runner, first = pod(name="x1-n0-0-runner"), pod("scheduler", name="s-1")
    await until_noted(world, runner, first)
    for gone in (False, True):
        await world.groups.close()
        if gone:
            del world.cluster.there["Pod", NAMESPACE, "s-1"]
            world.cluster.put(pod("scheduler", name="s-2"))
        world.groups = world.another()
        report = await world.groups.recover(KEY, handle)
        assert report is not None
        schedulers = [(one.name, one.phase) for one in report.pods if one.role == "scheduler"]
        assert schedulers == ([("s-1", PodPhase.LOST)] if gone else []) + [(f"s-{1 + gone}", PodPhase.QUEUED)]
    told = next(one.message for one in report.pods if one.phase is PodPhase.LOST)
    assert told == "Pod s-1 is gone: somebody deleted it while no platform ran."


async def test_workers_of_a_deployment_are_not_missed_one_by_one(world: World) -> None:
    world.cluster.served.add("DaskJob")
    handle = await world.groups.start(BY_JOB)
    worker = pod("worker", name="w-1")
    worker["metadata"]["annotations"] |= {"dayfly.dev/told-apart-by": "NAME"}
    await until_noted(world, pod(name="x1-n0-0-runner"), worker)
    await world.groups.close()
    del world.cluster.there["Pod", NAMESPACE, "w-1"]
    world.groups = world.another()
    report = await world.groups.recover(KEY, handle)
    assert report is not None
    assert [one.role for one in report.pods] == ["driver"]


async def test_a_pod_that_was_deleted_while_no_platform_ran_is_told(world: World) -> None:
    handle = await world.groups.start(spec("scheduler"))
    await until_noted(world, pod("scheduler"))
    await world.groups.close()
    del world.cluster.there["Pod", NAMESPACE, "x1-n0-0-scheduler"]
    world.groups = world.another()
    report = await world.groups.recover(KEY, handle)
    assert report is not None
    assert [(one.role, one.phase) for one in report.pods] == [
        ("driver", PodPhase.QUEUED),
        ("scheduler", PodPhase.LOST),
    ]


async def test_it_is_told_which_cluster_it_is(world: World) -> None:
    assert await world.groups.look() == "Kubernetes v1.29.0"


async def test_pods_that_cannot_be_watched_are_told(world: World) -> None:
    world.cluster.forbidden = {"Pod"}
    await world.groups.start(spec())
    for _ in range(10):  # It is listed in a task of its own.
        await asyncio.sleep(0)
    assert "Pod" in world.cluster.listed
    with pytest.raises(errors.ExecutorAway, match="no end of a task is seen: Pod"):
        await world.groups.look()


async def test_a_worker_whose_end_is_told_after_the_drivers_is_told_with_it(world: World) -> None:
    moment = "2026-01-01T00:00:00Z"

    def over(role: str, code: int, reason: str) -> Manifest:
        made = ended(pod(role, uid=role))
        state = made["status"]["containerStatuses"][0]["state"]["terminated"]
        state |= {"exitCode": code, "reason": reason, "finishedAt": moment}
        return made

    await world.groups.start(spec("worker-0"))
    running = pod("worker-0", uid="worker-0")
    running["status"] = {"phase": "Running", "containerStatuses": [{"name": "main", "state": {"running": {}}}]}
    world.cluster.events.put_nowait(("MODIFIED", running))
    while {one.role for one in (await world.next()).pods} != {"driver", "worker-0"}:
        pass
    world.cluster.events.put_nowait(("MODIFIED", over("driver", 0, "Completed")))
    world.cluster.events.put_nowait(("MODIFIED", over("worker-0", 137, "OOMKilled")))
    while not (report := await world.next()).ended:
        pass
    assert [(one.role, one.code) for one in report.pods] == [("driver", ""), ("worker-0", "OOMKilled")]


async def test_whoever_waits_for_the_last_lines_is_told_which_pods_are_gone(world: World) -> None:
    handle = await world.groups.start(spec("worker-0"))
    world.cluster.events.put_nowait(("MODIFIED", pod("worker-0")))
    world.cluster.events.put_nowait(("MODIFIED", ended(pod())))
    while not (await world.next()).ended:
        pass
    world.logs.awaited = {"x1-n0-0-worker-0"}
    world.cluster.events.put_nowait(("DELETED", pod("worker-0")))
    await world.groups.forget(KEY, handle)
    assert world.logs.gone == ["x1-n0-0-worker-0"]
