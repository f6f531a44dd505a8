"""Dask's own reports as a scheduler's log tells them, and their files at home, beside the flight record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dayfly.base import logs
from dayfly.ports import records

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_log = logs.get("executors.dask")


class Report(NamedTuple):
    """One of them."""

    name: str
    raw: bytes


def read(body: bytes) -> Report | None:
    """Return what is told; None for what is none of `records.REPORTS`. Pure."""
    name, _, raw = body.partition(b"\n")
    known = next((one for one in records.REPORTS if one.encode() == name), None)
    return Report(known, raw) if known is not None and raw else None


def write(folder: Path, reports: Iterable[Report]) -> None:
    """Keep them; where the disk is full, that is said, and they are left out."""
    for report in reports:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            made = folder / f"{report.name}.new"
            made.write_bytes(report.raw)
            made.replace(folder / report.name)
        except OSError as error:
            _log.warning("a report of Dask's cannot be kept", folder=str(folder), report=report.name, error=str(error))


def list_made(folder: Path) -> list[str]:
    """Return the names of those that there are."""
    return [name for name in records.REPORTS if (folder / name).exists()]
