"""Literals as text for people: `rows: int = 336776`. The types come from the workflow's interface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dayfly.model import plain_values, type_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyteidl.core import interface_pb2, literals_pb2

MAX_TEXT = 400
"""Longer values are cut, and the cut is said."""


def lines(values: literals_pb2.LiteralMap, declared: interface_pb2.VariableMap) -> Iterator[str]:
    """Yield one line for each value, in the order of its name."""
    for name in sorted(values.literals):
        kind = type_names.describe(declared.variables[name].type) if name in declared.variables else "?"
        text = _text(plain_values.to_plain(values.literals[name]))
        yield f"{name}: {kind} = {text}"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text)} characters)"
