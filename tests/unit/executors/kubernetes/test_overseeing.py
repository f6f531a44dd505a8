"""What is asked of the cluster about a group whose pods somebody else makes."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.base import errors
from dayfly.executors.kubernetes import api, overseeing
from dayfly.executors.kubernetes.awaiting import Facts
from tests.unit.executors.kubernetes.making import KEY
from tests.unit.executors.kubernetes.test_known import group_of_another, told


class FakeApi:
    """Objects by kind and name; events, or None for who may not read them."""

    def __init__(self, *events: dict[str, Any], **objects: dict[str, Any]) -> None:
        self.objects: dict[str, dict[str, Any] | None] = dict(objects)
        self.events: tuple[dict[str, Any], ...] | None = events
        self.answers = True
        self.asked = 0

    async def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        self.asked += 1
        if not self.answers:
            raise errors.ExecutorUnavailable("no answer")
        return self.objects.get(kind)

    async def list(self, kind: str, namespace: str, selector: str, *, fields: str) -> tuple[list[dict[str, Any]], str]:
        assert (kind, namespace, selector, fields) == ("Event", "ns", "", "type!=Normal")
        if self.events is None:
            raise api.Forbidden("events")
        return list(self.events), "1"


def job(attempt: str = KEY, **status: str) -> dict[str, Any]:
    return {"metadata": {"annotations": {"dayfly.dev/attempt": attempt}}, "status": status}


def event(kind: str, name: str, message: str, at: str) -> dict[str, Any]:
    return {"involvedObject": {"kind": kind, "name": name}, "message": message, "lastTimestamp": at}


async def facts(fake: FakeApi) -> Facts:
    known = group_of_another()
    await overseeing.Overseer(fake).look(known)  # type: ignore[arg-type]
    return known.facts


@pytest.mark.parametrize(
    ("fake", "seen"),
    [
        (FakeApi(Job=job()), Facts()),
        (FakeApi(Job=job(seen="Created")), Facts(taken_up=True)),
        (FakeApi(Job=job(seen="Running", runner="x-runner"), Pod={}), Facts(taken_up=True)),
        (FakeApi(Job=job(seen="Running", runner="x-runner")), Facts(taken_up=True, made=True)),
        (FakeApi(), Facts(gone=True)),
        (FakeApi(Job=job("another/attempt", seen="Running")), Facts(gone=True)),
    ],
)
async def test_how_far_it_is(fake: FakeApi, seen: Facts) -> None:
    assert await facts(fake) == seen


async def test_the_last_event_about_the_groups_objects_is_told() -> None:
    fake = FakeApi(
        event("ReplicaSet", "x-scheduler-1", "exceeded\n  quota", "2026-01-01T00:00:02Z"),
        event("Job", "x", "an earlier one", "2026-01-01T00:00:01Z"),
        event("Pod", "x-runner", "of a pod, which says so itself", "2026-01-01T00:00:03Z"),
        event("ReplicaSet", "xy-scheduler-1", "of another group", "2026-01-01T00:00:04Z"),
        Job=job(),
    )
    assert (await facts(fake)).trouble == "ReplicaSet x-scheduler-1: exceeded quota"
    fake.events = None
    assert (await facts(fake)).trouble == ""


async def test_a_group_is_looked_after_now_and_then_and_while_pods_are_missing() -> None:
    fake, known = FakeApi(Job=job()), group_of_another()
    overseer = overseeing.Overseer(fake)  # type: ignore[arg-type]
    for _ in range(3):
        await overseer.look(known)
    assert fake.asked == 1
    overseer.drop(KEY)
    for pod in (told("x-runner", "driver"), told("x-worker-a", "worker")):
        known.tell(pod)
    await overseer.look(known)
    assert fake.asked == 1


async def test_a_cluster_that_does_not_answer_is_asked_again() -> None:
    fake, known = FakeApi(Job=job(seen="Created")), group_of_another()
    fake.answers = False
    await overseeing.Overseer(fake).look(known)  # type: ignore[arg-type]
    assert known.facts == Facts()
    fake.answers = True
    await overseeing.Overseer(fake).look(known)  # type: ignore[arg-type]
    assert known.facts == Facts(taken_up=True)


async def test_what_is_yet_to_be_made_is_not_taken_for_deleted() -> None:
    fake, known = FakeApi(), group_of_another()
    overseer = overseeing.Overseer(fake)  # type: ignore[arg-type]
    known.unmade = True
    await overseer.look(known)
    assert (fake.asked, known.facts) == (0, Facts())
    known.unmade = False
    await overseer.look(known)
    assert known.facts == Facts(gone=True)


@pytest.mark.parametrize(
    ("owners", "fake", "given_up"),
    [
        ([{"kind": "ReplicaSet", "name": "r"}], FakeApi(), True),
        ([{"kind": "ReplicaSet", "name": "r"}], FakeApi(ReplicaSet={"metadata": {"deletionTimestamp": "t"}}), True),
        ([{"kind": "ReplicaSet", "name": "r"}], FakeApi(ReplicaSet={"metadata": {}}), False),
        ([], FakeApi(), False),
    ],
)
async def test_a_pod_is_given_up_with_who_would_make_another(
    owners: list[dict[str, str]], fake: FakeApi, given_up: bool
) -> None:
    pod = {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": owners}}
    overseer = overseeing.Overseer(fake)  # type: ignore[arg-type]
    assert await overseer.is_given_up(pod) is given_up
    fake.answers = False
    assert await overseer.is_given_up(pod) is False
