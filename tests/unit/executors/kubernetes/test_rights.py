"""What a platform's account may not do of what a group needs."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.executors.kubernetes import rights
from dayfly.executors.kubernetes.api import KINDS, Api
from dayfly.ports.pod_groups import Maker, PodGroupSpec
from tests.unit.executors.kubernetes.making import KEY

KINDS_MADE = ("DaskJob", "DaskAutoscaler", "DaskCluster", "Deployment", "Service", "Pod")

MAKER = Maker("the operator", "main", "", "", KINDS_MADE, 1, "", "")


def manifest(kind: str) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "x", "labels": {"dayfly.dev/role": "driver"}}}


BY_JOB = PodGroupSpec(KEY, "ns", (manifest("DaskJob"),), "driver", maker=MAKER, followers=(manifest("DaskAutoscaler"),))


class Cluster:
    """Says what its account may do: all but `denied`."""

    def __init__(self, *denied: tuple[str, str]) -> None:
        self.denied, self.asked = set(denied), list[tuple[str, str]]()

    async def may(self, verb: str, kind: str, namespace: str) -> bool:
        assert namespace == "ns"
        self.asked.append((verb, kind))
        return (verb, kind) not in self.denied

    def plural(self, kind: str) -> str:
        return KINDS[kind].plural

    def is_custom(self, kind: str) -> bool:
        return Api().is_custom(kind)


async def test_all_that_is_done_with_its_objects_is_asked_for_and_not_at_once_again() -> None:
    cluster = Cluster()
    told = rights.Rights(cluster)  # type: ignore[arg-type]
    for _ in range(2):
        assert await told.lacking(BY_JOB) == []
    assert cluster.asked == [
        *((verb, "DaskJob") for verb in ("create", "get", "list", "patch", "delete")),
        *((verb, "DaskAutoscaler") for verb in ("create", "list", "patch", "delete")),
        *((verb, "DaskCluster") for verb in ("list", "patch", "delete")),
        *((verb, "Deployment") for verb in ("list", "delete")),
    ]


@pytest.mark.parametrize(
    ("denied", "told"),
    [
        ([("create", "DaskJob")], ["create daskjobs"]),
        (
            [("list", "DaskJob"), ("create", "DaskJob"), ("delete", "Deployment")],
            ["create and list daskjobs", "delete deployments"],
        ),
        ([("list", "Pod"), ("create", "DaskCluster")], []),
    ],
)
async def test_what_it_may_not_do_is_named(denied: list[tuple[str, str]], told: list[str]) -> None:
    assert await rights.Rights(Cluster(*denied)).lacking(BY_JOB) == told  # type: ignore[arg-type]


async def test_a_group_of_pods_and_services_needs_nothing_more() -> None:
    cluster = Cluster()
    plain = PodGroupSpec(KEY, "ns", (manifest("Pod"), manifest("Service")), "driver")
    assert await rights.Rights(cluster).lacking(plain) == []  # type: ignore[arg-type]
    assert cluster.asked == []
