"""What each role of a cluster of pods runs."""

from __future__ import annotations

import msgspec
import pytest
from flyteidl.core import tasks_pb2
from tests.contract import cluster_hosts

from dayfly.executors.dask.pods import beginning, roles
from dayfly.executors.dask.relay import carrying
from dayfly.executors.dask.roles import carried
from dayfly.ports.clusters import ClusterSpec, RoleResources, SchedulerSpec, WorkerGroup

FAST = (
    *("pyflyte-fast-execute", "--additional-distribution", "s3://b/code.tar.gz", "--dest-dir", ".", "--"),
    *("pyflyte-execute", "--inputs", "i"),
)


def cluster(*argv: str, **fields: object) -> ClusterSpec:
    made = cluster_hosts.cluster("p/d/e/n0/0")
    driver = msgspec.structs.replace(made.driver, argv=argv or ("pyflyte-execute", "--inputs", "i"), image="app:1")
    return msgspec.structs.replace(made, driver=driver, **fields)


def test_the_driver_waits_for_the_quorum_before_it_becomes_the_task() -> None:
    made = roles.driver(cluster(*FAST), "tcp://s:8786")
    assert made.argv == ("python", "-c", beginning.DRIVER, "2", "s3://b/code.tar.gz", ".", *FAST[6:])
    assert made.env["DASK_SCHEDULER_ADDRESS"] == "tcp://s:8786"


def test_a_command_that_is_none_of_flytekits_does_not_wait() -> None:
    assert roles.driver(cluster("sh", "-c", "true"), "tcp://s:8786").argv == ("sh", "-c", "true")


def test_the_users_own_address_stays() -> None:
    spec = cluster()
    driver = msgspec.structs.replace(spec.driver, env={"DASK_SCHEDULER_ADDRESS": "tcp://mine:1"}, interruptible=True)
    made = roles.driver(msgspec.structs.replace(spec, driver=driver), "tcp://s:8786")
    assert made.env == carrying.driver_environment({"DASK_SCHEDULER_ADDRESS": "tcp://mine:1"})
    assert not made.interruptible, "with the driver goes all that was computed"


def test_the_scheduler() -> None:
    own = SchedulerSpec("scheduler:2", RoleResources(1.0, 2.0, 3, 4))
    made = roles.scheduler(cluster(scheduler=own, idle_timeout_seconds=90.0))
    words = ("dask", "scheduler", "--port", "8786", "--dashboard-address", ":8787", "--idle-timeout", "90s")
    words = (*words, *carrying.SCHEDULER_WORDS)
    assert (made.argv, made.image, made.interruptible) == (words, "scheduler:2", False)
    assert (made.cpu_request, made.cpu_limit, made.memory_request_bytes, made.memory_limit_bytes) == (1.0, 2.0, 3, 4)


@pytest.mark.parametrize(("asked", "seconds"), [("", 10.0), ("0", 5.0), ("20", 25.0), ("900", 65.0), ("soon", 10.0)])
def test_what_a_scheduler_may_take_to_end(asked: str, seconds: float) -> None:
    spec = cluster()
    driver = msgspec.structs.replace(spec.driver, env={"DAYFLY_REPORT_SECONDS": asked})
    assert roles.last_seconds(msgspec.structs.replace(spec, driver=driver)) == seconds


def test_workers_of_all_groups() -> None:
    plain = WorkerGroup("default", 2, threads=2, memory_limit_bytes=100, interruptible=True)
    special = WorkerGroup(
        "gpu",
        1,
        image="gpu:1",
        processes=2,
        nanny=False,
        preload=("a", "b"),
        env={"A": "1"},
        command=("dask", "cuda", "worker"),
        resources=RoleResources(gpus=1),
    )
    made = dict(roles.workers(cluster(groups=(plain, special)), "tcp://s:8786"))
    assert list(made) == ["worker-0", "worker-1", "worker-gpu-0"]
    first = made["worker-0"]
    assert first.argv == (
        *("dask", "worker", "tcp://s:8786", "--name", "worker-0", "--preload-nanny", carried.TEXT),
        *("--death-timeout", "60"),
        *("--nthreads", "2", "--memory-limit", "100"),
    )
    assert (first.image, first.interruptible) == ("app:1", True)
    gpu = made["worker-gpu-0"]
    assert gpu.argv[:3] == ("dask", "cuda", "worker")
    assert gpu.argv[-7:] == ("--nworkers", "2", "--no-nanny", "--preload", "a", "--preload", "b")
    assert (gpu.image, gpu.env) == ("gpu:1", {"A": "1"})
    limits = tasks_pb2.TaskTemplate.FromString(gpu.template).container.resources.limits
    assert [(one.name, one.value) for one in limits] == [(tasks_pb2.Resources.GPU, "1")]


def test_fast_registered_code_is_on_all_roles() -> None:
    spec = cluster(*FAST)
    for made in (roles.scheduler(spec), *dict(roles.workers(spec, "tcp://s:8786")).values()):
        assert made.argv[:5] == ("python", "-c", beginning.ROLE, "s3://b/code.tar.gz", ".")
        assert made.argv[5] == "dask"
