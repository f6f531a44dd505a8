"""Dask tasks whose clusters are pods."""

import time
from pathlib import Path

import distributed
from flytekit import task, workflow
from flytekitplugins.dask import Dask, WorkerGroup

from dayfly.dask import DaskCluster, Workers


def square(number: int) -> int:
    return number * number


def slow_square(number: int) -> int:
    time.sleep(0.5)
    return number * number


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def squares(text: str) -> int:
    with distributed.Client() as client:
        return sum(client.gather(client.map(square, range(int(text)))))


@workflow
def summed(text: str) -> int:
    return squares(text=text)


@task(task_config=DaskCluster(workers=Workers(number_of_workers=2), idle_timeout=2))
def idles(text: str) -> int:
    """Have no work for the cluster until it has ended; then go on until a file is there."""
    time.sleep(5)  # The task is still to begin: nothing is idle.
    client = distributed.Client()
    total = sum(client.gather(client.map(square, range(10))))
    while client.status == "running":
        time.sleep(0.1)
    Path(f"{text}-alone").touch()
    while not Path(text).exists():
        time.sleep(0.1)
    return total


@task(task_config=DaskCluster(workers=Workers(number_of_workers=1), idle_timeout=2))
def needs_it_still(text: str) -> int:
    """Ask the cluster for more when it has ended."""
    client = distributed.Client()
    held = client.submit(square, int(text))
    while client.status == "running":
        time.sleep(0.1)
    return int(client.submit(square, held).result())


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=4)))
def churned(text: str) -> int:
    """Sum slow squares again and again until told that it is enough; write down each that is there."""
    wrong = 0
    with distributed.Client() as client, open(text, "ab", buffering=0) as done:
        while not Path(f"{text}-enough").exists():
            futures = client.map(slow_square, range(40), pure=False)
            for _ in distributed.as_completed(futures):
                done.write(b"x")
            wrong += sum(client.gather(futures)) != sum(number * number for number in range(40))
    return wrong


def note(number: int, folder: str) -> int:
    """Leave a file for each time that it is computed."""
    Path(folder, f"{number}-{time.time_ns()}").touch()
    return number


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def keeps(text: str) -> int:
    """Hold results until told to go on; return how many computations they took."""
    with distributed.Client() as client:
        client.wait_for_workers(2)
        futures = client.map(note, range(40), folder=text)
        distributed.wait(futures)
        Path(f"{text}-computed").touch()
        while not Path(f"{text}-go").exists():
            time.sleep(0.1)
        assert sum(client.gather(futures)) == sum(range(40))
        return len(list(Path(text).iterdir()))
