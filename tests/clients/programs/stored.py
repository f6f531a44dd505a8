"""A file, a folder and a table that go from task to task, and a file that comes from outside."""

from pathlib import Path

import pandas as pd
from flytekit import task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile


@task
def make(size: int) -> tuple[FlyteFile, FlyteDirectory, pd.DataFrame]:
    Path("a file.txt").write_text("x" * size)
    Path("folder/inside").mkdir(parents=True)
    for number in range(3):
        Path(f"folder/inside/{number}.bin").write_bytes(b"." * size)
    return FlyteFile("a file.txt"), FlyteDirectory("folder"), pd.DataFrame({"a": range(10)})


@task
def measure(file: FlyteFile, folder: FlyteDirectory, table: pd.DataFrame, given: FlyteFile) -> str:
    inside = [one.stat().st_size for one in Path(folder.download()).rglob("*.bin")]
    return f"{Path(file.download()).stat().st_size} {inside} {table.a.sum()} {Path(given.download()).read_text()}"


@workflow
def through(given: FlyteFile, size: int) -> tuple[str, FlyteFile]:
    file, folder, table = make(size=size)
    return measure(file=file, folder=folder, table=table, given=given), file
