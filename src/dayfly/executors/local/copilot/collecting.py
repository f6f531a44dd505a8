"""Reads outputs back from files, each by its declared type. Source: flytecopilot/data/upload.go in flyteorg/flyte."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from flyteidl.core import interface_pb2, literals_pb2, types_pb2
from google.protobuf import duration_pb2, json_format, struct_pb2, timestamp_pb2

from dayfly.base import errors

ERROR_FILE = "_ERROR"
"""What a command writes among its outputs to say that it has failed, and why."""

MAX_TEXT_BYTES = 10 * 1024 * 1024
"""The most that a value which is no data may take: what outputs.pb may."""

_UNITS = {"h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|us|µs|ns|m|s)")


class BadOutput(errors.InvalidArgument):
    """A command left an output that cannot be taken, or none."""


def collect(
    outputs: interface_pb2.VariableMap, folder: Path, access: Any, raw_output_prefix: str
) -> literals_pb2.LiteralMap:
    """Return what the command left in `folder`; files and folders are stored below `raw_output_prefix`.

    `access` is flytekit's `FileAccessProvider`. Raise `BadOutput`.
    """
    said = folder / ERROR_FILE
    if said.is_file():
        raise BadOutput(f"User Error: {_read(said, ERROR_FILE)}")
    found = literals_pb2.LiteralMap()
    for name, variable in sorted(outputs.variables.items()):
        path = folder / name
        if not path.exists():
            there = ", ".join(sorted(one.name for one in folder.iterdir())) or "nothing"
            raise BadOutput(
                f"The command ended well and left no output {name!r}: there is no file {name} in its output folder, "
                f"which holds {there}.",
                remedy=f"Let it write {name} there, by the path that is the task's output_data_dir.",
            )
        if variable.type.WhichOneof("type") == "blob":
            literal = _store(path, variable.type.blob, access, f"{raw_output_prefix}/{name}")
        else:
            literal = read_simple(variable.type.simple, _read(path, name), name)
        found.literals[name].CopyFrom(literal)
    return found


def read_simple(kind: types_pb2.SimpleType.ValueType, text: str, name: str) -> literals_pb2.Literal:
    """Return the value of output `name` that a file's text says. Raise `BadOutput`.

    A text is taken as it is; of anything else, the blanks around it, such as the line's end, are not.
    """
    literal = literals_pb2.Literal()
    if kind == types_pb2.STRING:
        literal.scalar.primitive.string_value = text
        return literal
    try:
        _READERS[kind](literal.scalar, text.strip())
    except (ValueError, ArithmeticError, json_format.ParseError) as error:
        kind_name = types_pb2.SimpleType.Name(kind)
        shown = text if len(text) <= 100 else f"{text[:100]}..."
        raise BadOutput(f"Output {name!r} is of type {kind_name}, and its file holds {shown!r}: {error}.") from error
    return literal


def _read(path: Path, name: str) -> str:
    if path.is_dir():
        raise BadOutput(f"Output {name!r} is a value, and the command left a folder of that name.")
    size = path.stat().st_size
    if size > MAX_TEXT_BYTES:
        raise BadOutput(
            f"Output {name!r} is a value, and its file has {size} bytes; {MAX_TEXT_BYTES} are the most.",
            remedy="Declare it as a FlyteFile.",
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadOutput(f"Output {name!r} is a value, and its file is no text: {error}.") from error


def _store(path: Path, kind: types_pb2.BlobType, access: Any, uri: str) -> literals_pb2.Literal:
    is_folder = kind.dimensionality == types_pb2.BlobType.MULTIPART
    if path.is_dir() != is_folder:
        wanted, left = ("folder", "file") if is_folder else ("file", "folder")
        raise BadOutput(f"Output {path.name!r} is a {wanted}, and the command left a {left} of that name.")
    stored = access.put_data(str(path), uri, is_multipart=is_folder)
    literal = literals_pb2.Literal()
    literal.scalar.blob.uri = stored if isinstance(stored, str) else uri
    literal.scalar.blob.metadata.type.CopyFrom(kind)
    return literal


def _read_integer(scalar: literals_pb2.Scalar, text: str) -> None:
    scalar.primitive.integer = int(text)


def _read_float(scalar: literals_pb2.Scalar, text: str) -> None:
    scalar.primitive.float_value = float(text)


def _read_boolean(scalar: literals_pb2.Scalar, text: str) -> None:
    if text.lower() not in ("true", "false", "t", "f", "1", "0"):
        raise ValueError("neither true nor false")
    scalar.primitive.boolean = text.lower() in ("true", "t", "1")


def _read_datetime(scalar: literals_pb2.Scalar, text: str) -> None:
    """Read RFC 3339, or what Python's own `str` and `isoformat` write; without a zone it is UTC."""
    text = text.replace(" ", "T", 1)
    zoned = re.search(r"(Z|[+-][0-9]{2}:[0-9]{2})$", text)
    made = timestamp_pb2.Timestamp()
    made.FromJsonString(text if zoned else f"{text}Z")
    scalar.primitive.datetime.CopyFrom(made)


def _read_duration(scalar: literals_pb2.Scalar, text: str) -> None:
    """Read a duration as Go writes it: `1h30m`, `-1.5s`, `0`."""
    unsigned = text.lstrip("+-")
    parts = _DURATION.findall(unsigned)
    if unsigned != "0" and (not parts or "".join(amount + unit for amount, unit in parts) != unsigned):
        raise ValueError("a duration is written as 1h30m, 90s or 1.5s")
    nanos = int(sum((Decimal(amount) * _UNITS[unit] for amount, unit in parts), Decimal(0)))
    made = duration_pb2.Duration()
    made.FromNanoseconds(-nanos if text.startswith("-") else nanos)
    scalar.primitive.duration.CopyFrom(made)


def _read_struct(scalar: literals_pb2.Scalar, text: str) -> None:
    plain = json.loads(text)
    if not isinstance(plain, dict):
        raise ValueError("it must be a JSON object")
    scalar.generic.CopyFrom(json_format.ParseDict(plain, struct_pb2.Struct()))


def _read_none(scalar: literals_pb2.Scalar, _: str) -> None:
    scalar.none_type.CopyFrom(literals_pb2.Void())


_READERS: dict[int, Callable[[literals_pb2.Scalar, str], None]] = {
    types_pb2.INTEGER: _read_integer,
    types_pb2.FLOAT: _read_float,
    types_pb2.BOOLEAN: _read_boolean,
    types_pb2.DATETIME: _read_datetime,
    types_pb2.DURATION: _read_duration,
    types_pb2.STRUCT: _read_struct,
    types_pb2.NONE: _read_none,
}
