"""Runs to look at: a shop's numbers, from sales to a forecast, with a node of every kind."""

import enum
import itertools
import os
import time
from dataclasses import dataclass, field
from datetime import timedelta

import distributed
import pandas as pd
from flytekit import (
    CronSchedule,
    Deck,
    LaunchPlan,
    Resources,
    approve,
    conditional,
    current_context,
    dynamic,
    map_task,
    task,
    wait_for_input,
    workflow,
)
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekitplugins.dask import Dask, Scheduler, WorkerGroup

from dayfly.dask import Adapt, DaskCluster, Workers


class Region(enum.Enum):
    NORTH = "north"
    SOUTH = "south"


@dataclass
class Model:
    depth: int = 6
    rate: float = 0.1
    features: list[str] = field(default_factory=lambda: ["price", "weekday"])


@task(cache=True, cache_version="1")
def load_sales(region: Region, days: int) -> pd.DataFrame:
    """Read what was sold on each day."""
    return pd.DataFrame(
        {
            "day": pd.date_range("2026-01-01", periods=days),
            "region": region.value,
            "sold": [(7 * day) % 23 + 40 for day in range(days)],
        }
    )


@task(enable_deck=True)
def describe(sales: pd.DataFrame) -> FlyteFile:
    """Draw a report, and write a file."""
    Deck("Sales", f"<h1>Sales</h1>{sales.head(12).to_html()}")
    folder = current_context().working_directory
    path = os.path.join(folder, "sales.csv")
    sales.to_csv(path)
    return FlyteFile(path)


@task
def score(day: int) -> float:
    print(f"scoring day {day}")
    return day * 1.5


@task
def total(scores: list[float]) -> float:
    return float(sum(scores))


@workflow
def scoring(days: list[int]) -> float:
    """Score each day by itself."""
    return total(scores=map_task(score, concurrency=4)(day=days))


@task
def is_large(value: float) -> bool:
    return value > 10


@task
def shrink(value: float) -> float:
    return value / 2


@dynamic
def refine(rounds: int, value: float) -> float:
    """Make as many nodes as are asked for."""
    for _ in range(rounds):
        value = shrink(value=value)
    return value


def slow_square(number: int, seconds: float) -> int:
    time.sleep(seconds)
    return number * number


@task(
    task_config=Dask(
        scheduler=Scheduler(limits=Resources(cpu="1", mem="300Mi")),
        workers=WorkerGroup(number_of_workers=3, limits=Resources(cpu="1", mem="300Mi")),
    )
)
def train(model: Model, numbers: int, seconds: float = 0.01) -> int:
    """Fit something on a cluster of its own."""
    with distributed.Client() as client:
        print(f"training with depth {model.depth}")
        squares = client.map(slow_square, range(numbers), seconds=seconds)
        return sum(client.gather(squares))


@workflow
def forecast(
    region: Region = Region.NORTH,
    days: int = 60,
    model: Model = Model(),  # noqa: B008  flytekit copies it
    scored: list[int] = [1, 2, 3, 4, 5, 6, 7, 8],  # noqa: B006  flytekit copies it
) -> tuple[float, FlyteFile, int]:
    """From sales to a forecast."""
    sales = load_sales(region=region, days=days)
    report = describe(sales=sales)
    scores = scoring(days=scored)
    refined = refine(rounds=3, value=scores)
    large = is_large(value=refined)
    final = conditional("size").if_(large.is_true()).then(shrink(value=refined)).else_().then(shrink(value=scores))
    trained = train(model=model, numbers=60)
    return final, report, trained


nightly = LaunchPlan.get_or_create(
    forecast, "forecast.nightly", schedule=CronSchedule(schedule="30 2 * * *"), default_inputs={"days": 90}
)


@task(retries=2)
def divide(amount: int, by: int) -> float:
    """Fail where `by` is 0."""
    print(f"dividing {amount} by {by}", flush=True)
    return amount / by


@workflow
def budget(amount: int = 1000, teams: int = 0) -> float:
    """A run that fails, as people's runs do."""
    return divide(amount=amount, by=teams)


@task
def publish(price: float, note: str) -> str:
    return f"published {price:.2f}: {note}"


@task
def propose(price: float) -> float:
    return price * 1.05


@workflow
def pricing(price: float = 20.0) -> str:
    """Wait for people: an approval and a value."""
    proposed = approve(propose(price=price), "good-price", timeout=timedelta(hours=1))
    note = wait_for_input("note", timeout=timedelta(hours=1), expected_type=str)
    return publish(price=proposed, note=note)


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2, limits=Resources(cpu="1", mem="300Mi"))))
def simulate(until: str, seconds: float = 0.02) -> int:
    """Keep a cluster busy until a file appears."""
    done = 0
    with distributed.Client() as client:
        while not os.path.exists(until):
            done += len(client.gather(client.map(slow_square, range(done, done + 20), seconds=seconds)))
            print(f"simulated {done}", flush=True)
    return done


@task(
    task_config=Dask(workers=WorkerGroup(number_of_workers=2, limits=Resources(cpu="1", mem="250Mi"))),
    environment={"DAYFLY_REPORT_SECONDS": "60"},
)
def hoard() -> int:
    """Fail for want of memory."""
    with distributed.Client() as client:
        return client.submit(lambda: len(bytearray(2_000_000_000)), retries=0, key="hoard-1").result()


def read_month(month: int) -> bytes:
    time.sleep(0.1 + 0.05 * (month % 4))
    return bytes(4_000_000 + 1_000_000 * (month % 3))


def clean_month(content: bytes) -> bytes:
    time.sleep(0.08)
    return content[: len(content) // 2]


def fit_season(*months: bytes) -> int:
    time.sleep(0.5)
    return sum(len(one) for one in months)


@task(
    task_config=DaskCluster(
        workers=Workers(
            number_of_workers=1, limits=Resources(cpu="500m", mem="300Mi"), adapt=Adapt(minimum=1, maximum=3)
        )
    )
)
def seasons(until: str, years: int = 4) -> int:
    """Read, clean and fit, more and more, until a file appears; the cluster grows with the work."""
    total = 0
    with distributed.Client() as client:
        for year in itertools.count():
            read = client.map(read_month, range(12 * year, 12 * year + 12), key=f"read_month-{year}")
            cleaned = client.map(clean_month, read, key=f"clean_month-{year}")
            fitted = [
                client.submit(fit_season, *cleaned[n : n + 3], key=f"fit_season-{year}-{n}") for n in (0, 3, 6, 9)
            ]
            total += sum(client.gather(fitted))
            if year + 1 >= years and (not until or os.path.exists(until)):
                return total
    return total


@task
def wait_for(until: str, name: str) -> str:
    print(f"{name} waits", flush=True)
    while not os.path.exists(until):
        time.sleep(0.1)
    return name


@workflow
def slow(until: str) -> tuple[str, str]:
    """Go on until a file appears."""
    first = wait_for(until=until, name="first")
    second = wait_for(until=until, name="second")
    first >> second
    return first, second


@task
def is_ready() -> bool:
    return True


@task
def keep_all(
    folder: FlyteDirectory, limits: dict[str, int], window: timedelta, maybe: int | None, either: int | str
) -> str:
    return f"{limits} {window} {maybe} {either!r}"


@workflow
def many_types(
    folder: FlyteDirectory,
    limits: dict[str, int],
    window: timedelta = timedelta(days=1),
    maybe: int | None = None,
    either: int | str = "text",
) -> str:
    return keep_all(folder=folder, limits=limits, window=window, maybe=maybe, either=either)
