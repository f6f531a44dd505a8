"""Map a function over a range on an ephemeral Dask cluster of four workers.

Run it on Dayfly:              dayfly run examples/increment.py increment_all --length 100
"""

from distributed import Client
from flytekit import Resources, task, workflow
from flytekitplugins.dask import Dask, Scheduler, WorkerGroup


def inc(x: int) -> int:
    return x + 1


@task(
    task_config=Dask(
        scheduler=Scheduler(requests=Resources(cpu="1")),
        workers=WorkerGroup(number_of_workers=4, limits=Resources(cpu="1", mem="1Gi")),
    )
)
def increment(length: int) -> list[int]:
    with Client() as client:
        return client.gather(client.map(inc, range(length)))


@task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@workflow
def increment_all(length: int = 100) -> int:
    return total(numbers=increment(length=length))
