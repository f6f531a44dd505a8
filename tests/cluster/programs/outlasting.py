"""Tasks that write down each time that they begin, and that they go on."""

import time
from pathlib import Path

import distributed
from flytekit import task
from flytekitplugins.dask import Dask, WorkerGroup


def square(number: int) -> int:
    return number * number


def write_down(file: str) -> None:
    with open(file, "ab", buffering=0) as opened:
        opened.write(b"x")


@task
def alone(text: str) -> str:
    """Be there until a file is."""
    write_down(f"{text}-begun")
    while not Path(text).exists():
        time.sleep(0.1)
    return text


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def spread(text: str) -> int:
    """Compute on both workers until a file is there; return how often a sum was wrong."""
    write_down(f"{text}-begun")
    wrong = 0
    with distributed.Client() as client:
        client.wait_for_workers(2)
        while not Path(text).exists():
            wrong += sum(client.gather(client.map(square, range(20), pure=False))) != 2470
            write_down(f"{text}-computed")
            time.sleep(0.2)
    return wrong
