"""What a user guide shows of data: every type that a task takes and gives, and the parts that a workflow uses."""

import enum
import os
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union

import numpy as np
import pandas as pd
from flytekit import current_context, kwtypes, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile, JSONLFile
from flytekit.types.structured.structured_dataset import StructuredDataset
from pydantic import BaseModel, Field


class Coffee(enum.Enum):
    ESPRESSO = "espresso"
    LATTE = "latte"


@dataclass
class Size:
    width: int = 1
    height: float = 2.0


@dataclass
class Thing:
    name: str
    size: Size
    tags: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    kind: Coffee = Coffee.LATTE
    note: str | None = None


class Leaf(BaseModel):
    value: int
    label: str = "leaf"


class Tree(BaseModel):
    leaves: list[Leaf] = Field(default_factory=list)
    depth: int = 0
    by_name: dict[str, Leaf] = Field(default_factory=dict)


@dataclass
class Parcel:
    file: FlyteFile
    table: StructuredDataset


class Anything:
    """Of no type that Flyte knows: it travels as a pickle."""

    def __init__(self, number: int) -> None:
        self.number = number


class Answer(NamedTuple):
    number: int
    text: str


GIVEN = Thing(name="default", size=Size(height=4.5))
CSV = FlyteFile["csv"]
COLUMNS = kwtypes(name=str, age=int)


def _folder(name: str) -> Path:
    made = Path(current_context().working_directory) / name
    made.mkdir(parents=True, exist_ok=True)
    return made


# Files and folders


@task
def write_csv(rows: int) -> CSV:
    path = _folder("csv") / "rows.csv"
    path.write_text("a,b\n" + "1,2\n" * rows)
    return FlyteFile(str(path))


@task
def write_lines(texts: list[str]) -> JSONLFile:
    path = _folder("lines") / "texts.jsonl"
    path.write_text("".join(f'"{text}"\n' for text in texts))
    return JSONLFile(str(path))


@task
def write_folder(count: int) -> FlyteDirectory:
    folder = _folder("many")
    for index in range(count):
        (folder / f"{index}.txt").write_text(str(index))
    return FlyteDirectory(str(folder))


@task
def read_all(table: CSV, lines: JSONLFile, folder: FlyteDirectory, more: list[FlyteFile]) -> str:
    sizes = [len(Path(file.download()).read_text().splitlines()) for file in (table, lines, *more)]
    return f"{sizes} {sorted(os.listdir(folder.download()))}"


@workflow
def files(rows: int = 2) -> str:
    table = write_csv(rows=rows)
    more = [write_csv(rows=1), table]
    return read_all(table=table, lines=write_lines(texts=["x", "y"]), folder=write_folder(count=2), more=more)


@task
def maybe_read(file: FlyteFile | None, named: dict[str, FlyteFile]) -> str:
    return f"{file is None} {sorted(named)}"


@workflow
def optional_files(file: FlyteFile | None = None) -> str:
    return maybe_read(file=file, named={"one": write_csv(rows=1)})


# Tables


@task
def people() -> Annotated[StructuredDataset, COLUMNS, "parquet"]:
    return StructuredDataset(dataframe=pd.DataFrame({"name": ["Ann", "Bob"], "age": [30, 40]}))


@task
def ages(table: Annotated[StructuredDataset, kwtypes(age=int)]) -> pd.DataFrame:
    return table.open(pd.DataFrame).all()


@task
def oldest(table: pd.DataFrame) -> int:
    return int(table["age"].max())


@workflow
def tables() -> tuple[int, StructuredDataset]:
    made = people()
    return oldest(table=ages(table=made)), made


# Dataclasses and pydantic models, and their parts


@task
def thing(name: str) -> Thing:
    return Thing(name=name, size=Size(width=3), tags=["a", "b"], counts={"one": 1}, kind=Coffee.ESPRESSO)


@task
def tree(depth: int) -> Tree:
    return Tree(leaves=[Leaf(value=7), Leaf(value=8)], depth=depth, by_name={"x": Leaf(value=9, label="ninth")})


@task
def joined(width: int, tag: str, count: int, leaf: Leaf, label: str, size: Size) -> str:
    return f"{width} {tag} {count} {leaf.value} {label} {size.height}"


@workflow
def parts(name: str, given: Thing = GIVEN) -> str:
    made, grown = thing(name=name), tree(depth=2)
    return joined(
        width=made.size.width,
        tag=made.tags[1],
        count=made.counts["one"],
        leaf=grown.leaves[1],
        label=grown.by_name["x"].label,
        size=given.size,
    )


@task
def packed(file: CSV, table: StructuredDataset) -> Parcel:
    return Parcel(file=FlyteFile(file.download()), table=table)


@task
def unpacked(parcel: Parcel) -> str:
    with open(parcel.file) as opened:
        return f"{len(opened.readlines())} {len(parcel.table.open(pd.DataFrame).all())}"


@workflow
def parcels() -> str:
    return unpacked(parcel=packed(file=write_csv(rows=3), table=people()))


# Enums, unions, times, tuples, and what has no type


@task
def brew(coffee: Coffee, size: Literal["small", "large"], others: list[Coffee]) -> Coffee:
    return others[0] if size == "large" else coffee


@workflow
def brewing(coffee: Coffee = Coffee.ESPRESSO, size: Literal["small", "large"] = "small") -> Coffee:
    return brew(coffee=coffee, size=size, others=[Coffee.LATTE])


@task
def either(value: Union[int, str, list[int]], maybe: dict[str, float] | None) -> Union[str, int]:
    return f"{type(value).__name__} {maybe}" if maybe is None else 3


@workflow
def unions(value: Union[int, str, list[int]] = "text", maybe: dict[str, float] | None = None) -> Union[str, int]:
    return either(value=value, maybe=maybe)


@task
def later(at: datetime, day: date, by: timedelta) -> datetime:
    return at + by + timedelta(days=day.day)


@workflow
def times(at: datetime, day: date = date(2026, 1, 2), by: timedelta = timedelta(hours=1)) -> datetime:
    return later(at=at, day=day, by=by)


@task
def answer(deep: dict[str, list[int]]) -> Answer:
    return Answer(number=deep["a"][1], text="two")


@task
def anything(number: int) -> Anything:
    return Anything(number)


@task
def number_of(thing: Anything, more: dict[str, Any], array: np.ndarray) -> int:
    return thing.number + more["x"] + int(array.sum())


@task
def array(size: int) -> np.ndarray:
    return np.ones(size)


@workflow
def untyped(number: int = 1) -> int:
    return number_of(thing=anything(number=number), more={"x": 10}, array=array(size=4))


@workflow
def named() -> Answer:
    made = answer(deep={"a": [1, 2], "b": []})
    return Answer(made.number, made.text)
