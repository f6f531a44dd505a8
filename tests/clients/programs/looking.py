"""A Dask task that computes until it is told to stop, so that somebody can look at its cluster meanwhile."""

import os
import time

from distributed import Client
from flytekit import task
from flytekitplugins.dask import Dask, WorkerGroup


def double(x: int) -> int:
    return 2 * x


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def looked_at(until: str) -> int:
    client = Client()
    rounds = 0
    while not os.path.exists(until):
        client.gather(client.map(double, range(20), pure=False))
        rounds += 1
        time.sleep(0.05)
    return rounds
