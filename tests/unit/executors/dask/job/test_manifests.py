"""What a DaskJob says, and what it is called."""

from __future__ import annotations

import re

import msgspec
import pytest
from flyteidl.core import tasks_pb2
from google.protobuf import json_format
from tests.contract import cluster_hosts
from tests.unit.executors.dask.job.groups import FakeGroups

from dayfly.executors.dask.job import manifests, shape
from dayfly.executors.dask.pods import provider, roles
from dayfly.ports.clusters import ClusterSpec, WorkerGroup

PLAIN = WorkerGroup("default", 3, threads=2, memory_limit_bytes=100, interruptible=True)

LARGE = WorkerGroup("large", 2, processes=2, env={"A": "1", "DASK_WORKER_NAME": "mine"})

SCALED = WorkerGroup("default", 2, minimum=1, maximum=8)


def cluster(*groups: WorkerGroup) -> ClusterSpec:
    made = cluster_hosts.cluster("p/d/e/n0/0")
    driver = msgspec.structs.replace(made.driver, argv=("pyflyte-execute", "--inputs", "i"), image="app:1")
    return msgspec.structs.replace(made, driver=driver, groups=groups or (PLAIN,))


async def layout(*groups: WorkerGroup) -> provider.Layout:
    return await shape.DaskJobs(FakeGroups()).lay_out(cluster(*groups))


async def test_one_dask_job_has_all_roles() -> None:
    (job,) = (await layout()).group.objects
    assert (job["apiVersion"], job["kind"], job["metadata"]["name"]) == (
        "kubernetes.dask.org/v1",
        "DaskJob",
        "p-d-e-n0-0",
    )
    assert "dayfly.dev/role" not in job["metadata"]["labels"], "it would be every pod's"
    runner = job["spec"]["job"]
    assert runner["spec"]["restartPolicy"] == "Never"
    assert runner["metadata"]["labels"]["dayfly.dev/role"] == "driver"
    told = job["spec"]["cluster"]["spec"]
    assert told["scheduler"]["metadata"]["labels"]["dayfly.dev/role"] == "scheduler"
    assert told["worker"]["replicas"] == 3
    assert told["worker"]["metadata"]["labels"]["dayfly.dev/role"] == "worker"
    assert told["worker"]["metadata"]["annotations"]["dayfly.dev/told-apart-by"] == "DASK_WORKER_NAME"
    assert {told[role]["spec"]["restartPolicy"] for role in ("scheduler", "worker")} == {"Always"}


async def test_roles_say_what_they_do_not_have_from_the_whole() -> None:
    (job,) = (await layout()).group.objects
    assert job["metadata"]["labels"] | {"workflow-name": ""} == job["metadata"]["labels"]
    assert job["metadata"]["annotations"]["dayfly.dev/attempt"] == "p/d/e/n0/0"
    assert job["spec"]["job"]["metadata"] == {"labels": {"dayfly.dev/role": "driver"}, "annotations": {}}
    assert job["spec"]["cluster"]["spec"]["worker"]["metadata"] == {
        "labels": {"dayfly.dev/role": "worker", "interruptible": "true"},
        "annotations": {"dayfly.dev/told-apart-by": "DASK_WORKER_NAME"},
    }


async def test_roles_find_the_scheduler_by_its_service() -> None:
    told = (await layout()).group.objects[0]["spec"]
    (worker,) = told["cluster"]["spec"]["worker"]["spec"]["containers"]
    assert worker["args"][:5] == ["dask", "worker", "tcp://p-d-e-n0-0-scheduler:8786", "--name", "$(DASK_WORKER_NAME)"]
    (driver,) = told["job"]["spec"]["containers"]
    assert {"name": "DASK_SCHEDULER_ADDRESS", "value": "tcp://p-d-e-n0-0-scheduler:8786"} in driver["env"]
    scheduler = told["cluster"]["spec"]["scheduler"]
    assert scheduler["service"]["type"] == "ClusterIP"
    assert scheduler["service"]["selector"] == {
        "dask.org/cluster-name": "p-d-e-n0-0",
        "dask.org/component": "scheduler",
    }
    ports = {port["name"]: port["targetPort"] for port in scheduler["service"]["ports"]}
    assert ports == {"tcp-comm": "tcp-comm", "http-dashboard": "http-dashboard"}
    assert scheduler["spec"]["terminationGracePeriodSeconds"] == 30
    (container,) = scheduler["spec"]["containers"]
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {
        "tcp-comm": 8786,
        "http-dashboard": 8787,
    }
    (routes,) = [pair["value"] for pair in container["env"] if pair["name"] == roles.ROUTES_VARIABLE]
    assert "distributed.http.scheduler.api" in routes
    (worker,) = (await layout(PLAIN)).group.objects[0]["spec"]["cluster"]["spec"]["worker"]["spec"]["containers"]
    assert worker["lifecycle"]["preStop"]["exec"]["command"][3] == "http://p-d-e-n0-0-scheduler:8787"


