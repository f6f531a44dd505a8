"""Policies of nodes that are no plain tasks, and of whole executions: limits, retries, timeouts, inheritance."""

import functools
import pathlib
import time
import typing
from datetime import timedelta

from flytekit import (
    HashMethod,
    LaunchPlan,
    conditional,
    current_context,
    map_task,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from flytekit.exceptions.user import FlyteRecoverableException


@task
def spread(n: int) -> list[int]:
    return list(range(n))


@task
def overlap(x: int, folder: str) -> int:
    """Return how many of these ran at the most beside this one, itself included."""
    mine = pathlib.Path(folder, f"{current_context().execution_id.name}-{x}")
    mine.touch()
    most = 0
    for _ in range(30):
        most = max(most, len(list(pathlib.Path(folder).iterdir())))
        time.sleep(0.01)
    mine.unlink()
    return most


@task
def largest(xs: list[int]) -> int:
    return max(xs)


@workflow
def two_at_a_time(folder: str) -> int:
    return largest(xs=map_task(functools.partial(overlap, folder=folder), concurrency=2)(x=spread(n=6)))


@workflow
def six(folder: str) -> list[int]:
    return [
        overlap(x=0, folder=folder),
        overlap(x=1, folder=folder),
        overlap(x=2, folder=folder),
        overlap(x=3, folder=folder),
        overlap(x=4, folder=folder),
        overlap(x=5, folder=folder),
    ]


six_plan = LaunchPlan.get_or_create(six, "ways.six_plan", max_parallelism=2)


@task(retries=2)
def third_time_lucky(x: int, folder: str) -> int:
    tries = pathlib.Path(folder, f"{x}.tries")
    with tries.open("a") as file:
        file.write(".")
    if x % 2 and len(tries.read_text()) < 3:
        raise FlyteRecoverableException("not yet")
    return x


@workflow
def lucky_elements(folder: str) -> list[int]:
    return map_task(functools.partial(third_time_lucky, folder=folder))(x=spread(n=4))


@task
def hang(x: int) -> int:
    time.sleep(600)
    return x


@workflow
def hanging(x: int) -> int:
    return hang(x=x)


@workflow
def in_time(x: int) -> int:
    return hanging(x=x).with_overrides(timeout=timedelta(seconds=1))


@workflow
def nobody_signals() -> str:
    return wait_for_input("never", timeout=timedelta(seconds=1), expected_type=str)


@task
def environment(name: str) -> str:
    import os

    return os.environ.get(name, "")


@workflow
def tells(name: str) -> str:
    return environment(name=name)


tells_plan = LaunchPlan.get_or_create(tells, "ways.tells_plan")


@workflow
def handed_down(name: str) -> str:
    return tells_plan(name=name)


@task(cache=True, cache_version="1", cache_ignore_input_vars=("note",))
def ignoring(x: int, note: str) -> str:
    return note


@workflow
def ignored(x: int, note: str) -> str:
    return ignoring(x=x, note=note)


def rounded(value: float) -> str:
    return str(round(value))


@task
def measured(x: float) -> typing.Annotated[float, HashMethod(rounded)]:
    return x


@task(cache=True, cache_version="1")
def exactly(x: float) -> float:
    return x


@workflow
def hashed(x: float) -> float:
    return exactly(x=measured(x=x))


@task
def name_of(name: str) -> str:
    return name


@workflow
def operators(a: int, b: float, c: str) -> str:
    return (
        conditional("which")
        .if_(a == 1)
        .then(name_of(name="a == 1"))
        .elif_((a != 2) & (b >= 2.5))
        .then(name_of(name="a != 2, b >= 2.5"))
        .elif_((b > 1.5) | (c == "x"))
        .then(name_of(name="b > 1.5 or c == x"))
        .elif_((b < 0.5) & (c != "y"))
        .then(name_of(name="b < 0.5, c != y"))
        .elif_(b <= 1.0)
        .then(name_of(name="b <= 1.0"))
        .else_()
        .then(name_of(name="none"))
    )


@workflow
def naps() -> None:
    sleep(timedelta(milliseconds=50))


@workflow
def retried_whole(folder: str) -> int:
    return flaky_inside(folder=folder).with_overrides(retries=2)


@task
def flaky(folder: str) -> int:
    tries = pathlib.Path(folder, "whole.tries")
    with tries.open("a") as file:
        file.write(".")
    if len(tries.read_text()) < 2:
        raise ValueError("broken the first time")
    return len(tries.read_text())


@workflow
def flaky_inside(folder: str) -> int:
    return flaky(folder=folder)
