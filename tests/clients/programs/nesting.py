"""Tasks that say where they are: in a sub-workflow, in what a dynamic task made, in the elements of an array."""

from __future__ import annotations

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
