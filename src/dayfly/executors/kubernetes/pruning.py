"""Which fields of a custom resource the cluster has dropped, since its definition is older than they. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def find_dropped(asked: Any, made: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of what was asked for and is not there; what says nothing is not missed."""
    if isinstance(asked, dict) and isinstance(made, dict):
        for name, value in asked.items():
            where = f"{path}.{name}" if path else name
            if name in made:
                yield from find_dropped(value, made[name], where)
            elif value not in (None, "", [], {}):
                yield where
    elif isinstance(asked, list) and isinstance(made, list):
        for place, (one, other) in enumerate(zip(asked, made, strict=False)):
            yield from find_dropped(one, other, f"{path}[{place}]")
