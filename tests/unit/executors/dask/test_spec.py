"""What a registered Dask task asks for, number by number."""

from __future__ import annotations

import dask
import msgspec
import pytest
from flyteidl.core import tasks_pb2
from google.protobuf import struct_pb2

from dayfly.base import errors
from dayfly.executors.dask import spec
from dayfly.model import identifiers
from dayfly.ports import clusters, executors

GIB = 2**30


def attempt(custom: dict[str, object] | None, **fields: object) -> executors.AttemptSpec:
    template = tasks_pb2.TaskTemplate(type="dask")
    if custom is not None:
        template.custom.CopyFrom(struct_pb2.Struct())
        template.custom.update(custom)
    values: dict[str, object] = {
        "key": "p/d/e/n0/0",
        "generated_name": "e-n0-0",
        "task": identifiers.EntityId(1, "p", "d", "mod.train", "v1"),
        "task_type": "dask",
        "template": template.SerializeToString(),
        "argv": ("pyflyte-execute",),
        "env": {},
        "image": "base:1",
    }
    return executors.AttemptSpec(**(values | fields))  # type: ignore[arg-type]


def resources(**sides: dict[str, str]) -> dict[str, object]:
    return {side: [{"name": name, "value": value} for name, value in said.items()] for side, said in sides.items()}


def test_a_bare_config_takes_everything_from_the_task():
    custom = {"scheduler": {"resources": {}}, "workers": {"numberOfWorkers": 3, "resources": {}}}
    asked = attempt(custom, cpu_request=1.0, cpu_limit=2.5, memory_request_bytes=GIB, memory_limit_bytes=2 * GIB)
    built = spec.build(asked)
    own = clusters.RoleResources(1.0, 2.5, GIB, 2 * GIB)
    assert built.scheduler == clusters.SchedulerSpec("base:1", own)
    assert built.groups == (clusters.WorkerGroup("default", 3, "base:1", 3, 2 * GIB, own),)
    assert (built.key, built.name, built.quorum, built.driver) == (asked.key, "e-n0-0", 2, asked)


def test_a_roles_own_resources_replace_the_tasks_as_a_whole():
    custom = {
        "scheduler": {"image": "sched:1", "resources": resources(limits={"CPU": "500m"})},
        "workers": {"numberOfWorkers": 4, "image": "work:1", "resources": resources(requests={"MEMORY": "3Gi"})},
    }
    built = spec.build(attempt(custom, cpu_request=8, cpu_limit=8, memory_request_bytes=GIB, memory_limit_bytes=GIB))
    assert built.scheduler == clusters.SchedulerSpec("sched:1", clusters.RoleResources(0.5, 0.5))
    group = built.groups[0]
    assert (group.image, group.threads, group.memory_limit_bytes) == ("work:1", 0, 3 * GIB)
    assert group.resources == clusters.RoleResources(0, 0, 3 * GIB, 3 * GIB)


@pytest.mark.parametrize(("cpu", "threads"), [("100m", 1), ("1", 1), ("1500m", 2), ("4", 4)])
def test_threads_are_the_limit_rounded_up(cpu: str, threads: int):
    custom = {"workers": {"numberOfWorkers": 1, "resources": resources(limits={"CPU": cpu})}}
    assert spec.build(attempt(custom)).groups[0].threads == threads


@pytest.mark.parametrize(("workers", "quorum"), [(1, 1), (2, 1), (3, 2), (4, 2), (9, 5)])
def test_half_of_the_workers_make_a_quorum(workers: int, quorum: int):
    assert spec.build(attempt({"workers": {"numberOfWorkers": workers}})).quorum == quorum


def test_unknown_keys_and_interruptible_tasks():
    built = spec.build(attempt({"workers": {"numberOfWorkers": 2}, "later": {"x": 1}}, interruptible=True))
    assert built.groups[0].interruptible


def test_a_missing_number_is_one_worker():
    assert spec.build(attempt({"workers": {}})).groups[0].count == 1


@pytest.mark.parametrize(
    ("custom", "told"),
    [
        (None, "no `custom`"),
        ({"workers": {"numberOfWorkers": "many"}}, "no flyteidl.plugins.dask.DaskJob"),
        ({"workers": "four"}, "no flyteidl.plugins.dask.DaskJob"),
        ({"workers": {"numberOfWorkers": 1, "resources": resources(limits={"MEMORY": "3 gigs"})}}, "3 gigs"),
        ({"workers": {"numberOfWorkers": 1, "resources": resources(limits={"CPU": "-1"})}}, "below zero"),
        ({"workers": {"numberOfWorkers": 20000}}, "20000 workers"),
    ],
)
def test_malformed_configs_are_refused_with_the_tasks_name(custom: dict[str, object] | None, told: str):
    with pytest.raises(errors.InvalidArgument) as caught:
        spec.build(attempt(custom))
    assert told in str(caught.value)
    assert "mod.train" in str(caught.value)


