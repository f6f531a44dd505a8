"""A Dask task of some seconds, whose tasks need the results of others."""

import time

import distributed
from flytekit import Resources, task
from flytekitplugins.dask import Dask, WorkerGroup


def square(number: int) -> int:
    time.sleep(0.03)
    return number * number


def add(left: int, right: int) -> int:
    time.sleep(0.03)
    return left + right


@task(
    task_config=Dask(workers=WorkerGroup(number_of_workers=4, limits=Resources(cpu="1", mem="400Mi"))),
)
def adds(numbers: str) -> int:
    """Add squares up, two by two."""
    with distributed.Client() as client:
        level = client.map(square, range(int(numbers)))
        while len(level) > 1:
            pairs = [client.submit(add, left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
            level = pairs + level[2 * len(pairs) :]
        return level[0].result()
