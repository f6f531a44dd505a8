"""What a user guide shows, one workflow a feature: everything that flytekit registers."""

import enum
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple, Union

import pandas as pd
from flytekit import (
    CronSchedule,
    FixedRate,
    LaunchPlan,
    Resources,
    approve,
    conditional,
    dynamic,
    eager,
    kwtypes,
    map_task,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from flytekit.core.workflow import ImperativeWorkflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured.structured_dataset import StructuredDataset
from pydantic import BaseModel


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Inner:
    factor: float = 1.5
    tags: list[str] = field(default_factory=list)


@dataclass
class Settings:
    inner: Inner
    names: dict[str, int] = field(default_factory=dict)


class Model(BaseModel):
    depth: int = 3
    name: str = "tree"


class Pair(NamedTuple):
    first: int
    second: str


@task
def double(x: int) -> int:
    return 2 * x


@task(retries=2, timeout=timedelta(minutes=5), requests=Resources(cpu="1", mem="500Mi"))
def add(x: int, y: int) -> int:
    return x + y


@task
def describe(
    settings: Settings, model: Model, color: Color, maybe: int | None, either: Union[int, str, list[float]]
) -> str:
    return f"{settings} {model} {color} {maybe} {either}"


@task
def scale(factor: float, name: str) -> float:
    return factor


@task
def pair() -> Pair:
    return Pair(1, "one")


@task
def table() -> Annotated[pd.DataFrame, kwtypes(a=int, b=str)]:
    return pd.DataFrame({"a": [1], "b": ["x"]})


@task
def count(frame: StructuredDataset, file: FlyteFile, folder: FlyteDirectory) -> int:
    return 0


@task
def report(x: int, at: datetime, every: timedelta) -> None: ...


@task
def clean_up(x: int) -> None: ...


@workflow
def chain(x: int, y: int = 3) -> int:
    return add(x=double(x=x), y=y)


@workflow
def typed(
    settings: Settings,
    model: Model,
    color: Color = Color.RED,
    maybe: int | None = None,
    either: Union[int, str, list[float]] = "x",
) -> float:
    describe(settings=settings, model=model, color=color, maybe=maybe, either=either)
    return scale(factor=settings.inner.factor, name=model.name)


@workflow
def tuples() -> Pair:
    made = pair()
    return Pair(made.first, made.second)


@workflow
def data(file: FlyteFile, folder: FlyteDirectory) -> int:
    return count(frame=table(), file=file, folder=folder)


@workflow
def times(x: int, kickoff: datetime, every: timedelta = timedelta(hours=1)) -> None:
    report(x=x, at=kickoff, every=every)


@workflow
def nested(x: int) -> int:
    return add(x=chain(x=x), y=chain(x=x, y=4)).with_overrides(name="the sum", requests=Resources(mem="1Gi"), retries=1)


@workflow
def deeper(x: int) -> int:
    return nested(x=nested(x=x))


@workflow
def choosing(x: int, ready: bool) -> int:
    return (
        conditional("size")
        .if_((x > 10) & (x <= 100))
        .then(chain(x=x))
        .elif_((x == 5) | (ready.is_true()))
        .then(conditional("inner").if_(x != 7).then(double(x=x)).else_().then(add(x=x, y=x)))
        .else_()
        .fail("too small")
    )


@workflow
def mapping(xs: list[int]) -> list[int | None]:
    return map_task(double, concurrency=4, min_success_ratio=0.8)(x=xs)


@dynamic
def grow(count: int) -> list[int]:
    return [double(x=index) for index in range(count)]


@workflow
def growing(count: int) -> list[int]:
    return grow(count=count)


@workflow
def gated(x: int) -> int:
    paused = sleep(timedelta(seconds=1))
    given = wait_for_input("a-number", timeout=timedelta(hours=1), expected_type=int)
    doubled = double(x=x)
    paused >> doubled
    return add(x=approve(doubled, "looks-right", timeout=timedelta(hours=1)), y=given)


@workflow(on_failure=clean_up)
def failing(x: int) -> int:
    return double(x=x)


daily = LaunchPlan.get_or_create(
    chain, "daily", default_inputs={"x": 7}, fixed_inputs={"y": 1}, schedule=CronSchedule(schedule="0 6 * * *")
)
hourly = LaunchPlan.get_or_create(
    times, "hourly", fixed_inputs={"x": 1}, schedule=FixedRate(timedelta(hours=1), kickoff_time_input_arg="kickoff")
)


@workflow
def launching(x: int) -> int:
    return add(x=daily(x=x), y=daily())


@workflow
def mapping_plans(xs: list[int]) -> list[int]:
    return map_task(LaunchPlan.get_or_create(chain, "each", fixed_inputs={"y": 2}))(x=xs)


@eager
async def eagerly(x: int) -> int:
    return double(x=double(x=x))


imperative = ImperativeWorkflow(name="guide.imperative")
imperative.add_workflow_input("x", int)
_node = imperative.add_entity(double, x=imperative.inputs["x"])
imperative.add_workflow_output("result", _node.outputs["o0"])
