"""From what fields hold to literals, with every mistake named by the path of its field. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgpack
from flyteidl.core import literals_pb2, types_pb2

from dayfly.console.launching import texts
from dayfly.console.launching.shapes import Shape
from dayfly.model import literals

Mistakes = dict[str, str]
"""What is wrong, by the path of its field: `limits/0/value`."""

REQUIRED = "This is required."


class Wrong(Exception):
    """A text is not what its field wants; its message says what it wants."""


def literal(
    value: Any, declared: types_pb2.LiteralType, shape: Shape, path: str, mistakes: Mistakes
) -> literals_pb2.Literal:
    """Return what a field holds as a literal of the declared type; what is wrong is added to `mistakes`."""
    kind = shape["kind"]
    made = literals_pb2.Literal()
    if kind == "refused":
        mistakes[path] = shape["why"]
    elif kind == "none":
        made.scalar.none_type.SetInParent()
    elif value is None:
        mistakes[path] = REQUIRED
    elif kind == "list":
        made.collection.SetInParent()
        for at, one in enumerate(_listed(value)):
            inner = literal(one, declared.collection_type, shape["item"], f"{path}/{at}", mistakes)
            made.collection.literals.append(inner)
    elif kind == "map":
        made.map.SetInParent()
        for name, one, below in _entries(value, path, mistakes):
            inner = literal(one, declared.map_value_type, shape["item"], below, mistakes)
            made.map.literals[name].CopyFrom(inner)
    elif kind == "union":
        _union(made, value, declared, shape, path, mistakes)
    else:
        _scalar(made, value, declared, shape, path, mistakes)
    return made


def plain(value: Any, shape: Shape, path: str, mistakes: Mistakes) -> Any:
    """Return what a field holds as a part of a model, as msgpack has it; what is wrong is added to `mistakes`."""
    kind = shape["kind"]
    if kind == "none":
        return None
    if value is None:
        mistakes[path] = REQUIRED
        return None
    if kind == "list":
        return [plain(one, shape["item"], f"{path}/{at}", mistakes) for at, one in enumerate(_listed(value))]
    if kind == "map":
        return {name: plain(one, shape["item"], at, mistakes) for name, one, at in _entries(value, path, mistakes)}
    if kind == "union":
        variant = shape["variants"][_chosen(value, shape)]
        return plain(value["value"], variant["shape"], f"{path}/value", mistakes)
    if kind == "record":
        return _record(value, shape, path, mistakes)
    try:
        return _PLAIN[kind](value, shape)
    except Wrong as wrong:
        mistakes[path] = str(wrong)
        return None


def _record(value: Any, shape: Shape, path: str, mistakes: Mistakes) -> dict[str, Any]:
    given = value if isinstance(value, dict) else {}
    made = {}
    for field in shape["fields"]:
        name = field["name"]
        one = given.get(name)
        if _is_blank(one, field["shape"]) and not field["required"]:
            continue
        made[name] = plain(one, field["shape"], f"{path}/{name}", mistakes)
    return made


def _is_blank(value: Any, shape: Shape) -> bool:
    return value is None or (value == "" and shape["kind"] != "text")


def _scalar(
    made: literals_pb2.Literal, value: Any, declared: types_pb2.LiteralType, shape: Shape, path: str, mistakes: Mistakes
) -> None:
    kind = shape["kind"]
    if declared.WhichOneof("type") == "simple" and declared.simple == types_pb2.STRUCT:
        told = plain(value, shape, path, mistakes)
        made.scalar.binary.tag = literals.MSGPACK
        try:
            made.scalar.binary.value = msgpack.packb(told)
        except (OverflowError, ValueError) as error:  # Whole numbers of more than 64 bits, text that is none.
            mistakes[path] = f"This cannot be sent: {error}."
        return
    try:
        if kind in ("file", "directory", "dataset"):
            _address(made.scalar, _text_address(value), declared)
        else:
            _primitive(made.scalar.primitive, value, shape)
    except Wrong as wrong:
        mistakes[path] = str(wrong)


def _address(scalar: literals_pb2.Scalar, uri: str, declared: types_pb2.LiteralType) -> None:
    kind = declared.WhichOneof("type")
    if kind == "blob":
        scalar.blob.uri = uri
        scalar.blob.metadata.type.CopyFrom(declared.blob)
    elif kind == "schema":
        scalar.schema.uri = uri
        scalar.schema.type.CopyFrom(declared.schema)
    else:
        scalar.structured_dataset.uri = uri
        about = scalar.structured_dataset.metadata.structured_dataset_type
        about.CopyFrom(declared.structured_dataset_type)


def _primitive(primitive: literals_pb2.Primitive, value: Any, shape: Shape) -> None:
    kind = shape["kind"]
    if kind == "int":
        primitive.integer = _integer(value, shape)
    elif kind == "float":
        primitive.float_value = _number(value, shape)
    elif kind == "bool":
        primitive.boolean = _truth(value, shape)
    elif kind == "datetime":
        primitive.datetime.CopyFrom(_moment(value))
    elif kind == "duration":
        primitive.duration.CopyFrom(_span(value))
    elif kind == "choice":
        primitive.string_value = _choice(value, shape)
    else:
        primitive.string_value = _text(value, shape)


def _union(
    made: literals_pb2.Literal, value: Any, declared: types_pb2.LiteralType, shape: Shape, path: str, mistakes: Mistakes
) -> None:
    at = _chosen(value, shape)
    found = declared.union_type.variants[at]
    inner = literal(value["value"], found, shape["variants"][at]["shape"], f"{path}/value", mistakes)
    made.scalar.union.value.CopyFrom(inner)
    made.scalar.union.type.CopyFrom(found)


def _chosen(value: Any, shape: Shape) -> int:
    at = value.get("variant")
    return at if at in range(len(shape["variants"])) else 0


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _entries(value: Any, path: str, mistakes: Mistakes) -> list[tuple[str, Any, str]]:
    """Return name, value and path of the value; names that are missing or come twice are mistakes."""
    found: dict[str, tuple[str, Any, str]] = {}
    for at, (name, one) in enumerate(_listed(value)):
        if not name:
            mistakes[f"{path}/{at}/key"] = "A name is required."
        elif name in found:
            mistakes[f"{path}/{at}/key"] = f"{name!r} is there already."
        else:
            found[name] = (name, one, f"{path}/{at}/value")
    return list(found.values())


def _integer(value: Any, shape: Shape) -> int:
    found = texts.integer(str(value))
    if found is None:
        raise Wrong(REQUIRED if value == "" else f"{value!r} is not a whole number.")
    return found


def _number(value: Any, shape: Shape) -> float:
    found = texts.number(str(value))
    if found is None:
        raise Wrong(REQUIRED if value == "" else f"{value!r} is not a number.")
    return found


def _truth(value: Any, shape: Shape) -> bool:
    if not isinstance(value, bool):
        raise Wrong("Choose yes or no.")
    return value


def _text(value: Any, shape: Shape) -> str:
    return str(value)


def _choice(value: Any, shape: Shape) -> str:
    if value not in shape["options"]:
        raise Wrong("Choose one of the values.")
    return str(value)


def _moment(value: Any) -> Any:
    found = texts.moment(str(value))
    if found is None:
        raise Wrong(REQUIRED if value == "" else f"{value!r} is not a time: write it like 2026-01-31T14:00:00Z.")
    return found


def _span(value: Any) -> Any:
    found = texts.span(str(value))
    if found is None:
        raise Wrong(REQUIRED if value == "" else f"{value!r} is not a time span: write it like 1d, 1h30m or 2.5s.")
    return found


def _text_address(value: Any) -> str:
    text = str(value).strip()
    if not text:
        raise Wrong(REQUIRED)
    if not (text.startswith("/") or "://" in text):
        raise Wrong(f"{text!r} is not an address: write it like s3://bucket/path, or upload it.")
    return text


def _plain_moment(value: Any, shape: Shape) -> str:
    _moment(value)
    return str(value).strip()


def _plain_span(value: Any, shape: Shape) -> Any:
    found = _span(value)
    if shape["as"] == "iso":
        return texts.iso_span(found)
    taken: timedelta = found.ToTimedelta()
    return taken.total_seconds()


def _json(value: Any, shape: Shape) -> Any:
    try:
        return json.loads(str(value))
    except RecursionError as error:
        raise Wrong("This is nested too deeply.") from error
    except ValueError as error:
        raise Wrong(f"This is not JSON: {error}.") from error


_PLAIN: dict[str, Callable[[Any, Shape], Any]] = {
    "int": _integer,
    "float": _number,
    "bool": _truth,
    "text": _text,
    "choice": _choice,
    "datetime": _plain_moment,
    "duration": _plain_span,
    "json": _json,
}
