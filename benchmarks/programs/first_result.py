"""A Dask task that tells when its cluster has computed something."""

import time

import distributed
from flytekit import task
from flytekitplugins.dask import Dask, WorkerGroup


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def first(text: str) -> float:
    with distributed.Client() as client:
        assert client.submit(sum, [1, 1]).result() == 2
        return time.time()
