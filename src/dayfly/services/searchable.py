"""By which of its inputs an execution can be found. Pure.

Called by `launching`; the filter field `input` compares with what is written here. Only short single values are: texts,
numbers, truth values, moments, spans and choices of an enum, also within an optional. Lists, mappings, data classes,
files and datasets are not.
"""

from __future__ import annotations

from flyteidl.core import literals_pb2

MAX_INPUTS = 64
"""Inputs of one execution, the first by name."""

MAX_CHARACTERS = 200
"""Of a text; a longer one is not found."""


def inputs(given: literals_pb2.LiteralMap) -> tuple[tuple[str, str], ...]:
    """Return names and values, as filters spell them."""
    named = ((name, _value(given.literals[name])) for name in sorted(given.literals))
    return tuple((name, value) for name, value in named if value is not None)[:MAX_INPUTS]


def _value(literal: literals_pb2.Literal) -> str | None:
    scalar = literal.scalar
    if scalar.WhichOneof("value") == "union":
        return _value(scalar.union.value)
    which = scalar.primitive.WhichOneof("value") if scalar.WhichOneof("value") == "primitive" else None
    if which is None:
        return None
    value = getattr(scalar.primitive, which)
    if which == "boolean":
        return "true" if value else "false"
    if which == "float_value":
        return repr(float(value)).removesuffix(".0")
    told = value.ToJsonString() if which in ("datetime", "duration") else str(value)
    # No database has NUL characters in its texts.
    return told if len(told) <= MAX_CHARACTERS and "\x00" not in told else None
