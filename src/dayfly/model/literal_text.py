"""A literal as text in a command line, for `{{.inputs.name}}`: as Flyte writes it, so in Go's manner.

Source: flyteplugins/go/tasks/pluginmachinery/core/template/template.go in flyteorg/flyte.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgpack
from flyteidl.core import literals_pb2
from google.protobuf import duration_pb2

from dayfly.base import errors
from dayfly.model import literals, structs

_WHOLE = 10**21
"""Go writes floats without an exponent below this."""


def render(literal: literals_pb2.Literal) -> str:
    """Return the literal as text. Raise `InvalidArgument` for one that has no text, such as raw bytes."""
    kind = literal.WhichOneof("value")
    if kind == "scalar":
        return _render_scalar(literal.scalar)
    if kind == "collection":
        return f"[{','.join(render(part) for part in literal.collection.literals)}]"
    if kind == "map":
        parts = literal.map.literals
        return "{" + ",".join(f"{name}:{render(parts[name])}" for name in sorted(parts)) + "}"
    if kind == "offloaded_metadata":
        return str(literal.offloaded_metadata.uri)
    raise errors.InvalidArgument("an empty literal cannot be written into a command")


def _render_scalar(scalar: literals_pb2.Scalar) -> str:
    kind = scalar.WhichOneof("value")
    if kind == "primitive":
        return _render_primitive(scalar.primitive)
    if kind in ("blob", "schema", "structured_dataset"):
        return str(getattr(scalar, kind).uri)
    if kind == "generic":
        return _json(_whole(structs.to_plain(scalar.generic)))
    if kind == "binary" and scalar.binary.tag == literals.MSGPACK:
        return _json(_unpack(scalar.binary.value))
    if kind == "union":
        return render(scalar.union.value)
    if kind == "none_type":
        return ""
    raise errors.InvalidArgument(f"a {kind or 'missing'} value cannot be written into a command")


def _render_primitive(primitive: literals_pb2.Primitive) -> str:
    kind = primitive.WhichOneof("value")
    if kind == "boolean":
        return "true" if primitive.boolean else "false"
    if kind == "float_value":
        return go_float(primitive.float_value)
    if kind == "datetime":
        return str(primitive.datetime.ToJsonString())
    if kind == "duration":
        return go_duration(primitive.duration)
    return str(getattr(primitive, kind)) if kind else ""


def go_float(value: float) -> str:
    """Return the float as Go's `%v` writes it: `1`, `0.5`, `1e-07`, `+Inf`."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if str(value).startswith("-") else "0"
    if 1e-4 <= abs(value) < _WHOLE:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, exponent = repr(value).split("e")
    return f"{mantissa.removesuffix('.0')}e{exponent}"


def go_duration(duration: duration_pb2.Duration) -> str:
    """Return the duration as Go writes it: `1h30m0s`, `1.5s`, `20ms`, `0s`."""
    nanos = duration.ToNanoseconds()
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    if nanos == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanos < 1_000 * size:
            return f"{sign}{_decimal(nanos, size)}{unit}"
    minutes, rest = divmod(nanos, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 10**9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else sign + text


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    digits = str(rest).zfill(len(str(unit)) - 1).rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _unpack(packed: bytes) -> Any:
    try:
        return msgpack.unpackb(packed, strict_map_key=False)
    except (TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
        raise errors.InvalidArgument(f"the value is not valid msgpack: {error}") from error


def _whole(tree: Any) -> Any:
    """Return the tree with floats that are whole as ints, since JSON from Go has no `1.0`."""
    if isinstance(tree, dict):
        return {name: _whole(part) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_whole(part) for part in tree]
    return int(tree) if isinstance(tree, float) and tree.is_integer() else tree


def _json(tree: Any) -> str:
    try:
        return json.dumps(tree, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise errors.InvalidArgument(f"the value cannot be written as JSON: {error}") from error
