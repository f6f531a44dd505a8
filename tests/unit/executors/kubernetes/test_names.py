"""What the pods of a group are to it."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.executors.kubernetes import names


def pod(role: str, apart_by: str = "", **env: str) -> dict[str, Any]:
    pairs = [{"name": name, "value": value} for name, value in env.items()]
    return {
        "metadata": {
            "labels": {"dayfly.dev/role": role},
            "annotations": {"dayfly.dev/told-apart-by": apart_by} if apart_by else {},
        },
        "spec": {"containers": [{"name": "side"}, {"name": "main", "env": pairs}]},
    }


@pytest.mark.parametrize(
    ("told", "role"),
    [
        (pod("worker-0"), "worker-0"),
        (pod("worker-0", WHO="x-1"), "worker-0"),
        (pod("worker", "WHO", WHO="x1-n0-0-default-worker-3fa9c01b2d"), "worker-3fa9c01b2d"),
        (pod("worker-large", "WHO", WHO="x-y-1"), "worker-large-1"),
        (pod("worker", "WHO", OTHER="x-1"), "worker"),
        (pod("worker", "WHO", WHO="x-../../etc"), "worker-etc"),
        ({"metadata": {}}, ""),
    ],
)
def test_what_it_is(told: dict[str, Any], role: str) -> None:
    assert names.role_of(told) == role