async def test_pods_are_told_as_the_operators_definitions_take_them() -> None:
    spec = cluster()
    pod = tasks_pb2.K8sPod(primary_container_name="main")
    side = {"name": "side", "resources": {"limits": {"cpu": 2, "memory": "1Gi"}}, "env": [{"name": "B", "value": "1"}]}
    volume = {"name": "v", "emptyDir": {"sizeLimit": 1024}}
    json_format.ParseDict({"containers": [{"name": "main"}, side], "volumes": [volume]}, pod.pod_spec)
    driver = msgspec.structs.replace(spec.driver, env={"A": ""}, pods=(pod.SerializeToString(),))
    made = await shape.DaskJobs(FakeGroups()).lay_out(msgspec.structs.replace(spec, driver=driver))
    told = made.group.objects[0]["spec"]
    for role in (told["job"], told["cluster"]["spec"]["scheduler"], told["cluster"]["spec"]["worker"]):
        main, other = role["spec"]["containers"]
        assert {"name": "A"} in main["env"]
        assert other["resources"]["limits"] == {"cpu": "2", "memory": "1Gi"}
        assert other["env"] == [{"name": "B", "value": "1"}]
        assert role["spec"]["volumes"] == [{"name": "v", "emptyDir": {"sizeLimit": "1024"}}]


async def test_other_groups_follow_with_their_own_size_and_environment() -> None:
    made = (await layout(PLAIN, LARGE)).group
    (group,) = made.followers
    assert (group["kind"], group["metadata"]["name"]) == ("DaskWorkerGroup", "p-d-e-n0-0-large")
    assert (group["spec"]["cluster"], group["spec"]["worker"]["replicas"]) == ("p-d-e-n0-0", 2)
    (worker,) = group["spec"]["worker"]["spec"]["containers"]
    assert worker["args"][-2:] == ["--nworkers", "2"]
    assert [pair["value"] for pair in worker["env"] if pair["name"] == "A"] == ["1"]
    assert not any(pair["name"] == "DASK_WORKER_NAME" for pair in worker["env"]), "all would have one name"
    assert group["spec"]["worker"]["metadata"]["labels"]["dayfly.dev/role"] == "worker-large"
    assert made.maker is not None
    assert (made.maker.main, made.maker.pods) == ("p-d-e-n0-0-runner", 7)


@pytest.mark.parametrize(
    ("groups", "scaled", "told"),
    [
        ((PLAIN,), False, ""),
        ((SCALED,), True, ""),
        ((msgspec.structs.replace(SCALED, processes=2),), False, "workers of several processes"),
        ((SCALED, LARGE), False, "one of several groups"),
    ],
)
async def test_a_number_of_workers_that_follows_the_work(
    groups: tuple[WorkerGroup, ...], scaled: bool, told: str
) -> None:
    made = await layout(*groups)
    scalers = [one["spec"] for one in made.group.followers if one["kind"] == "DaskAutoscaler"]
    assert scalers == ([{"cluster": "p-d-e-n0-0", "minimum": 1, "maximum": 8}] if scaled else [])
    assert told in made.limits.told
    assert "by DaskJob p-d-e-n0-0." in made.limits.told
    assert bool(told) == ("stays as it is" in made.limits.told)


@pytest.mark.parametrize(
    ("generated", "group", "name"),
    [
        ("x1-n0-0", "default", "x1-n0-0"),
        ("a" * 53, "default", "a" * 53),
        ("a" * 54, "default", "a" * 46 + "-[0-9a-f]{6}"),
        ("a" * 45 + "-" * 12, "default", "a" * 45 + "-[0-9a-f]{6}"),
        ("a" * 50, "a-group-of-22-letters!", "a" * 33 + "-[0-9a-f]{6}"),
    ],
)
def test_what_it_is_called(generated: str, group: str, name: str) -> None:
    made = manifests.name_of(generated, cluster(PLAIN, msgspec.structs.replace(LARGE, name=group)))
    assert len(f"{made}-scheduler") <= 63
    assert len(f"{made}-{group}") <= 63
    assert re.fullmatch(name, made), made


def test_names_that_are_cut_stay_apart() -> None:
    assert len({manifests.name_of("a" * 60 + end, cluster()) for end in "bcd"}) == 3


def test_a_groups_name_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(manifests.Unfit, match="too long for a DaskJob"):
        manifests.name_of("x1-n0-0" * 6, cluster(PLAIN, msgspec.structs.replace(LARGE, name="g" * 60)))


async def test_what_is_not_heeded_is_said() -> None:
    spec = msgspec.structs.replace(cluster(), idle_timeout_seconds=9.0, reuse_seconds=9.0)
    made = await shape.DaskJobs(FakeGroups()).lay_out(spec)
    assert "does not end when it is idle" in made.limits.told
    assert "No cluster stands by" in made.limits.told
    (scheduler,) = made.group.objects[0]["spec"]["cluster"]["spec"]["scheduler"]["spec"]["containers"]
    assert "--idle-timeout" not in scheduler["args"]
