"""What users write of a cluster, what is registered of it, and what is refused at once."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import Any

import pytest
from flyteidl.plugins import dask_pb2
from flytekit import Resources, task
from flytekit.configuration import Image, ImageConfig, SerializationSettings
from flytekitplugins.dask import Dask, Scheduler, WorkerGroup
from google.protobuf import json_format

from dayfly.dask import Adapt, DaskCluster, Reuse, Workers

SETTINGS = SerializationSettings(ImageConfig(Image("default", "base", "1")), "p", "d", "v1")


def registered(config: Dask) -> dict[str, Any]:
    @task(task_config=config)
    def train() -> None:
        pass

    assert train.task_type == "dask"
    return train.get_custom(SETTINGS)


def test_what_flytes_plugin_can_say_is_registered_as_it_does():
    said = {
        "scheduler": Scheduler(image="s:1", requests=Resources(cpu="1")),
        "workers": WorkerGroup(number_of_workers=3, limits=Resources(mem="2Gi")),
    }
    assert registered(DaskCluster(**said)) == registered(Dask(**said))


def test_flyte_reads_the_default_group_and_passes_over_the_rest():
    config = DaskCluster(workers=Workers(number_of_workers=3, threads=2), groups=[Workers(name="gpu")], min_workers=2)
    job = json_format.ParseDict(registered(config), dask_pb2.DaskJob(), ignore_unknown_fields=True)
    assert job.workers.number_of_workers == 3


def test_only_what_is_said_is_registered():
    config = DaskCluster(
        workers=Workers(processes=2, nanny=False),
        groups=[
            Workers(
                name="gpu",
                number_of_workers=2,
                image="gpu:1",
                limits=Resources(gpu="1"),
                environment={"A": "b"},
                command="dask cuda worker",
                preload=["mine"],
                adapt=Adapt(minimum=0, maximum=9),
            )
        ],
        startup_timeout=datetime.timedelta(minutes=2),
        idle_timeout=30,
        config={"distributed": {"scheduler": {"work-stealing": False}}},
        reuse=Reuse(idle_seconds=60),
    )
    assert registered(config)["dayfly"] == {
        "workers": {"processes": 2, "nanny": False},
        "groups": [
            {
                "name": "gpu",
                "number_of_workers": 2,
                "image": "gpu:1",
                "resources": {"limits": [{"name": "GPU", "value": "1"}]},
                "environment": {"A": "b"},
                "command": "dask cuda worker",
                "preload": ["mine"],
                "adapt": {"maximum": 9, "minimum": 0},
            }
        ],
        "startup_timeout_seconds": 120.0,
        "idle_timeout_seconds": 30.0,
        "config": {"distributed": {"scheduler": {"work-stealing": False}}},
        "reuse": {"idle_seconds": 60.0},
    }


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"workers": Workers(threads=0)}, "DaskCluster.workers.threads: Expected `int` >= 1"),
        (
            {"groups": [Workers(name="a"), Workers(name="GPU")]},
            r"DaskCluster.groups\[1\].name: Expected `str` matching",
        ),
        ({"groups": [Workers(name="a"), Workers(name="a")]}, r"DaskCluster.groups\[1\].name: there is another"),
        ({"groups": [Workers()]}, r"DaskCluster.groups\[0\].name: there is another group called 'default'"),
        ({"groups": [WorkerGroup()]}, r"DaskCluster.groups\[0\]: WorkerGroup.* is no Workers"),
        ({"workers": 4}, "DaskCluster.workers: 4 is no Workers"),
        ({"workers": Workers(adapt=Adapt(minimum=3, maximum=2))}, "DaskCluster.workers.adapt: minimum 3 is above"),
        ({"workers": Workers(environment={"A=B": "c"})}, "DaskCluster.workers.environment: 'A=B' is no name"),
        ({"workers": Workers(command="dask 'worker")}, "DaskCluster.workers.command: .*No closing quotation"),
        ({"reuse": Reuse(idle_seconds=float("inf"))}, "reuse.idle_seconds"),
        (
            {"workers": Workers(adapt=Adapt(minimum=1, maximum=2)), "min_workers": 3},
            "min_workers: 3 are never there where adapt allows 2",
        ),
        ({"min_workers": 0}, "DaskCluster.min_workers: Expected `int` >= 1"),
        ({"startup_timeout": -1}, "DaskCluster.startup_timeout: Expected `float` > 0"),
        ({"config": {"a": object()}}, "DaskCluster.config: it holds what JSON cannot"),
    ],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_its_field(fields: dict[str, Any], told: str):
    with pytest.raises(ValueError, match=told):
        DaskCluster(**fields)


def test_importing_it_brings_nothing_of_the_platform():
    look = "import sys, dayfly.dask; print(sorted(m for m in sys.modules if m.startswith('dayfly.')))"
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", look], capture_output=True, text=True, check=True)
    brought = {name.split(".")[1] for name in eval(ran.stdout.strip().splitlines()[-1])}
    assert brought == {"base", "dask", "model"}