def gpu_group(**more: object) -> dict[str, object]:
    return {"name": "gpu", "number_of_workers": 2, "resources": resources(limits={"CPU": "4", "GPU": "1"}), **more}


def wished(own: dict[str, object] | None = None, **dayfly: object) -> executors.AttemptSpec:
    return attempt({"workers": {"numberOfWorkers": 4} | (own or {}), "dayfly": dayfly}, cpu_limit=4.0)


def test_what_is_said_beyond_flytes_plugin():
    built = spec.build(
        wished(
            workers={"threads": 3, "environment": {"A": "b"}, "preload": ["mine"], "nanny": False},
            groups=[gpu_group(image="gpu:1")],
            min_workers=6,
            startup_timeout_seconds=90,
            idle_timeout_seconds=2.5,
            reuse={"idle_seconds": 60},
        )
    )
    default, gpu = built.groups
    assert (default.threads, default.env, default.preload, default.nanny) == (3, {"A": "b"}, ("mine",), False)
    assert (default.command, default.image) == ((), "base:1")
    assert (gpu.name, gpu.count, gpu.image, gpu.threads, gpu.resources.gpus) == ("gpu", 2, "gpu:1", 4, 1)
    assert gpu.command == ("dask", "cuda", "worker")
    assert (built.quorum, built.startup_timeout_seconds, built.idle_timeout_seconds) == (6, 90.0, 2.5)
    assert (built.reuse_seconds, built.worker_count) == (60.0, 6)


def test_processes_share_what_their_worker_has():
    own = {"resources": resources(limits={"CPU": "5", "MEMORY": "4Gi"})}
    built = spec.build(wished(own, workers={"processes": 2}))
    group = built.groups[0]
    assert (group.count, group.processes, group.threads, group.memory_limit_bytes) == (4, 2, 2, 2 * GIB)
    assert (group.resources.cpu_limit, built.worker_count, built.quorum) == (5.0, 8, 4)


@pytest.mark.parametrize(("number", "begun"), [(1, 2), (4, 4), (30, 9)])
def test_an_adaptive_group_begins_within_its_bounds(number: int, begun: int):
    built = spec.build(wished({"numberOfWorkers": number}, workers={"adapt": {"minimum": 2, "maximum": 9}}))
    group = built.groups[0]
    assert (group.count, group.minimum, group.maximum) == (begun, 2, 9)


def test_a_groups_own_command_counts_more_than_its_gpus():
    built = spec.build(wished(groups=[gpu_group(command="python -m 'my worker'")]))
    assert built.groups[1].command == ("python", "-m", "my worker")


def test_dasks_configuration_reaches_dask_as_it_was_said():
    config = {"distributed": {"scheduler": {"work-stealing": False}}, "dataframe.backend": "1", "array.slicing": {}}
    built = spec.build(wished(config=config))
    read = dask.config.collect_env(built.driver.env)
    assert dask.config.get("distributed.scheduler.work-stealing", config=read) is False
    assert dask.config.get("dataframe.backend", config=read) == "1"
    assert dask.config.get("array.slicing", config=read) == {}


def test_a_variable_of_the_tasks_own_has_the_last_word():
    asked = msgspec.structs.replace(wished(config={"a.b": 1}), env={"DASK_A__B": "2"})
    assert spec.build(asked).driver.env == {"DASK_A__B": "2"}


@pytest.mark.parametrize(
    ("dayfly", "told"),
    [
        ({"mood": 1}, "unknown field `mood`"),
        ({"workers": {"threads": 1.5}}, "workers.threads: Expected `int"),
        ({"groups": [gpu_group(nanny="no")]}, "groups[0].nanny: Expected"),
        ({"groups": [gpu_group(resources=resources(limits={"WINGS": "2"}))]}, "the resources of group gpu"),
        ({"groups": [gpu_group(resources=resources(limits={"CPU": "two"}))]}, "the resources of workers gpu: 'two'"),
        ({"groups": [gpu_group(number_of_workers=9998)]}, "10002 workers are more than"),
        ({"min_workers": 5}, "min_workers: 5 are never there where 4 are begun with"),
        ("all", "Expected `object`, got `str`"),
    ],
)
def test_wishes_that_make_no_sense_are_refused_with_field_and_task(dayfly: object, told: str):
    with pytest.raises(errors.InvalidArgument) as caught:
        spec.build(attempt({"workers": {"numberOfWorkers": 4}, "dayfly": dayfly}))
    assert told in str(caught.value)
    assert "mod.train" in str(caught.value)
