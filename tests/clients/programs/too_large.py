"""A task that asks for more than the platform allows."""

from flytekit import Resources, task


@task(requests=Resources(cpu="64"))
def greedy() -> int:
    return 1
