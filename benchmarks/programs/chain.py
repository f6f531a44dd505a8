"""A chain of fifty tasks that do nothing."""

from flytekit import task, workflow


@task
def noop(x: int) -> int:
    return x


@workflow
def chain(x: int = 0) -> int:
    for _ in range(50):
        x = noop(x=x)
    return x
