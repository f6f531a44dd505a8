"""From a literal to what its field holds. Pure; `reading` is the way back, and loses nothing."""

from __future__ import annotations

import json
import math
from typing import Any

import msgpack
from flyteidl.core import literals_pb2, types_pb2

from dayfly.console.launching import texts
from dayfly.console.launching.shapes import Shape
from dayfly.model import literals, structs, types


class Inexpressible(Exception):
    """A field of this shape cannot hold the value."""


def value(literal: literals_pb2.Literal, declared: types_pb2.LiteralType, shape: Shape) -> Any:
    """Return what the field holds for a literal. Raise `Inexpressible`."""
    kind = shape["kind"]
    if kind == "list" and literal.HasField("collection"):
        return [value(one, declared.collection_type, shape["item"]) for one in literal.collection.literals]
    if kind == "map" and literal.HasField("map"):
        entries = sorted(literal.map.literals.items())
        return [[name, value(one, declared.map_value_type, shape["item"])] for name, one in entries]
    if kind == "union":
        return _union(literal, declared, shape)
    if not literal.HasField("scalar") or literal.hash or literal.metadata:
        raise Inexpressible
    if declared.WhichOneof("type") == "simple" and declared.simple == types_pb2.STRUCT:
        return plain(_unpacked(literal.scalar), shape)
    return _scalar(literal.scalar, kind)


def plain(given: Any, shape: Shape) -> Any:
    """Return what the field holds for a part of a model, as msgpack or JSON has it. Raise `Inexpressible`."""
    kind = shape["kind"]
    if kind == "json":
        return _json(given)
    if kind == "list" and isinstance(given, list):
        return [plain(one, shape["item"]) for one in given]
    if kind == "map" and isinstance(given, dict) and all(isinstance(name, str) for name in given):
        return [[name, plain(one, shape["item"])] for name, one in given.items()]
    if kind == "record" and isinstance(given, dict):
        return _record(given, shape)
    if kind == "union":
        return _plain_union(given, shape)
    return _plain_scalar(given, shape)


def blank(shape: Shape, *, required: bool = True) -> Any:
    """Return what a field holds before anything was filled in."""
    kind = shape["kind"]
    if not required:
        return None
    if kind in ("list", "map"):
        return []
    if kind == "record":
        return {one["name"]: _initial(one) for one in shape["fields"]}
    if kind == "union":
        return {"variant": 0, "value": blank(shape["variants"][0]["shape"])}
    return None


def with_blanks(shape: Shape) -> Shape:
    """Return the shape with what a new form of each model in it holds, for the browser."""
    made = dict(shape)
    if "item" in made:
        made["item"] = with_blanks(made["item"])
    if "variants" in made:
        made["variants"] = [{**one, "shape": with_blanks(one["shape"])} for one in made["variants"]]
    if "fields" in made:
        made["fields"] = [{**one, "shape": with_blanks(one["shape"])} for one in made["fields"]]
        made["blank"] = blank(shape)
    return made


def _initial(field: dict[str, Any]) -> Any:
    if "default" in field:
        try:
            return plain(field["default"], field["shape"])
        except Inexpressible:
            return None
    return blank(field["shape"], required=field["required"])


def _union(literal: literals_pb2.Literal, declared: types_pb2.LiteralType, shape: Shape) -> Any:
    variants = declared.union_type.variants
    if literal.scalar.WhichOneof("value") == "union":
        inner, found = literal.scalar.union.value, literal.scalar.union.type
        same = [at for at, one in enumerate(variants) if one == found]
        fits = same or [at for at, one in enumerate(variants) if types.castable(found, one)]
        if fits and (same or len(fits) == 1):
            at = fits[0]
            return {"variant": at, "value": value(inner, variants[at], shape["variants"][at]["shape"])}
        raise Inexpressible
    return _unwrapped(literal, declared, shape)


