"""Many tasks that do nothing: side by side, as a map task, and in many executions at once."""

from flytekit import dynamic, map_task, task, workflow


@task
def noop(x: int) -> int:
    return x


@dynamic
def fan_out(n: int) -> list[int]:
    return [noop(x=number) for number in range(n)]


@task
def numbers(n: int) -> list[int]:
    return list(range(n))


@task
def length(xs: list[int]) -> int:
    return len(xs)


@workflow
def wide(n: int) -> list[int]:
    return fan_out(n=n)


@workflow
def mapped(n: int) -> int:
    return length(xs=map_task(noop)(x=numbers(n=n)))


@workflow
def five(x: int = 0) -> int:
    first = noop(x=x)
    left, right = noop(x=first), noop(x=first)
    third = noop(x=left)
    right >> third
    return noop(x=third)
