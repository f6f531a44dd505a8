"""How a class that others wrote is asked for a cluster."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import pytest
from tests.contract import cluster_hosts

from dayfly.base import errors
from dayfly.executors.dask.any_cluster import groups
from dayfly.executors.dask.roles import holder, holder_deaths
from dayfly.model.identifiers import AttemptKey
from dayfly.ports import clusters, process_groups

KEY = AttemptKey("p/d/e/n0/0")
CLASS = groups.ClusterClass("some.module:Cluster", {"n": "{workers}", "label": "of-{name}", "image": "{image}"})


def build(asked: clusters.ClusterSpec) -> process_groups.GroupSpec:
    return CLASS.build(
        asked,
        python="/env/bin/python",
        distribution="",
        working_dir="/work",
        log_dir="/logs",
        cpu_request=9.0,
        memory_request_bytes=9,
    )


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ({"n": "{workers}"}, {"n": 4}),
        ({"memory": "{memory_bytes} B"}, {"memory": "1024 B"}),
        ({"left": "{image}", "out": ["{image}", 1]}, {"out": [1]}),
        ({"deep": {"env": "{environment}"}, "own": None, "flag": True}, {"deep": {"env": {"A": "b"}}, "flag": True}),
        ({"text": "no place"}, {"text": "no place"}),
    ],
)
def test_places_in_arguments_are_filled(written: dict[str, Any], filled: dict[str, Any]):
    assert groups.fill(written, {"workers": 4, "memory_bytes": 1024, "environment": {"A": "b"}}) == filled


def test_what_was_not_said_has_no_place():
    asked = cluster_hosts.cluster(KEY, workers=2)
    group = msgspec.structs.replace(asked.groups[0], threads=0, processes=2)
    assert groups.places(asked, group) == {
        "name": "p-d-e-n0-0",
        "workers": 2,
        "processes": 2,
        "memory_bytes": 2**30,
        "memory_of_worker_bytes": 2**31,
    }


def test_the_group_is_a_holder_and_the_driver():
    asked = msgspec.structs.replace(cluster_hosts.cluster(KEY), idle_timeout_seconds=90.0)
    bounded = msgspec.structs.replace(asked.groups[0], minimum=1, maximum=3, processes=2, preload=("mine",))
    made = build(msgspec.structs.replace(asked, groups=(bounded,)))
    made_holder, driver = made.roles
    assert (made_holder.name, made_holder.essential, driver.name, driver.main) == ("scheduler", True, "driver", True)
    told = made_holder.arguments
    assert (told["class"], told["arguments"]) == ("some.module:Cluster", {"n": 2, "label": "of-p-d-e-n0-0"})
    assert (told["minimum"], told["maximum"], told["wanted"], told["quorum"]) == (2, 6, 4, 2)
    assert made_holder.env["DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT"] == "90s"
    assert made_holder.env["DASK_DISTRIBUTED__WORKER__PRELOAD"] == "['mine']"
    assert made.cpu_request < 9.0


@pytest.mark.parametrize(("count", "command"), [(2, ()), (1, ("my", "worker"))])
def test_what_a_class_cannot_make_is_refused(count: int, command: tuple[str, ...]):
    asked = cluster_hosts.cluster(KEY)
    group = msgspec.structs.replace(asked.groups[0], command=command)
    with pytest.raises(errors.InvalidArgument, match=r"tests.task.* asks for .*class") as caught:
        build(msgspec.structs.replace(asked, groups=(group,) * count))
    assert "DAYFLY_DASK__CLUSTER_CLASS" in caught.value.remedy


def test_classes_are_named_with_a_colon_or_a_dot():
    assert holder.find_class("collections:OrderedDict") is holder.find_class("collections.OrderedDict")


@pytest.mark.parametrize(
    ("logged", "death"),
    [
        ("Worker process 7 was killed by signal 9", ("worker-1", -9, "worker-1 was killed by SIGKILL (9)")),
        ("Worker process 7 exited with status 3", ("worker-1", 3, "worker-1 ended with exit code 3")),
        ("Worker process 8 was killed by signal 60", ("process 8", -60, "process 8 was killed by signal (60)")),
        ("Restarting worker", None),
    ],
)
def test_deaths_are_read_from_what_nannies_log(logged: str, death: tuple[str, int, str] | None):
    class Channel:
        def __init__(self) -> None:
            self.said: dict[str, Any] = {}

        def publish(self, name: str, value: Any) -> None:
            self.said[name] = value

    class Worker:
        pid, name = 7, 1

    channel = Channel()
    heard = holder_deaths.Deaths(channel)
    logging.getLogger("distributed.nanny").removeHandler(heard)
    heard.learn(Worker())
    heard.emit(logging.LogRecord("distributed.nanny", logging.INFO, "", 0, logged, (), None))
    if death is None:
        assert channel.said == {}
        return
    (told,) = msgspec.convert(channel.said["deaths"], list[clusters.Death])
    assert (told.role, told.exit_code, told.told) == death
    assert channel.said["progress_warning"].startswith(told.told)
