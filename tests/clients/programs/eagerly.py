"""Eager workflows: Python decides as it goes, and each call is an execution of its own."""

import asyncio
import os
from pathlib import Path

from flytekit import TaskMetadata, eager, task, workflow
from flytekit.exceptions.eager import EagerException
from flytekit.exceptions.user import FlyteRecoverableException


@task
async def add_one(x: int) -> int:
    return x + 1


@task
async def fail(x: int) -> int:
    if x >= 0:
        raise ValueError(f"no {x} here")
    return x


@task
def add_two(x: int) -> int:
    return x + 2


@workflow
def plus_four(x: int) -> int:
    return add_two(x=add_two(x=x))


@eager
async def counts(x: int) -> int:
    first = await add_one(x=x)
    both = await asyncio.gather(add_one(x=first), add_one(x=10))
    return sum(both)


@eager
async def uses_workflow(x: int) -> int:
    return plus_four(x=x) if x > 1 else x


@eager
async def nested(x: int) -> int:
    return await counts(x=x) + 1


@eager
async def breaks(x: int) -> int:
    try:
        return await fail(x=x)
    except EagerException:
        return -1


@eager
async def gives_up(x: int) -> int:
    return await fail(x=x)


@task
async def linger(folder: str) -> int:
    Path(folder, "lingers").touch()
    await asyncio.sleep(600)
    return 0


@task
async def stumble(folder: str) -> int:
    while not Path(folder, "lingers").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.05)
    raise ValueError("no more of this")
    return 0


@eager
async def abandons(folder: str) -> int:
    return sum(await asyncio.gather(linger(folder=folder), stumble(folder=folder)))


@eager
async def waits(folder: str) -> int:
    return await linger(folder=folder)


@eager(metadata=TaskMetadata(retries=1))
async def tries_again(x: int) -> int:
    found = await add_one(x=x)
    if os.environ["FLYTE_ATTEMPT_NUMBER"] == "0":
        raise FlyteRecoverableException("not at the first go")
    return found
