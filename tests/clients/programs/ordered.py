"""A workflow that a FlyteWorkflow resource starts, and a dataclass among its inputs."""

import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Union

from flytekit import task, workflow
from flytekit.types.file import FlyteFile


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Order:
    item: str
    amounts: list[int]


@task
def sum_up(order: Order, size: Size, rates: dict[str, float], note: FlyteFile, either: Union[int, str]) -> str:
    with open(note) as text:
        return f"{order.item} {sum(order.amounts)} {size.value} {sum(rates.values()):g} {text.read()} {either!r}"


@task
def wait(told: str, until: str) -> str:
    while until and not Path(until).exists():
        time.sleep(0.05)
    return told


@workflow
def ordered(
    order: Order,
    note: FlyteFile,
    rates: dict[str, float],
    size: Size = Size.SMALL,
    either: Union[int, str] = 1,
    until: str = "",
) -> str:
    return wait(told=sum_up(order=order, size=size, rates=rates, note=note, either=either), until=until)
