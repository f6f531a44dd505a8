"""Writes inputs as files: one a variable, named as it is, and all of them once more in one file.

Values are written as Flyte's copilot writes them, so that programs find the same text; lists are folders of numbered
files, maps folders of named ones. Source: flytecopilot/data/download.go in flyteorg/flyte.
"""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from flyteidl.core import literals_pb2, types_pb2

from dayfly.model import literal_text, structs

NOTHING = "null"


def bring(inputs: literals_pb2.LiteralMap, folder: Path, access: Any, form: str) -> None:
    """Write the inputs to `folder`, and all of them to inputs.pb and, as `form` says, inputs.json or inputs.yaml there.

    `access` is flytekit's `FileAccessProvider`; what it raises where data cannot be had goes through.
    """
    values = {name: _bring(literal, folder / name, access) for name, literal in sorted(inputs.literals.items())}
    here = literals_pb2.LiteralMap()
    here.CopyFrom(inputs)
    for name, literal in here.literals.items():
        _point_to(literal, folder / name)
    (folder / "inputs.pb").write_bytes(here.SerializeToString(deterministic=True))
    if form == "JSON":
        (folder / "inputs.json").write_text(json.dumps(values, ensure_ascii=False))
    elif form == "YAML":
        (folder / "inputs.yaml").write_text(yaml.safe_dump(values, allow_unicode=True))


def _bring(literal: literals_pb2.Literal, path: Path, access: Any) -> Any:
    """Write a literal to `path`; return it as a plain value."""
    kind = literal.WhichOneof("value")
    if kind == "collection":
        path.mkdir()
        parts = literal.collection.literals
        return [_bring(part, path / str(index), access) for index, part in enumerate(parts)]
    if kind == "map":
        path.mkdir()
        named = sorted(literal.map.literals.items())
        return {name: _bring(part, path / name, access) for name, part in named}
    return _bring_scalar(literal.scalar, path, access)


def _bring_scalar(scalar: literals_pb2.Scalar, path: Path, access: Any) -> Any:
    kind = scalar.WhichOneof("value")
    if kind == "union":
        return _bring(scalar.union.value, path, access)
    if kind in ("blob", "schema", "structured_dataset"):
        access.get_data(getattr(scalar, kind).uri, str(path), is_multipart=_is_folder(scalar))
        return str(path)
    if kind == "binary":
        path.write_bytes(scalar.binary.value)
        return base64.b64encode(scalar.binary.value).decode()
    value, text = _say(scalar)
    path.write_text(text)
    return value


def _say(scalar: literals_pb2.Scalar) -> tuple[Any, str]:
    """Return a value that is no data as plain JSON holds it, and as its file holds it."""
    kind = scalar.WhichOneof("value")
    if kind == "generic":
        plain = structs.to_plain(scalar.generic)
        return plain, json.dumps(plain)
    if kind == "error":
        return scalar.error.message, scalar.error.message
    if kind != "primitive" or scalar.primitive.WhichOneof("value") is None:
        return None, NOTHING
    primitive = scalar.primitive
    kind = primitive.WhichOneof("value")
    value = getattr(primitive, kind)
    if kind == "boolean":
        return value, "true" if value else "false"
    if kind == "float_value":
        return value, _plain_float(value)
    if kind == "datetime":
        return value.ToJsonString(), value.ToJsonString()
    if kind == "duration":
        return literal_text.go_duration(value), literal_text.go_duration(value)
    return value, str(value)


def _plain_float(value: float) -> str:
    """Return the float without an exponent, as Go's `FormatFloat(value, 'f', -1, 64)` does."""
    if value != value or value in (float("inf"), float("-inf")):
        return literal_text.go_float(value)
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_folder(scalar: literals_pb2.Scalar) -> bool:
    kind = scalar.WhichOneof("value")
    return bool(kind != "blob" or scalar.blob.metadata.type.dimensionality == types_pb2.BlobType.MULTIPART)


def _point_to(literal: literals_pb2.Literal, path: Path) -> None:
    """Let literals of data name the file that holds it here."""
    kind = literal.WhichOneof("value")
    if kind == "collection":
        for index, part in enumerate(literal.collection.literals):
            _point_to(part, path / str(index))
    elif kind == "map":
        for name, part in literal.map.literals.items():
            _point_to(part, path / name)
    elif literal.scalar.WhichOneof("value") == "union":
        _point_to(literal.scalar.union.value, path)
    elif (data := literal.scalar.WhichOneof("value")) in ("blob", "schema", "structured_dataset"):
        getattr(literal.scalar, data).uri = str(path)
