"""Every kind of node, small enough to run in a moment, with results that tell whether it ran as it says."""

import functools
import pathlib
import time
from datetime import timedelta

from flytekit import (
    Deck,
    LaunchPlan,
    WorkflowFailurePolicy,
    approve,
    conditional,
    current_context,
    dynamic,
    map_task,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from flytekit.types.error.error import FlyteError
from flytekit.types.file import FlyteFile


@task
def double(x: int) -> int:
    return 2 * x


@task
def add(x: int, y: int) -> int:
    return x + y


@task
def spread(n: int) -> list[int]:
    return list(range(n))


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def total_of_some(xs: list[int | None]) -> int:
    return sum(x for x in xs if x is not None)


@task
def fail_if(x: int, limit: int) -> int:
    if x >= limit:
        raise ValueError(f"{x} is too much")
    return x


@task
def tell(x: int, err: FlyteError | None = None) -> None:
    print("told of", x, err)


@workflow
def inner(x: int, y: int = 3) -> int:
    return add(x=double(x=x), y=y)


@workflow
def middle(x: int) -> int:
    return inner(x=inner(x=x), y=1)


@workflow
def named(x: int) -> int:
    doubled = double(x=x).with_overrides(node_name="verdoppelt-für-später")
    return double(x=doubled).with_overrides(node_name="ergebnis")


@workflow
def sub_workflows(x: int) -> int:
    return add(x=middle(x=x), y=inner(x=x))


@workflow
def choosing(x: int, ready: bool) -> int:
    return (
        conditional("size")
        .if_((x > 10) & ready.is_true())
        .then(double(x=x))
        .elif_((x <= 0) | (x == 5))
        .then(inner(x=x))
        .else_()
        .then(conditional("parity").if_(x == 7).then(add(x=x, y=100)).else_().fail("neither of these"))
    )


@dynamic
def fan_out(n: int) -> int:
    parts = [double(x=part) for part in range(n)]
    return total(xs=parts)


@dynamic
def nest(depth: int) -> int:
    if depth == 0:
        return inner(x=1)
    return add(x=nest(depth=depth - 1), y=fan_out(n=depth))


@workflow
def dynamics(n: int, depth: int) -> int:
    return add(x=fan_out(n=n), y=nest(depth=depth))


@workflow
def mapped(n: int) -> int:
    return total(xs=map_task(double, concurrency=3)(x=spread(n=n)))


@workflow
def mapped_in_part(n: int, limit: int) -> int:
    parts = map_task(functools.partial(fail_if, limit=limit), min_success_ratio=0.5)(x=spread(n=n))
    return total_of_some(xs=parts)


inner_plan = LaunchPlan.get_or_create(inner, "whole.inner_plan", default_inputs={"y": 5})


@workflow
def launches(x: int) -> int:
    return add(x=inner_plan(x=x), y=inner_plan(x=x, y=1))


@workflow
def gated(x: int) -> int:
    value = wait_for_input("number", timeout=timedelta(minutes=5), expected_type=int)
    approved = approve(add(x=x, y=value), "sure", timeout=timedelta(minutes=5))
    slept = sleep(timedelta(milliseconds=100))
    last = double(x=approved)
    slept >> last
    return last


@task
def tidy(folder: str) -> None:
    with (pathlib.Path(folder) / "tidied.tries").open("a") as tries:
        tries.write(".")


@workflow
def tidying(folder: str) -> None:
    tidy(folder=folder)


@workflow(on_failure=LaunchPlan.get_or_create(tidying, name="whole.tidying_plan"))
def tidied(folder: str) -> int:
    return fail_if(x=1, limit=0)


@workflow(on_failure=tell)
def handled(x: int) -> int:
    return fail_if(x=x, limit=0)


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def patient(x: int) -> int:
    first = fail_if(x=x, limit=0)
    second = double(x=double(x=x))
    return add(x=first, y=second)


@task(cache=True, cache_version="1")
def slowly(x: int, key: str) -> str:
    return f"{x} by {current_context().execution_id.name}"


@workflow
def cached(x: int, key: str) -> str:
    return slowly(x=x, key=key)


@task
def marked(folder: str, name: str) -> str:
    """Fail until the file `name` is there; leave a trace of each try."""
    with open(f"{folder}/{name}.tries", "a") as tries:
        tries.write(".")
    if not pathlib.Path(folder, name).exists():
        raise ValueError(f"{name} is not there yet")
    return name


@task
def prepared(folder: str) -> str:
    with open(f"{folder}/prepared.tries", "a") as tries:
        tries.write(".")
    return "prepared"


@task
def names_of(count: int) -> list[str]:
    return [f"part{number}" for number in range(count)]


@dynamic
def marks(folder: str, count: int) -> list[str]:
    return [marked(folder=folder, name=f"dyn{number}") for number in range(count)]


@workflow
def marked_inside(folder: str) -> str:
    return marked(folder=folder, name="inside")


marked_plan = LaunchPlan.get_or_create(marked_inside, "whole.marked_plan")


@workflow
def recoverable(folder: str) -> None:
    first = prepared(folder=folder)
    mapped = map_task(functools.partial(marked, folder=folder))(name=names_of(count=3))
    grown = marks(folder=folder, count=2)
    inside = marked_inside(folder=folder)
    launched = marked_plan(folder=folder)
    first >> mapped
    first >> grown
    first >> inside
    first >> launched


@task
def wait_for(folder: str) -> None:
    pathlib.Path(folder, "waiting").touch()
    time.sleep(600)


@workflow
def waiting_inside(folder: str) -> None:
    wait_for(folder=folder)


waiting_plan = LaunchPlan.get_or_create(waiting_inside, "whole.waiting_plan")


@workflow
def waits_everywhere(folder: str) -> None:
    waiting_plan(folder=folder)
    waiting_inside(folder=folder)
    wait_for_input("never", timeout=timedelta(minutes=5), expected_type=str)
    map_task(wait_for)(folder=[folder, folder])


@workflow
def single(x: int) -> int:
    return double(x=x)


single_plan = LaunchPlan.get_or_create(single, "whole.single_plan")


@workflow
def mapped_launches(n: int) -> list[int]:
    return map_task(single_plan, concurrency=2)(x=spread(n=n))


@dynamic
def mapped_inside(n: int) -> int:
    return total(xs=map_task(double)(x=spread(n=n)))


@workflow
def mapped_within(n: int) -> int:
    return mapped_inside(n=n)


@task(cache=True, cache_version="1")
def cached_double(x: int, folder: str) -> int:
    with open(f"{folder}/{x}.tries", "a") as tries:
        tries.write(".")
    return 2 * x


@workflow
def mapped_cached(n: int, folder: str) -> int:
    return total(xs=map_task(functools.partial(cached_double, folder=folder))(x=spread(n=n)))


@task(cache=True, cache_version="1", cache_serialize=True)
def one_at_a_time(folder: str) -> str:
    with open(f"{folder}/serial.tries", "a") as tries:
        tries.write(".")
    time.sleep(1)
    return current_context().execution_id.name


@workflow
def serialized(folder: str) -> str:
    return one_at_a_time(folder=folder)


@task(cache=True, cache_version="1")
def written(folder: str) -> FlyteFile:
    with open(f"{folder}/written.tries", "a") as tries:
        tries.write(".")
    path = pathlib.Path(current_context().working_directory) / "result.txt"
    path.write_text("written")
    return FlyteFile(str(path))


@workflow
def cached_file(folder: str) -> FlyteFile:
    return written(folder=folder)


@task(enable_deck=True)
def decked(x: int) -> int:
    Deck("what it shows", f"<b>{x} shown</b>")
    return x


@workflow
def shows(x: int) -> int:
    return decked(x=x)
