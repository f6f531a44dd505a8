"""Groups whose number of pods follows what is wanted: what is there that is not to be, and the other way round."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import known, scaling
from dayfly.executors.kubernetes.settings import Patience
from dayfly.ports.pod_groups import PodGroupSpec, PodPhase
from tests.unit.executors.kubernetes.making import KEY, RUNNING, pod

WORKERS = ("worker-0", "worker-1", "worker-2")


def manifest(role: str) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": f"x-{role}", "labels": {"dayfly.dev/role": role}}}


def told(role: str, **metadata: Any) -> dict[str, Any]:
    made = pod("Running", RUNNING)
    made["metadata"] |= {"name": f"x-{role}", "uid": f"u-{role}", "labels": {"dayfly.dev/role": role}, **metadata}
    return made


def group(*there: str) -> known.Known:
    objects = tuple(manifest(role) for role in ("driver", *WORKERS))
    one = known.Known(KEY, known.handle_of(PodGroupSpec(KEY, "ns", objects, "driver", frozenset(WORKERS))))
    for role in ("driver", *there):
        one.tell(told(role))
    return one


def seen(one: known.Known) -> dict[str, PodPhase]:
    return {each.role: each.phase for each in one.report(Micros(7), 0.0, Patience()).pods}


@pytest.mark.parametrize(
    ("there", "wanted", "amiss"),
    [
        (("worker-0",), None, []),
        (("worker-0",), {"worker-0"}, []),
        (("worker-0",), {"worker-0", "worker-2"}, ["x-worker-2"]),
        (("worker-0", "worker-1"), {"worker-1", "worker-2"}, ["x-worker-0", "x-worker-2"]),
        (WORKERS, set(), ["x-worker-0", "x-worker-1", "x-worker-2"]),
        ((), {"driver", "no-such-role"}, []),
    ],
)
def test_what_is_amiss(there: tuple[str, ...], wanted: set[str] | None, amiss: list[str]) -> None:
    one = group(*there)
    one.wanted = frozenset(wanted) if wanted is not None else None
    assert list(one.amiss()) == amiss


def test_what_is_not_wanted_any_more_is_no_loss() -> None:
    one = group("worker-0", "worker-1")
    one.wanted = frozenset({"worker-0"})
    assert seen(one) == {"driver": PodPhase.RUNNING, "worker-0": PodPhase.RUNNING}
    one.tell_gone("x-worker-1", Patience())
    report = one.report(Micros(7), 0.0, Patience())
    assert [each.role for each in report.pods] == ["driver", "worker-0"]
    assert list(one.lost(report)) == []
    one.tell_gone("x-worker-0", Patience())
    report = one.report(Micros(7), 0.0, Patience())
    assert [each.role for each in one.lost(report)] == ["worker-0"], "but this one is"


def test_one_that_is_going_is_made_again_when_it_is_wanted_again() -> None:
    one = group()
    one.tell(told("worker-0", deletionTimestamp="2026-01-01T00:00:00Z"))
    one.wanted = frozenset({"worker-0"})
    assert list(one.amiss()) == ["x-worker-0"]


class Cluster:
    """Makes and deletes pods of one group, as soon as it is asked to; refuses the first calls."""

    def __init__(self, one: known.Known, refusals: int = 0) -> None:
        self.one, self.refusals = one, refusals
        self.owners: set[str] = set()

    async def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
        self._refuse()
        role = manifest["metadata"]["labels"]["dayfly.dev/role"]
        self.owners.update(owner["name"] for owner in manifest["metadata"]["ownerReferences"])
        self.one.tell(told(role))
        return manifest

    async def delete(self, kind: str, namespace: str, name: str, *, grace_seconds: float, uid: str = "") -> None:
        self._refuse()
        self.one.tell_gone(name, Patience())

    def _refuse(self) -> None:
        self.refusals -= 1
        if self.refusals >= 0:
            raise errors.ExecutorUnavailable("not now")


async def test_all_is_brought_to_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "PAUSE_SECONDS", 0.0)
    one = group("worker-0", "worker-1")
    one.wanted = frozenset({"worker-1", "worker-2"})
    cluster = Cluster(one, refusals=3)
    await asyncio.wait_for(scaling.Scaler(cluster).bring(one), 10)  # type: ignore[arg-type]
    assert set(seen(one)) == {"driver", "worker-1", "worker-2"}
    assert cluster.owners == {"x-driver"}


async def test_a_lost_pod_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "PAUSE_SECONDS", 0.0)
    one = group("worker-0", "worker-1")
    one.tell_gone("x-worker-1", Patience())
    (lost,) = one.lost(one.report(Micros(7), 0.0, Patience()))
    cluster = Cluster(one, refusals=3)
    await asyncio.wait_for(scaling.Scaler(cluster).make_anew(one, lost), 10)  # type: ignore[arg-type]
    assert seen(one)["worker-1"] is PodPhase.RUNNING
    assert cluster.owners == {"x-driver"}


async def test_without_its_main_pod_none_is_made_anew() -> None:
    one = group("worker-0", "worker-1")
    one.tell_gone("x-worker-1", Patience())
    (lost,) = one.lost(one.report(Micros(7), 0.0, Patience()))
    one.tell_gone("x-driver", Patience())
    cluster = Cluster(one)
    await asyncio.wait_for(scaling.Scaler(cluster).make_anew(one, lost), 10)  # type: ignore[arg-type]
    assert cluster.owners == set()


async def test_a_group_that_ends_is_let_be() -> None:
    one = group()
    one.wanted = frozenset(WORKERS)
    one.ended = True
    cluster = Cluster(one)
    await asyncio.wait_for(scaling.Scaler(cluster).bring(one), 10)  # type: ignore[arg-type]
    assert set(seen(one)) == {"driver"}
