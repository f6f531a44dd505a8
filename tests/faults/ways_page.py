"""The table of docs/ways-to-die.md, written from what `test_ways_to_die.py` has seen, and read back."""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import NamedTuple

from tests.faults.ways import Way

BEGIN = "<!-- made by tests/faults/test_ways_to_die.py -->\n"

COLUMNS = ("way", "told", "code", "whose fault", "tried again", "seconds until told", "left over")


class Seen(NamedTuple):
    """What came of one way."""

    message: str
    seconds: float
    """From the moment at which what is fatal began until a client was told of the end."""
    left: tuple[str, ...]
    """Processes, ports and folders."""


def made(ways: Iterable[Way], seen: Mapping[str, Seen]) -> str:
    """Return what is made of the page: when and where it was measured, and the table."""
    cores = len(os.sched_getaffinity(0))
    versions = f"Python {platform.python_version()}, dask {metadata.version('dask')}"
    where = f"{datetime.date.today()}, one after the other, on {cores} cores ({versions})"
    return f"Measured on {where}.\n\n{_table(ways, seen)}"


def _table(ways: Iterable[Way], seen: Mapping[str, Seen]) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    for way in ways:
        one = seen[way.id]
        left = ", ".join(one.left) or "nothing"
        told = (way.dies, shown(one.message), f"`{way.code}`", way.kind.lower(), way.again, f"{one.seconds:.1f}", left)
        rows.append(told)
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def read(page: str) -> list[tuple[str, ...]]:
    """Return the cells of the page's table, row by row."""
    lines = page.partition(BEGIN)[2].splitlines()
    rows = [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]) for line in lines if line[:2] == "| "]
    return [row for row in rows if row != COLUMNS and set(row) != {"---"}]


def shown(message: str) -> str:
    """Return what is told in one line: the first paragraph, and what to do where that stands further below."""
    told = message.partition("\n\n")[0]
    remedy = re.search(r"^What to do: .+$", message, re.MULTILINE)
    whole = " ".join(f"{told} {remedy[0] if remedy else ''}".split())
    whole = re.sub(r"(?<=-)[0-9a-f]{32}\b", "...", whole).replace("|", "\\|")
    return re.sub(r"([<>*])", r"\\\1", whole)
