"""Dask tasks that last until a file is there, whoever makes their clusters."""

import os
import time
from pathlib import Path

import distributed
from flytekit import task
from flytekitplugins.dask import Dask, WorkerGroup


def crawl(number: int) -> int:
    time.sleep(0.5)
    return number


@task(environment={"DAYFLY_REPORT_SECONDS": "20"}, task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def holds(text: str) -> str:
    """Compute, whatever becomes of the workers."""
    with distributed.Client() as client:
        while True:
            total = sum(client.gather(client.map(crawl, range(8), pure=False)))
            if os.path.exists(text):
                break
        print("workers", sorted(str(one["name"]) for one in client.scheduler_info()["workers"].values()))
        return str(total)


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def shuts_down(text: str) -> str:
    """Have the cluster end, and go on without it."""
    client = distributed.Client()
    total = sum(client.gather(client.map(crawl, range(3))))
    client.shutdown()
    Path(f"{text}-alone").touch()
    while not Path(text).exists():
        time.sleep(0.1)
    return str(total)


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def stays(text: str) -> str:
    """Be there, without a client."""
    while not Path(text).exists():
        time.sleep(0.1)
    return text
