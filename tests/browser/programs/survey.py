"""A map of which some elements fail, and a task that works when it is tried again."""

import os

from flytekit import map_task, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException


@task
def ask(person: int) -> int:
    if person % 13 == 5:
        raise ValueError(f"person {person} does not answer")
    return person


@task
def count(answers: list[int | None]) -> int:
    return sum(one is not None for one in answers)


@task(retries=2)
def publish(counted: int) -> int:
    """Fail once, in a way that is tried again."""
    if os.environ["FLYTE_ATTEMPT_NUMBER"] == "0":
        raise FlyteRecoverableException("the printer is out of paper")
    return counted


@workflow
def survey(people: list[int]) -> int:
    return publish(counted=count(answers=map_task(ask, min_success_ratio=0.5)(person=people)))
