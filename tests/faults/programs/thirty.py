"""Thirty nodes, one of them a Dask task; each writes down when it starts and when it has finished."""

import os

from distributed import Client
from flytekit import Resources, task, workflow
from flytekitplugins.dask import Dask, Scheduler, WorkerGroup


def note(marks: str, what: str, index: int) -> None:
    with open(marks, "a") as out:
        out.write(f"{what} {index} {os.environ['FLYTE_ATTEMPT_NUMBER']}\n")


def square(x: int) -> int:
    return x * x


@task
def step(marks: str, index: int, before: int) -> int:
    note(marks, "start", index)
    note(marks, "end", index)
    return before + 1


@task
def join(marks: str, index: int, parts: list[int]) -> int:
    note(marks, "start", index)
    note(marks, "end", index)
    return sum(parts)


@task(
    task_config=Dask(
        scheduler=Scheduler(requests=Resources(cpu="1")),
        workers=WorkerGroup(number_of_workers=2, limits=Resources(cpu="1", mem="512Mi")),
    )
)
def squares(marks: str, index: int, count: int) -> int:
    note(marks, "start", index)
    with Client() as client:
        total = sum(client.gather(client.map(square, range(count))))
    note(marks, "end", index)
    return total


@workflow
def thirty(marks: str) -> int:
    """Four chains of seven steps side by side, one Dask task beside them, and a join."""
    ends = []
    for chain in range(4):
        value = step(marks=marks, index=chain * 7, before=0)
        for link in range(1, 7):
            value = step(marks=marks, index=chain * 7 + link, before=value)
        ends.append(value)
    clustered = squares(marks=marks, index=28, count=50)
    return join(marks=marks, index=29, parts=[*ends, clustered])
