"""Of which objects a cluster of plain pods is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from tests.contract import cluster_hosts

from dayfly.executors.dask.pods import plain
from dayfly.executors.dask.relay import carrying
from dayfly.ports.clusters import WorkerGroup
from dayfly.ports.executors import AttemptSpec


class Groups:
    """Names pods and builds manifests that hold nothing but what a test looks at."""

    def pod_name(self, spec: AttemptSpec, role: str) -> str:
        return f"x-{role}"

    async def manifests(self, by_role: Mapping[str, AttemptSpec]) -> dict[str, dict[str, Any]]:
        return {
            role: {
                "kind": "Pod",
                "metadata": {
                    "name": f"x-{role}",
                    "namespace": "n",
                    "labels": {f"dayfly.dev/{name}": role for name in ("platform", "group", "role")},
                    "annotations": {"primary_container_name": "main"},
                },
                "spec": {"containers": [{"name": "main"}], "env": spec.env},
            }
            for role, spec in by_role.items()
        }


async def lay_out(*groups: WorkerGroup, **fields: Any) -> plain.provider.Layout:
    spec = msgspec.structs.replace(cluster_hosts.cluster("p/d/e/n0/0"), groups=groups, **fields)
    return await plain.PlainPods(Groups()).lay_out(spec)  # type: ignore[arg-type]


async def test_workers_that_follow_the_work_begin_with_what_was_asked_for() -> None:
    scaled = WorkerGroup("default", 1, minimum=0, maximum=3)
    layout = await lay_out(scaled, WorkerGroup("gpu", 1))
    assert layout.limits.roles == ("driver", "scheduler", "worker-0", "worker-gpu-0")
    assert layout.limits.scaled == ("worker-0", "worker-1", "worker-2")
    assert layout.group.later == {"worker-1", "worker-2"}
    assert layout.group.remade == {"worker-0", "worker-1", "worker-2", "worker-gpu-0"}
    scheduler = next(one for one in layout.group.objects if one["metadata"]["name"] == "x-scheduler")
    told = json.loads(scheduler["spec"]["env"][carrying.ARGUMENTS_VARIABLE])
    assert told["scaled"] == [
        {"name": "worker", "roles": ["worker-0", "worker-1", "worker-2"], "begun": 1, "minimum": 0, "processes": 1}
    ]
    assert told["wanted"] == 2


async def test_workers_of_several_processes_that_follow_the_work_are_pods_too() -> None:
    layout = await lay_out(WorkerGroup("default", 1, processes=2, minimum=1, maximum=3), WorkerGroup("gpu", 1))
    assert layout.group.later == {"worker-1", "worker-2"}
    assert layout.limits.scaled == ("worker-0", "worker-1", "worker-2")
    assert layout.limits.told == "The cluster is made of plain pods."
    assert [layout.limits.processes_of(role) for role in ("worker-0", "worker-2", "worker-gpu-0")] == [2, 2, 1]
    scheduler = next(one for one in layout.group.objects if one["metadata"]["name"] == "x-scheduler")
    told = json.loads(scheduler["spec"]["env"][carrying.ARGUMENTS_VARIABLE])
    assert (told["wanted"], told["scaled"][0]["begun"], told["scaled"][0]["processes"]) == (3, 1, 2)


async def test_what_is_not_heeded_is_said() -> None:
    plainly = await lay_out(WorkerGroup("default", 2))
    assert plainly.limits.told == "The cluster is made of plain pods."
    assert (plainly.limits.scaled, plainly.group.later) == ((), frozenset())
    layout = await lay_out(WorkerGroup("default", 1), reuse_seconds=60.0)
    assert "No cluster stands by" in layout.limits.told
