"""Tasks that fail in ways of their own, inside of everything that nodes can be inside of."""

import json
import sys

from flytekit import LaunchPlan, dynamic, map_task, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException


def parse(text: str) -> int:
    return json.loads(text)


@task
def fit(x: int) -> int:
    return parse("{bad" + str(x))


@task
def fit_again(x: int) -> int:
    try:
        return parse("{bad")
    except ValueError as error:
        raise RuntimeError(f"could not fit {x}") from error


@task(retries=1)
def flaky(x: int) -> int:
    if x:
        raise FlyteRecoverableException("not yet")
    return x


@task
def wrong_type(x: int) -> int:
    return "text"


@task
def needs_module(x: int) -> int:
    import no_such_module

    return no_such_module.x


@task
def leaves(x: int) -> int:
    sys.exit(3)
    return x


@task
def numbers(n: int) -> list[int]:
    return list(range(n))


@workflow
def train(x: int) -> int:
    return fit(x=x)


@workflow
def nested(x: int) -> int:
    return train(x=x)


nightly = LaunchPlan.get_or_create(nested, name="failing.nightly")


@workflow
def launches(x: int) -> int:
    return nightly(x=x)


@dynamic
def grow(x: int) -> int:
    return train(x=x)


@workflow
def grows(x: int) -> int:
    return grow(x=x)


@workflow
def mapped(x: int) -> list[int]:
    return map_task(fit_again)(x=numbers(n=x))


@workflow
def retried(x: int) -> int:
    return flaky(x=x)


@workflow
def returns_another(x: int) -> int:
    return wrong_type(x=x)


@workflow
def without_module(x: int) -> int:
    return needs_module(x=x)


@workflow
def exits(x: int) -> int:
    return leaves(x=x)
