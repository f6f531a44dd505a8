"""Dask tasks whose workers have no room for what they spill."""

import os
import time

import distributed
from flytekit import Resources, task

from dayfly.dask import DaskCluster, Workers

MEBI = 1 << 20

EAGER = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.memory.target": 0.2,
    "distributed.worker.memory.spill": 0.3,
    # One that is paused in time would wait for ever.
    "distributed.worker.memory.pause": False,
}


def workers(**more: object) -> Workers:
    return Workers(1, limits=Resources(cpu="1", mem="500Mi"), **more)


def block(number: int) -> bytes:
    return os.urandom(MEBI) * 50


def hold(number: int, *before: bytes) -> int:
    time.sleep(300)
    return number


@task(task_config=DaskCluster(workers=workers(), config={**EAGER, "temporary-directory": "/dev/shm"}))
def full(text: str) -> int:
    """Spill to what holds 64 MiB."""
    return hold_much()


@task(task_config=DaskCluster(workers=workers(nanny=False), config={**EAGER, "temporary-directory": "/dev/shm"}))
def full_alone(text: str) -> int:
    """The same without a nanny."""
    return hold_much()


def hold_much() -> int:
    with distributed.Client() as client:
        made = [client.submit(block, number, key=f"block-{number}") for number in range(20)]
        return len(client.gather(made))


@task(task_config=DaskCluster(workers=workers(), config={**EAGER, "temporary-directory": "/scratch"}))
def evicted(text: str) -> int:
    """Spill more than a volume may have, which the kubelet sees when it looks."""
    with distributed.Client() as client:
        made = [client.submit(block, number, key=f"block-{number}") for number in range(4)]
        distributed.wait(made)
        return int(client.submit(hold, 1, key="hold-1").result())
