"""Dask tasks whose clusters are pods."""

import time
from pathlib import Path

import distributed
from flytekit import task, workflow
from flytekitplugins.dask import Dask, WorkerGroup


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
