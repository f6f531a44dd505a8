"""Dask tasks that die, each in a way of its own."""

from __future__ import annotations

import os
import signal
import threading
import time

import distributed
from flytekit import Resources, task
from flytekitplugins.dask import Dask, WorkerGroup

SMALL = Dask(workers=WorkerGroup(number_of_workers=2, limits=Resources(cpu="1", mem="400Mi")))


def bomb(x: int) -> int:
    held = []
    for _ in range(80):
        held.append(bytearray(os.urandom(16)) * (1 << 20))
        time.sleep(0.02)
    return len(held)


def leave(x: int) -> int:
    os._exit(7)


def crash(x: int) -> int:
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(10)
    return x


def killed(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)
    return x


def import_missing(x: int) -> int:
    import no_such_module_at_all

    return no_such_module_at_all.x


def unpicklable(x: int) -> object:
    return threading.Lock()


def raising(x: int) -> int:
    raise ValueError(f"{x} is not what was expected")


def no_memory(x: int) -> int:
    raise MemoryError(f"cannot allocate {x} bytes")


def no_disk(x: int) -> int:
    raise OSError(28, "No space left on device", "/spill/x")


def nap(x: int) -> int:
    time.sleep(x)
    return x


WAYS = {f.__name__: f for f in (bomb, leave, crash, killed, import_missing, unpicklable, raising, no_memory, no_disk)}


@task(task_config=SMALL)
def on_worker(way: str) -> str:
    client = distributed.Client()
    return str(client.submit(WAYS[way], 1).result())


@task(task_config=SMALL)
def in_driver(way: str) -> str:
    client = distributed.Client()
    if way == "raise":
        raise RuntimeError("the driver had enough")
    if way == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "exit":
        os._exit(3)
    if way == "unpicklable":
        lock = threading.Lock()
        return str(client.submit(lambda: lock).result())
    if way == "no such worker":
        return str(client.submit(nap, 0, resources={"GPU": 1}).result(timeout=15))
    if way == "scheduler":
        client.run_on_scheduler(lambda: os.kill(os.getpid(), signal.SIGKILL))
        time.sleep(30)
    if way == "shut down":
        client.shutdown()
        return str(distributed.Client(os.environ["DASK_SCHEDULER_ADDRESS"], timeout=5).submit(nap, 0).result())
    if way == "data":
        [kept] = client.scatter([[1, 2, 3]])
        holder = next(iter(client.who_has([kept])[kept.key]))
        client.submit(killed, 1, workers=[holder])
        time.sleep(3)
        return str(client.submit(sum, kept).result(timeout=30))
    return way
