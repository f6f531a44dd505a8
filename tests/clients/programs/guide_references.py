"""Workflows of what somebody else has registered."""

from flytekit import reference_launch_plan, reference_task, workflow


@reference_task(project="flytesnacks", domain="development", name="guide.double", version="one")
def double(x: int) -> int: ...


@reference_launch_plan(project="flytesnacks", domain="development", name="daily", version="one")
def daily(x: int) -> int: ...


@workflow
def referring(x: int) -> int:
    return double(x=daily(x=x))
