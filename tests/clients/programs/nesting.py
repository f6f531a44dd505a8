"""Tasks that say where they are: in a sub-workflow, in what a dynamic task made, in the elements of an array."""

from __future__ import annotations

import os
import time

from flytekit import dynamic, map_task, task, workflow


@task
def say(where: str) -> str:
    print(f"said in {where}")
    return where


@workflow
def inner(where: str) -> str:
    return say(where=where)


@dynamic
def outer(where: str) -> str:
    print("said by the dynamic task")
    return say(where=where)


@task
def gather(all: list[str]) -> int:
    return len(all)


@workflow
def everywhere(elements: list[str]) -> int:
    inner(where="the sub-workflow")
    outer(where="what it made")
    return gather(all=map_task(say)(where=elements))


@task
def patient(until: str) -> None:
    print("said at the beginning")
    while not os.path.exists(until):
        time.sleep(0.05)
    print("said at the end")
