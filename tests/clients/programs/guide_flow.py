"""What a user guide shows of workflows: composition, conditions, maps, growth at run time, waiting, failing."""

import asyncio
import functools
from dataclasses import dataclass
from datetime import timedelta

from flytekit import (
    LaunchPlan,
    Resources,
    WorkflowFailurePolicy,
    approve,
    conditional,
    dynamic,
    eager,
    map_task,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from flytekit.core.workflow import ImperativeWorkflow
from flytekit.exceptions.eager import EagerException
from flytekit.types.error.error import FlyteError


@dataclass
class Point:
    x: int
    y: int


@task
def double(x: int) -> int:
    return 2 * x


@task
def add(x: int, y: int) -> int:
    return x + y


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def is_even(x: int) -> bool:
    return x % 2 == 0


@task
def scaled(point: Point, by: int, names: list[str]) -> int:
    return (point.x + point.y) * by + len(names)


@task
def points(count: int) -> list[Point]:
    return [Point(index, index) for index in range(count)]


@task
def tell(text: str) -> str:
    return text


@task
def breaks(x: int) -> int:
    if x > 0:
        raise ValueError("as it was meant to")
    return x


@task
def clean_up(x: int, err: FlyteError | None = None) -> None:
    print("cleaned up", x)


# Workflows of workflows


@workflow
def inner(x: int, y: int = 10) -> int:
    """Add the double of a number to another."""
    return add(x=double(x=x), y=y)


@workflow
def outer(x: int) -> tuple[int, int]:
    return inner(x=x), inner(x=x, y=inner(x=1))


@workflow
def outermost(x: int) -> int:
    first, second = outer(x=x)
    return add(x=first, y=second)


# Conditions


@workflow
def shape(radius: float) -> float:
    return (
        conditional("shape")
        .if_((radius >= 0.1) & (radius < 1.0))
        .then(conditional_area(radius=radius))
        .elif_((radius > 1.0) | (radius == 1.0))
        .then(half(radius=radius))
        .else_()
        .fail("the radius is too small")
    )


@task
def conditional_area(radius: float) -> float:
    return radius * radius


@task
def half(radius: float) -> float:
    return radius / 2


@workflow
def parity(x: int) -> str:
    even = is_even(x=x)
    return (
        conditional("parity")
        .if_(even.is_true())
        .then(tell(text="even"))
        .elif_(even.is_false())
        .then(tell(text="odd"))
        .else_()
        .fail("neither")
    )


@workflow
def chosen(x: int, name: str) -> int:
    """Use what a condition gave, of a task, a workflow, and a launch plan."""
    made = (
        conditional("by name")
        .if_(name == "task")
        .then(double(x=x))
        .elif_(name == "workflow")
        .then(inner(x=x))
        .elif_(name != "nothing")
        .then(inner_plan(x=x))
        .else_()
        .then(nested_choice(x=x))
    )
    return add(x=made, y=1)


@workflow
def nested_choice(x: int) -> int:
    return conditional("inner").if_(x <= 5).then(double(x=x)).else_().then(add(x=x, y=x))


inner_plan = LaunchPlan.get_or_create(inner, "guide_flow.inner_plan", default_inputs={"y": 100})


# Maps


@workflow
def mapped(xs: list[int]) -> int:
    return total(xs=map_task(double)(x=xs).with_overrides(requests=Resources(cpu="1"), retries=1))


@workflow
def mapped_partly(xs: list[int], by: int = 3) -> list[int]:
    return map_task(functools.partial(add, y=by), concurrency=2)(x=xs)


@workflow
def mapped_over_points(count: int = 3) -> list[int | None]:
    bound = functools.partial(scaled, by=2, names=["a", "b"])
    return map_task(bound, min_success_ratio=0.5)(point=points(count=count))


@workflow
def mapped_in_two(xs: list[int], ys: list[int]) -> list[int]:
    return map_task(add)(x=map_task(double)(x=xs), y=ys)


# Growth at run time


@dynamic
def grown(count: int) -> list[int]:
    return [add(x=index, y=inner(x=index)) for index in range(count)]


@dynamic(requests=Resources(cpu="500m"), retries=1)
def factorial(n: int) -> int:
    if n <= 1:
        return double(x=1)
    return add(x=n, y=factorial(n=n - 1))


@dynamic
def merge_sort(numbers: list[int]) -> list[int]:
    if len(numbers) <= 1:
        return numbers
    middle = len(numbers) // 2
    return merged(left=merge_sort(numbers=numbers[:middle]), right=merge_sort(numbers=numbers[middle:]))


@task
def merged(left: list[int], right: list[int]) -> list[int]:
    return sorted(left + right)


@workflow
def growing(count: int) -> int:
    return total(xs=grown(count=count))


@workflow
def sorting(numbers: list[int]) -> list[int]:
    return merge_sort(numbers=numbers)


@workflow
def counting_down(n: int = 3) -> int:
    return factorial(n=n)


# Waiting


@workflow
def reported(x: int) -> str:
    """Ask for a title, let people approve, and send what they took."""
    title = wait_for_input("title", timeout=timedelta(hours=1), expected_type=str)
    review = wait_for_input("review-passes", timeout=timedelta(hours=2), expected_type=bool)
    doubled = approve(double(x=x), "number-approved", timeout=timedelta(hours=1))
    doubled >> review
    return (
        conditional("final")
        .if_(review.is_true())
        .then(tell(text=title))
        .else_()
        .then(tell(text="the report was refused"))
    )


@workflow
def slept(x: int) -> int:
    before = double(x=x)
    pause = sleep(timedelta(milliseconds=100))
    after = double(x=before)
    before >> pause
    pause >> after
    return after


# Failing


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, interruptible=True)
def goes_on(x: int) -> int:
    breaks(x=1)
    return double(x=x)


@workflow(on_failure=clean_up)
def cleaned(x: int) -> int:
    return breaks(x=x)


@workflow
def clean_up_workflow(x: int, err: FlyteError | None = None):
    clean_up(x=x, err=err)


@workflow(on_failure=clean_up_workflow)
def cleaned_by_workflow(x: int) -> int:
    return breaks(x=inner(x=x))


# Built by calls, and by a running program

built = ImperativeWorkflow(name="guide_flow.built")
built.add_workflow_input("x", int)
built.add_workflow_input("y", int)
_doubled = built.add_entity(double, x=built.inputs["x"])
_inner = built.add_subwf(inner, x=_doubled.outputs["o0"])
_planned = built.add_launch_plan(inner_plan, x=built.inputs["y"])
built.add_workflow_output("all", [_doubled.outputs["o0"], _inner.outputs["o0"], _planned.outputs["o0"]], list[int])


@task
async def tripled(x: int) -> int:
    return 3 * x


@task
async def refuses(x: int) -> int:
    if x > 0:
        raise ValueError(f"no {x} here")
    return x


@eager(environment={"WHO": "eager"})
async def eagerly(x: int) -> int:
    one, two = await asyncio.gather(tripled(x=x), tripled(x=x + 1))
    try:
        return await refuses(x=one)
    except EagerException:
        return add(x=one, y=inner(x=two))