def _unwrapped(literal: literals_pb2.Literal, declared: types_pb2.LiteralType, shape: Shape) -> Any:
    """Return what a union's field holds for a value that does not say which variant it is, if it can be but one."""
    try:
        found = literals.literal_type(literal)
    except literals.LiteralWithoutType as error:
        raise Inexpressible from error
    fits = [at for at, one in enumerate(declared.union_type.variants) if types.castable(found, one)]
    if len(fits) != 1:
        raise Inexpressible
    at = fits[0]
    return {"variant": at, "value": value(literal, declared.union_type.variants[at], shape["variants"][at]["shape"])}


def _scalar(scalar: literals_pb2.Scalar, kind: str) -> Any:
    which = scalar.WhichOneof("value")
    if which == "primitive":
        return _primitive(scalar.primitive, kind)
    if which == "none_type" and kind == "none":
        return None
    if which == "blob" and kind in ("file", "directory"):
        return scalar.blob.uri
    if which == "schema" and kind == "dataset":
        return scalar.schema.uri
    if which == "structured_dataset" and kind == "dataset":
        return scalar.structured_dataset.uri
    raise Inexpressible


_PRIMITIVES = {"integer": "int", "float_value": "float", "boolean": "bool", "datetime": "datetime"}


def _primitive(primitive: literals_pb2.Primitive, kind: str) -> Any:
    which = primitive.WhichOneof("value")
    if which == "string_value" and kind in ("text", "choice"):
        return primitive.string_value
    if which == "duration" and kind == "duration":
        return texts.write_span(primitive.duration)
    if which is None or _PRIMITIVES.get(which) != kind:
        raise Inexpressible
    if which == "datetime":
        return texts.write_moment(primitive.datetime)
    found = getattr(primitive, which)
    return found if which == "boolean" else repr(found)


def _unpacked(scalar: literals_pb2.Scalar) -> Any:
    if scalar.HasField("generic"):
        return structs.to_plain(scalar.generic)
    if not scalar.HasField("binary") or scalar.binary.tag != literals.MSGPACK:
        raise Inexpressible
    try:
        return msgpack.unpackb(scalar.binary.value, raw=False, strict_map_key=False)
    except (TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
        raise Inexpressible from error


def _record(given: dict[Any, Any], shape: Shape) -> dict[str, Any]:
    known = {one["name"]: one for one in shape["fields"]}
    if not set(given) <= set(known):
        raise Inexpressible
    made: dict[str, Any] = dict.fromkeys(known)
    for name, part in given.items():
        inner = known[name]["shape"]
        made[name] = plain(part, inner)
        if made[name] is None and (part is not None or known[name]["required"]):
            raise Inexpressible
    return made


def _plain_union(given: Any, shape: Shape) -> Any:
    for at, variant in enumerate(shape["variants"]):
        try:
            return {"variant": at, "value": plain(given, variant["shape"])}
        except Inexpressible:
            continue
    raise Inexpressible


def _plain_scalar(given: Any, shape: Shape) -> Any:
    kind = shape["kind"]
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if kind == "none" and given is None:
        return None
    if kind == "bool" and isinstance(given, bool):
        return given
    if kind == "int" and number and math.isfinite(given) and given == int(given):
        return str(int(given))
    if kind == "float" and number:
        return repr(float(given))
    if kind == "duration" and shape["as"] == "seconds" and number:
        return texts.write_span(texts.from_seconds(given))
    if isinstance(given, str):
        return _plain_text(given, shape)
    raise Inexpressible


def _plain_text(given: str, shape: Shape) -> str:
    kind = shape["kind"]
    if kind == "text" or (kind == "choice" and given in shape["options"]):
        return given
    if kind == "datetime" and texts.moment(given) is not None:
        return given
    if kind == "duration" and shape["as"] == "iso" and (found := texts.span(given)) is not None:
        return texts.write_span(found)
    raise Inexpressible


def _json(given: Any) -> str:
    try:
        told = json.dumps(given, ensure_ascii=False, indent=2)
    except (TypeError, ValueError) as error:
        raise Inexpressible from error
    if json.loads(told) != given:
        raise Inexpressible  # Such as keys that are no text.
    return told
