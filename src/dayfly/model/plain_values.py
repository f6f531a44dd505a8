"""Literals as the plain values that people write in YAML, and back, typed by the interface that declares them. Pure.

Called by whoever shows values (CLI) or takes them from a text file (operator).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgpack
from flyteidl.core import interface_pb2, literals_pb2, types_pb2
from google.protobuf import duration_pb2, json_format, timestamp_pb2

from dayfly.base import clock, errors
from dayfly.model import literals, type_names


class Unfit(errors.InvalidArgument):
    """A value cannot stand where its type is declared."""


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


def from_plain(value: Any, declared: types_pb2.LiteralType, where: str) -> literals_pb2.Literal:
    """Return a plain value as a literal of the declared type. Raise `Unfit`, which says `where`.

    Text stands for moments (RFC 3339, UTC where none says), spans (`1h30m`) and addresses of files and datasets.
    """
    kind = declared.WhichOneof("type")
    if kind == "simple" and declared.simple in _SIMPLE:
        return _made(_SIMPLE[declared.simple](value), value, declared, where)
    if kind == "collection_type" and isinstance(value, list):
        parts = [from_plain(part, declared.collection_type, f"{where}[{at}]") for at, part in enumerate(value)]
        return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=parts))
    if kind == "map_value_type" and isinstance(value, dict):
        inner = declared.map_value_type
        entries = {str(name): from_plain(part, inner, f"{where}.{name}") for name, part in value.items()}
        return literals_pb2.Literal(map=literals_pb2.LiteralMap(literals=entries))
    if kind == "union_type":
        return _union(value, declared, where)
    if kind == "enum_type":
        known = value if isinstance(value, str) and value in declared.enum_type.values else None
        return _made(known and _primitive(string_value=known), value, declared, where)
    return _made(_address(value, declared), value, declared, where)


def read_inputs(
    given: Mapping[str, Any], declared: interface_pb2.ParameterMap, where: str = "inputs"
) -> literals_pb2.LiteralMap:
    """Return the inputs of an execution. Raise one `Unfit` that names all that are unknown or of the wrong type.

    What is missing is left to whoever knows the defaults.
    """
    made, problems = literals_pb2.LiteralMap(), []
    for name, value in given.items():
        if name not in declared.parameters:
            problems.append(f"{where}.{name} is unknown")
            continue
        try:
            made.literals[name].CopyFrom(from_plain(value, declared.parameters[name].var.type, f"{where}.{name}"))
        except Unfit as error:
            problems.append(error.message)
    if problems:
        known = [f"{name} ({type_names.describe(one.var.type)})" for name, one in sorted(declared.parameters.items())]
        told = f"The inputs that can be given are: {', '.join(known) or 'none'}."
        raise Unfit(f"{'; '.join(problems)}.", remedy=told)
    return made


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
    if kind == "binary" and scalar.binary.tag == literals.MSGPACK:
        return msgpack.unpackb(scalar.binary.value, raw=False, strict_map_key=False)
    if kind == "binary":
        return f"<{len(scalar.binary.value)} bytes>"
    return None


def _made(
    made: literals_pb2.Literal | None, value: Any, declared: types_pb2.LiteralType, where: str
) -> literals_pb2.Literal:
    if made is None:
        raise Unfit(f"{where} is {_told(value)}, and {type_names.describe(declared)} is declared")
    return made


def _told(value: Any) -> str:
    """Say what a value is, as YAML has it."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    kinds = {bool: "the truth value", int: "the whole number", float: "the number", list: "a list", dict: "a mapping"}
    kind = kinds.get(type(value), "a value")
    return kind if isinstance(value, (list, dict)) else f"{kind} {str(value).lower()[:40]}"


def _primitive(**value: Any) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(**value)))


def _integer(value: Any) -> literals_pb2.Literal | None:
    # JSON knows but one kind of number.
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    fits = whole and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return _primitive(integer=int(value)) if fits else None


