"""Dask tasks whose clusters the Dask operator makes."""

import os
import time

import distributed
from flytekit import task, workflow
from flytekitplugins.dask import Dask, WorkerGroup

from dayfly.dask import Adapt, DaskCluster, Workers


def square(number: int) -> int:
    return number * number


def crawl(number: int) -> int:
    time.sleep(0.5)
    return number


@task
def count(text: str) -> str:
    return str(len(text))


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def squares(text: str) -> int:
    with distributed.Client() as client:
        client.wait_for_workers(2)
        return sum(client.gather(client.map(square, range(int(text)))))


@task
def doubled(number: int) -> int:
    return 2 * number


@workflow
def chain(text: str) -> int:
    return doubled(number=squares(text=count(text=text)))


def refuse(text: str) -> str:
    raise ValueError(f"not {text}")


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=1)))
def errs(text: str) -> str:
    with distributed.Client() as client:
        return str(client.submit(refuse, text).result())


@task(
    task_config=DaskCluster(
        workers=Workers(number_of_workers=1),
        groups=[Workers(name="large", number_of_workers=1, environment={"SIZE": "large", "EMPTY": ""})],
        min_workers=2,
    )
)
def grouped(text: str) -> str:
    """Say the sizes that the workers of both groups are told."""
    with distributed.Client() as client:
        client.wait_for_workers(2)
        sizes = client.run(os.getenv, "SIZE", "none").values()
    return text + " ".join(sorted(sizes))


@task(
    task_config=DaskCluster(
        workers=Workers(number_of_workers=1, adapt=Adapt(minimum=1, maximum=2)),
        config={"distributed.adaptive.target-duration": "1s"},
    )
)
def scaled(text: str) -> str:
    """Say how many workers there are while there is much to do, and afterwards; what was computed stays."""
    with distributed.Client() as client:
        kept = client.submit(square, 7)
        distributed.wait(kept)
        futures = client.map(crawl, range(1000), pure=False)
        seen = [number_of(client, 2)]
        client.cancel(futures)
        seen.append(number_of(client, 1))
        return f"{text}{seen} {kept.result()}"


def number_of(client: distributed.Client, wanted: int) -> int:
    deadline = time.monotonic() + 100
    while len(client.scheduler_info()["workers"]) != wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    return len(client.scheduler_info()["workers"])
