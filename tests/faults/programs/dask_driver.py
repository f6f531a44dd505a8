"""Drivers of Dask clusters for fault tests, run as commands: each makes a bare `Client()`, as users do."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import distributed


def slow_square(number: int) -> int:
    time.sleep(0.05)
    return number * number


def fill(size: int) -> int:
    whole = bytearray(b"x") * size
    time.sleep(10)
    return len(whole)


def compute() -> None:
    """Square many numbers, slowly, telling when it has begun."""
    with distributed.Client() as client:
        futures = client.map(slow_square, range(120))
        distributed.wait(futures[:4])
        Path("begun").touch()
        print("sum", sum(client.gather(futures)), flush=True)


def hold() -> None:
    """Hold on to a client until it is told to go on."""
    with distributed.Client() as client:
        print("sum", client.submit(sum, [1, 2, 3]).result(), flush=True)
        Path("begun").touch()
        while not Path("go").exists():
            time.sleep(0.02)


def restart() -> None:
    """Restart all workers, as users do to get rid of what leaks."""
    with distributed.Client() as client:
        client.wait_for_workers(2)
        before = set(client.scheduler_info()["workers"])
        client.restart(timeout=30)
        client.wait_for_workers(2)
        print("all new", not before & set(client.scheduler_info()["workers"]), flush=True)
        print("sum", client.submit(sum, [1, 2, 3]).result(), flush=True)


def shut_down() -> None:
    """End the cluster before the driver, as some users do to be tidy."""
    client = distributed.Client()
    print("sum", sum(client.gather(client.map(abs, range(100)))), flush=True)
    client.shutdown()
    print("tidy", flush=True)


def outgrow() -> None:
    """Let a worker take more memory than it may, again and again."""
    with distributed.Client() as client:
        print("size", client.submit(fill, 2**30).result(), flush=True)


class Large:
    """Something that counts as large without taking memory."""

    def __init__(self, number: int, size: int) -> None:
        self.number, self.size = number, size

    def __sizeof__(self) -> int:
        return self.size


def make_large(number: int, size: int) -> Large:
    """Say in a file that it is computed, once more or for the first time."""
    time.sleep(0.05)
    with Path("computed").open("a") as file:
        file.write(f"{number}\n")
    return Large(number, size)


def be_busy(number: int, until: str) -> int:
    """Compute until there is a file of that name."""
    while not Path(until).exists():
        time.sleep(0.01)
    return number


async def see_looks(dask_scheduler: distributed.Scheduler) -> None:
    """Return when it has been looked many times whether there are as many workers as are needed."""
    scaling = dask_scheduler.extensions["dayfly-scaling"]
    begun = scaling.looks
    while scaling.looks < begun + 30:  # noqa: ASYNC110  it tells nobody
        await asyncio.sleep(0.01)


def follow_work() -> None:
    """Have much to do, then data to keep and nothing else, then much to do again, then nothing, not even data."""
    with distributed.Client() as client:

        def wait_for(count: int, name: str) -> None:
            """Wait until there are so many workers, and still are many looks later; then make a file of that name."""
            while len(client.scheduler_info(n_workers=-1)["workers"]) != count:
                time.sleep(0.02)
            client.run_on_scheduler(see_looks)
            print(name, len(client.scheduler_info(n_workers=-1)["workers"]), flush=True)
            Path(name).touch()

        work = client.map(be_busy, range(20), until="grown")
        wait_for(4, "grown")
        distributed.wait(work)
        held = client.map(make_large, range(8), size=150 * 2**20)
        distributed.wait(held)
        print("held by", len({worker for workers in client.who_has(held).values() for worker in workers}), flush=True)
        del work
        wait_for(3, "shrunk")
        print("kept", sum(large.number for large in client.gather(held)), flush=True)
        work = client.map(be_busy, range(100, 140), until="killed")
        wait_for(4, "grown again")
        print("sum", sum(client.gather(work)), flush=True)
        print("kept", sum(large.number for large in client.gather(held)), flush=True)
        del held, work
        wait_for(1, "idle")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
