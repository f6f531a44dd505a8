"""Dask tasks on clusters of pods that somebody looks at while they compute, and after they have died."""

import datetime
import os
import time

import distributed
from flytekit import Resources, task
from flytekitplugins.dask import Dask, WorkerGroup

from dayfly.dask import Adapt, DaskCluster, Workers

GIVE_UP_AT_ONCE = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}

OTHER_DASK = """import distributed.versions as told
told.whole = getattr(told, "whole", told.get_package_info)  # Dask may load it twice
told.get_package_info = lambda packages: {**told.whole(packages), "dask": "1999.1.0"}
"""
"""Loaded by a worker, whose versions then are what another image's would be."""


def crawl(number: int) -> int:
    time.sleep(0.1)
    return number


def burst(number: int) -> int:
    return len(b"x" * (number << 20))


def compute_until(path: str) -> int:
    total = 0
    with distributed.Client() as client:
        while not os.path.exists(path):
            total += sum(client.gather(client.map(crawl, range(10), pure=False)))
    print("the driver has seen", path)
    return total


@task(
    task_config=Dask(
        workers=WorkerGroup(number_of_workers=2, limits=Resources(cpu="1", mem="500Mi")),
    )
)
def watched(text: str) -> int:
    return compute_until(text)


@task(
    environment={"DAYFLY_REPORT_SECONDS": "30"},
    task_config=Dask(workers=WorkerGroup(number_of_workers=2, limits=Resources(cpu="1", mem="500Mi"))),
)
def reported(text: str) -> int:
    return compute_until(text)


@task(
    environment=GIVE_UP_AT_ONCE,
    task_config=Dask(workers=WorkerGroup(number_of_workers=1, limits=Resources(cpu="1", mem="400Mi"))),
)
def outgrows(text: str) -> int:
    with distributed.Client() as client:
        return int(client.submit(burst, int(text)).result())


@task(
    environment=GIVE_UP_AT_ONCE,
    task_config=DaskCluster(workers=Workers(1, limits=Resources(cpu="1", mem="400Mi"), nanny=False)),
)
def outgrows_alone(text: str) -> int:
    with distributed.Client() as client:
        return int(client.submit(burst, int(text)).result())


@task(environment=GIVE_UP_AT_ONCE, task_config=Dask(workers=WorkerGroup(number_of_workers=1)))
def loses_its_worker(text: str) -> int:
    with distributed.Client() as client:
        return int(client.submit(compute_slowly, text).result())


@task(timeout=datetime.timedelta(seconds=20), task_config=Dask(workers=WorkerGroup(number_of_workers=1)))
def hangs(text: str) -> int:
    with distributed.Client() as client:
        return int(client.submit(compute_slowly, text).result())


def compute_slowly(path: str) -> int:
    open(path, "w").close()
    time.sleep(600)
    return 0


@task(task_config=DaskCluster(workers=Workers(1, preload=(OTHER_DASK,))))
def mixed(text: str) -> int:
    return compute_until(text)


@task(
    task_config=DaskCluster(
        workers=Workers(1, limits=Resources(cpu="1", mem="400Mi"), adapt=Adapt(minimum=1, maximum=3)),
        config={"distributed.adaptive.interval": "200ms", "distributed.adaptive.target-duration": "500ms"},
    )
)
def follows_the_work(text: str) -> int:
    """Have more workers while there is much to do, and what they made when they are gone."""
    with distributed.Client() as client:
        made = client.map(crawl, range(400), pure=False)
        wait_for_workers(client, 3)
        distributed.wait(made)
        wait_for_workers(client, 1)
        return sum(client.gather(made))


@task(
    task_config=DaskCluster(
        workers=Workers(1, limits=Resources(cpu="1", mem="600Mi"), processes=2, adapt=Adapt(minimum=1, maximum=2)),
        config={"distributed.adaptive.interval": "200ms", "distributed.adaptive.target-duration": "500ms"},
    )
)
def follows_by_twos(text: str) -> int:
    """The same where a pod is two workers to Dask."""
    with distributed.Client() as client:
        made = client.map(crawl, range(200), pure=False)
        wait_for_workers(client, 4)
        distributed.wait(made)
        wait_for_workers(client, 2)
        return sum(client.gather(made))


def wait_for_workers(client: distributed.Client, number: int) -> None:
    deadline = time.monotonic() + 60
    while len(client.scheduler_info(n_workers=-1)["workers"]) != number:
        if time.monotonic() > deadline:
            raise TimeoutError(f"there are never {number} workers")
        time.sleep(0.1)