def _float(value: Any) -> literals_pb2.Literal | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return _primitive(float_value=float(value)) if is_number else None


def _string(value: Any) -> literals_pb2.Literal | None:
    return _primitive(string_value=value) if isinstance(value, str) else None


def _boolean(value: Any) -> literals_pb2.Literal | None:
    return _primitive(boolean=value) if isinstance(value, bool) else None


def _datetime(value: Any) -> literals_pb2.Literal | None:
    if not isinstance(value, str):
        return None
    moment = timestamp_pb2.Timestamp()
    try:
        moment.FromJsonString(value)
    except ValueError:
        try:
            moment.FromMicroseconds(clock.from_datetime(datetime.fromisoformat(value)))
        except ValueError:
            return None
    return _primitive(datetime=moment)


_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|us|d|h|m|s)")


def _duration(value: Any) -> literals_pb2.Literal | None:
    """Read `1h30m`, or a number of seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and value and not _SPAN.sub("", value.removeprefix("-")):
        seconds = sum(float(amount) * _UNITS[unit] for amount, unit in _SPAN.findall(value))
        seconds = -seconds if value.startswith("-") else seconds
    else:
        return None
    span = duration_pb2.Duration()
    try:
        span.FromMicroseconds(round(seconds * 1e6))
    except (ValueError, OverflowError):
        return None
    return _primitive(duration=span)


def _none(value: Any) -> literals_pb2.Literal | None:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(none_type=literals_pb2.Void())) if value is None else None


def _struct(value: Any) -> literals_pb2.Literal | None:
    """Write a dict or a dataclass as flytekit does."""
    if not isinstance(value, dict):
        return None
    packed = literals_pb2.Binary(value=msgpack.packb(value), tag=literals.MSGPACK)
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(binary=packed))


_SIMPLE: dict[int, Callable[[Any], literals_pb2.Literal | None]] = {
    types_pb2.INTEGER: _integer,
    types_pb2.FLOAT: _float,
    types_pb2.STRING: _string,
    types_pb2.BOOLEAN: _boolean,
    types_pb2.DATETIME: _datetime,
    types_pb2.DURATION: _duration,
    types_pb2.NONE: _none,
    types_pb2.STRUCT: _struct,
}
"""What a plain value can be written as; bytes and errors cannot."""

_NATURAL: dict[type, tuple[int, ...]] = {
    bool: (types_pb2.BOOLEAN,),
    int: (types_pb2.INTEGER,),
    float: (types_pb2.FLOAT,),
    str: (types_pb2.STRING,),
}


def _union(value: Any, declared: types_pb2.LiteralType, where: str) -> literals_pb2.Literal:
    """Return the value as the variant it is by nature, else as the first that it can be."""
    natural = _NATURAL.get(type(value), ())
    variants = sorted(declared.union_type.variants, key=lambda one: not (one.simple in natural and one.simple))
    for variant in variants:
        try:
            made = from_plain(value, variant, where)
        except Unfit:
            continue
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(union=literals_pb2.Union(value=made, type=variant)))
    return _made(None, value, declared, where)


def _address(value: Any, declared: types_pb2.LiteralType) -> literals_pb2.Literal | None:
    """Return a file, directory or dataset by its address."""
    if not isinstance(value, str):
        return None
    kind = declared.WhichOneof("type")
    if kind == "blob":
        metadata = literals_pb2.BlobMetadata(type=declared.blob)
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(blob=literals_pb2.Blob(metadata=metadata, uri=value)))
    if kind == "schema":
        return literals_pb2.Literal(
            scalar=literals_pb2.Scalar(schema=literals_pb2.Schema(uri=value, type=declared.schema))
        )
    if kind == "structured_dataset_type":
        about = literals_pb2.StructuredDatasetMetadata(structured_dataset_type=declared.structured_dataset_type)
        dataset = literals_pb2.StructuredDataset(uri=value, metadata=about)
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(structured_dataset=dataset))
    return None
