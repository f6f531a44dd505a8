"""Workflows that FlyteWorkflow resources start."""

import time
from datetime import datetime, timedelta
from pathlib import Path

from flytekit import task, workflow


@task
def write(month: datetime, rows: int, share: float, every: timedelta, regions: list[str], title: str | None) -> str:
    return f"{title or 'Report'} {month:%Y-%m} {rows * share:g} {every.total_seconds():g} {'+'.join(regions)}"


@task
def count(text: str) -> int:
    return len(text)


@workflow
def monthly(
    month: datetime,
    regions: list[str],
    rows: int = 10,
    share: float = 0.5,
    every: timedelta = timedelta(hours=1),
    title: str | None = None,
) -> tuple[str, int]:
    text = write(month=month, rows=rows, share=share, every=every, regions=regions, title=title)
    return text, count(text=text)


@task
def refuse(text: str) -> str:
    if text:
        raise ValueError(f"no report for {text}")
    return text


@workflow
def failing(text: str) -> str:
    return refuse(text=text)


@task
def wait(text: str) -> str:
    while not Path(text).exists():
        time.sleep(0.1)
    return text


@workflow
def waiting(text: str) -> str:
    return wait(text=text)
