"""Dask tasks that say more of their clusters than Flyte's own plugin can."""

import json
import os
import time

import dask
import distributed
from flytekit import Resources, task, workflow

from dayfly.dask import Adapt, DaskCluster, Reuse, Workers


def look(dask_worker: distributed.Worker) -> dict:
    return {
        "threads": dask_worker.state.nthreads,
        "mood": os.environ.get("MOOD"),
        "preloaded": "wave" in __import__("sys").modules,
        "target": dask.config.get("distributed.worker.memory.target"),
        "commanded": "--no-nanny" in __import__("sys").argv,
    }


@task(
    task_config=DaskCluster(
        workers=Workers(number_of_workers=1, processes=2, threads=1, environment={"MOOD": "calm"}),
        groups=[
            Workers(name="loaded", preload=["wave"], limits=Resources(cpu="2", mem="600Mi")),
            Workers(name="own", command="dask worker", threads=3, nanny=False, preload=["wave"]),
            Workers(name="gpu", limits=Resources(cpu="1", mem="300Mi", gpu="1"), adapt=Adapt(minimum=1, maximum=1)),
        ],
        min_workers=5,
        startup_timeout=50,
        config={"distributed.worker.memory.target": 0.55},
        reuse=Reuse(idle_seconds=60),
    )
)
def described() -> str:
    with distributed.Client() as client:
        there = client.scheduler_info(n_workers=-1)["workers"]
        names = {address: each["name"] for address, each in there.items()}
        return json.dumps({names[address]: seen for address, seen in client.run(look).items()})


@task(task_config=DaskCluster(workers=Workers(number_of_workers=2), idle_timeout=0.5))
def idle() -> bool:
    client = distributed.Client()
    client.submit(sum, [1, 2]).result()
    ends = time.monotonic() + 30
    while client.status == "running" and time.monotonic() < ends:
        time.sleep(0.05)
    return client.status != "running"


@workflow
def describing() -> str:
    return described()


@workflow
def idling() -> bool:
    return idle()
