"""Whatever belongs to a group is deleted, whoever made it and whether or not they let go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dayfly.base import clock, errors
from dayfly.executors.kubernetes import names, removing
from dayfly.executors.kubernetes.known import Handle
from dayfly.model.identifiers import AttemptKey
from tests.unit.executors.kubernetes.making import KEY
from tests.unit.executors.kubernetes.test_known import MAKER

HANDLE = Handle("ns", "x-runner", (("Job", "x"),), maker=MAKER)


class FakeApi:
    """Objects by kind and name; of kind `Job` those are held back that somebody has put a finalizer on."""

    def __init__(self, *objects: tuple[str, str]) -> None:
        self.objects = {(kind, name): {"name": name, "namespace": "ns", "uid": f"u-{name}"} for kind, name in objects}
        self.deleted: list[tuple[str, str, float | None]] = []
        self.comes_late: list[tuple[str, str]] = []
        self.unknown: set[str] = set()

    async def list(self, kind: str, namespace: str, selector: str) -> tuple[list[dict[str, Any]], str]:
        assert (namespace, selector) == ("ns", names.selector("dayfly", KEY))
        if kind in self.unknown:
            raise errors.NotFound(kind)
        return [{"metadata": dict(told)} for (one, _), told in self.objects.items() if one == kind], "1"

    async def delete(self, kind: str, namespace: str, name: str, *, grace_seconds: float | None, uid: str) -> None:
        assert uid == f"u-{name}"
        self.deleted.append((kind, name, grace_seconds))
        told = self.objects[kind, name]
        if told.get("finalizers"):
            told["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        else:
            del self.objects[kind, name]
        for late in self.comes_late:
            self.objects[late] = {"name": late[1], "namespace": "ns", "uid": f"u-{late[1]}"}
        self.comes_late = []

    def is_custom(self, kind: str) -> bool:
        return kind == "Job"

    async def take_finalizers(self, kind: str, namespace: str, name: str) -> None:
        del self.objects[kind, name]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGAIN_SECONDS", "HELD_SECONDS", "SLOWEST_LOOK_SECONDS"):
        monkeypatch.setattr(removing, name, 0.0)


async def test_all_of_it_goes_owners_first_and_pods_with_their_grace() -> None:
    api = FakeApi(("Pod", "x-runner"), ("Deployment", "x-worker"), ("Job", "x"), ("Pod", "x-worker-1"))
    remover = removing.Remover(api, "dayfly")  # type: ignore[arg-type]
    assert len(await remover.find_left(KEY, HANDLE)) == 4
    await remover.delete(KEY, HANDLE, 7.0)
    assert api.deleted == [
        ("Job", "x", None),
        ("Deployment", "x-worker", None),
        ("Pod", "x-runner", 7.0),
        ("Pod", "x-worker-1", 7.0),
    ]
    assert await remover.find_left(KEY, HANDLE) == []


async def test_who_makes_pods_anew_goes_alone() -> None:
    api = FakeApi(("Pod", "x-runner"), ("Deployment", "x-worker"), ("Job", "x"), ("ReplicaSet", "x-worker-1"))
    await removing.Remover(api, "dayfly").delete_keepers(KEY, HANDLE)  # type: ignore[arg-type]
    assert ("Deployment", "x-worker", None) in api.deleted
    assert {("Pod", "x-runner"), ("Job", "x")} <= set(api.objects)


async def test_what_is_made_meanwhile_goes_too() -> None:
    api = FakeApi(("Job", "x"))
    api.comes_late = [("Pod", "x-runner")]
    await removing.Remover(api, "dayfly").clear(KEY, HANDLE, 0.0)  # type: ignore[arg-type]
    assert api.objects == {}


async def test_what_nobody_lets_go_is_let_go() -> None:
    api = FakeApi(("Job", "x"))
    api.objects["Job", "x"]["finalizers"] = ["kopf.zalando.org/KopfFinalizerMarker"]  # type: ignore[assignment]
    await removing.Remover(api, "dayfly").clear(KEY, HANDLE, 0.0)  # type: ignore[arg-type]
    assert api.objects == {}


async def test_a_kind_that_is_not_known_any_more_has_left_nothing() -> None:
    api = FakeApi(("Pod", "x-runner"))
    api.unknown = {"Job"}
    await removing.Remover(api, "dayfly").clear(KEY, HANDLE, 0.0)  # type: ignore[arg-type]
    assert api.objects == {}


async def test_of_pods_from_before_a_moment_the_attempts_are_told() -> None:
    other = AttemptKey("flytesnacks/development/x2/n0/0")

    def made(key: str, group: str, created: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
        labels, annotations = {"dayfly.dev/group": group}, {names.ATTEMPT: key}
        return {"metadata": {"labels": labels, "annotations": annotations, "creationTimestamp": created}}

    class Pods:
        async def list(self, kind: str, namespace: str, selector: str) -> tuple[list[dict[str, Any]], str]:
            assert (kind, namespace, selector) == ("Pod", "", names.selector("dayfly"))
            late = made(other, names.group(other), "2026-01-01T00:00:01Z")
            unnamed = {"metadata": {**made("", "")["metadata"], "annotations": None}}
            return [*2 * [made(KEY, names.group(KEY))], late, made(other, "another"), unnamed], "1"

    before = clock.from_datetime(datetime.fromisoformat("2026-01-01T00:00:01+00:00"))
    assert await removing.Remover(Pods(), "dayfly").list_kept("", before) == [KEY]  # type: ignore[arg-type]
