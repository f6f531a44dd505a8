"""A program for an older flytekit: registered, run and looked at by its own command line and client."""

from dataclasses import dataclass

import flytekit
import pandas as pd
from flytekit import LaunchPlan, map_task, task, workflow


@dataclass
class Told:
    text: str
    by: str


@task(retries=1)
def double(x: int) -> int:
    return 2 * x


@task
def tell(x: int, words: list[str]) -> Told:
    return Told(text=f"{x} {'-'.join(words)}", by=flytekit.__version__)


@task
def table(x: int) -> pd.DataFrame:
    return pd.DataFrame({"x": [x, x]})


@task
def total(frame: pd.DataFrame) -> int:
    return int(frame["x"].sum())


@task
def break_down(x: int) -> int:
    if x:
        raise ValueError("as it was meant to")
    return x


@workflow
def chain(x: int, words: list[str] = ["one"]) -> tuple[str, int]:  # noqa: B006  flytekit copies it
    doubled = double(x=x)
    return tell(x=doubled, words=words).text, total(frame=table(x=doubled))


@workflow
def by_whom() -> str:
    return tell(x=1, words=[]).by


@workflow
def failing() -> int:
    return break_down(x=1)


@workflow
def mapping(xs: list[int]) -> list[int]:
    return map_task(double)(x=xs)


doubled = LaunchPlan.get_or_create(chain, "older.doubled", default_inputs={"x": 50})
