"""Drivers of Dask clusters for fault tests, run as commands: each makes a bare `Client()`, as users do."""

from __future__ import annotations

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


if __name__ == "__main__":
    globals()[sys.argv[1]]()
