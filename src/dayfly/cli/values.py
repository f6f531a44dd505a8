"""Literals as text for people: `rows: int = 336776`. The types come from the workflow's interface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgpack
from google.protobuf import json_format

from dayfly.model import type_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyteidl.core import interface_pb2, literals_pb2

MAX_TEXT = 400
"""Longer values are cut, and the cut is said."""


def lines(values: literals_pb2.LiteralMap, declared: interface_pb2.VariableMap) -> Iterator[str]:
    """Yield one line for each value, in the order of its name."""
    for name in sorted(values.literals):
        kind = type_names.describe(declared.variables[name].type) if name in declared.variables else "?"
        text = _text(to_plain(values.literals[name]))
        yield f"{name}: {kind} = {text}"


def to_plain(literal: literals_pb2.Literal) -> Any:
    """Return a literal as plain Python values; files and datasets as their address."""
    kind = literal.WhichOneof("value")
    if kind == "collection":
        return [to_plain(part) for part in literal.collection.literals]
    if kind == "map":
        return {name: to_plain(part) for name, part in sorted(literal.map.literals.items())}
    if kind == "offloaded_metadata":
        return literal.offloaded_metadata.uri
    return _scalar(literal.scalar)


def _scalar(scalar: literals_pb2.Scalar) -> Any:
    kind = scalar.WhichOneof("value")
    if kind == "primitive":
        primitive = scalar.primitive
        which = primitive.WhichOneof("value")
        if which == "datetime":
            return primitive.datetime.ToJsonString()
        if which == "duration":
            return primitive.duration.ToJsonString()
        return getattr(primitive, which) if which else None
    if kind in ("blob", "schema", "structured_dataset"):
        return getattr(scalar, kind).uri
    if kind == "union":
        return to_plain(scalar.union.value)
    if kind == "generic":
        return json_format.MessageToDict(scalar.generic)
    if kind == "binary" and scalar.binary.tag == "msgpack":
        return msgpack.unpackb(scalar.binary.value, raw=False, strict_map_key=False)
    if kind == "binary":
        return f"<{len(scalar.binary.value)} bytes>"
    return None


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text)} characters)"
