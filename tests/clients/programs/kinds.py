"""Inputs that a client uploads, and values of every kind; registered and run by `test_kinds_of_input`."""

import enum
import os
from dataclasses import dataclass, field

import pandas as pd
from flytekit import task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Settings:
    factor: float
    tags: list[str] = field(default_factory=list)


@task
def read(file: FlyteFile, folder: FlyteDirectory, table: pd.DataFrame) -> str:
    with open(file) as opened:
        text = opened.read()
    return f"{text} {sorted(os.listdir(folder.download()))} {len(table)}"


@workflow
def uploaded(file: FlyteFile, folder: FlyteDirectory, table: pd.DataFrame) -> str:
    return read(file=file, folder=folder, table=table)


@task
def tell(settings: Settings, color: Color, maybe: int | None, either: int | str, counts: dict[str, int]) -> str:
    return f"{settings.factor} {settings.tags} {color.value} {maybe} {either!r} {counts} {os.environ['GREETING']}"


@workflow
def typed(
    settings: Settings,
    color: Color = Color.RED,
    maybe: int | None = None,
    either: int | str = "text",
    counts: dict[str, int] = {"one": 1},  # noqa: B006 - flytekit copies it
) -> str:
    return tell(settings=settings, color=color, maybe=maybe, either=either, counts=counts)
