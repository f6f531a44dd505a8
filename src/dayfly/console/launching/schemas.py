"""From a JSON schema, as dataclasses and pydantic models carry it, to the shape of its form. Pure.

What a schema says that forms have no field for becomes a field for JSON, so that nothing cannot be launched.
"""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any]

DEEPEST = 8
"""Models within models are shown as forms to this depth; a model that holds itself would never end."""

_NAMES = {"integer": "int", "number": "float", "string": "text", "boolean": "bool", "null": "none"}
_LABELS = {"int": "int", "float": "float", "text": "str", "bool": "bool", "none": "none", "list": "list", "map": "dict"}


def build(schema: dict[str, Any]) -> Shape:
    """Return the shape of a schema's form; `as` in it says how a value is written within a model."""
    return _build(schema, schema, DEEPEST)


def _build(schema: Any, root: dict[str, Any], deeper: int) -> Shape:
    schema = _followed(schema, root)
    if not isinstance(schema, dict) or not schema or deeper == 0:
        return {"kind": "json"}
    options = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(options, list) and options:
        return _union(options, root, deeper)
    if isinstance(schema.get("enum"), list):
        return _choice(schema["enum"])
    named = schema.get("type")
    if isinstance(named, list):
        return _union([{**schema, "type": one} for one in named], root, deeper)
    if named == "object":
        return _object(schema, root, deeper)
    if named == "array" and isinstance(schema.get("items"), dict):
        return {"kind": "list", "item": _build(schema["items"], root, deeper - 1)}
    return _scalar(schema, named)


def _scalar(schema: dict[str, Any], named: Any) -> Shape:
    format = schema.get("format")
    if named == "number" and format == "time-delta":
        return {"kind": "duration", "as": "seconds"}
    if named == "string" and format == "duration":
        return {"kind": "duration", "as": "iso"}
    if named == "string" and format == "date-time":
        return {"kind": "datetime", "as": "iso"}
    return {"kind": _NAMES[named]} if isinstance(named, str) and named in _NAMES else {"kind": "json"}


def _choice(values: list[Any]) -> Shape:
    return {"kind": "choice", "options": values} if all(isinstance(one, str) for one in values) else {"kind": "json"}


def _object(schema: dict[str, Any], root: dict[str, Any], deeper: int) -> Shape:
    fields = schema.get("properties")
    if isinstance(fields, dict) and fields:
        required = schema.get("required") if isinstance(schema.get("required"), list) else []
        # The schema went through a protobuf map, which forgets the order of its keys.
        names = sorted(fields, key=lambda name: (name not in (required or ()), name))
        return {
            "kind": "record",
            "title": str(schema.get("title") or ""),
            "fields": [_field(name, fields[name], name in (required or ()), root, deeper) for name in names],
        }
    inner = schema.get("additionalProperties")
    if isinstance(inner, dict) and inner and _is_text(schema.get("propertyNames")):
        return {"kind": "map", "item": _build(inner, root, deeper - 1)}
    return {"kind": "json"}


def _field(name: str, schema: Any, required: bool, root: dict[str, Any], deeper: int) -> Shape:
    shape = _build(schema, root, deeper - 1)
    told = schema if isinstance(schema, dict) else {}
    made: Shape = {"name": name, "shape": shape, "required": required, "help": str(told.get("description") or "")}
    if "default" in told:
        made["default"] = told["default"]
    return made


def _union(options: list[Any], root: dict[str, Any], deeper: int) -> Shape:
    shapes = [_build(one, root, deeper - 1) for one in options]
    if any(one["kind"] == "json" for one in shapes):
        return {"kind": "json"}  # Of values in a model nothing says which variant they are: JSON does.
    labelled = [{"label": _label(one), "shape": one} for one in shapes]
    return {"kind": "union", "variants": labelled} if len(labelled) > 1 else shapes[0]


def _label(shape: Shape) -> str:
    return str(shape.get("title") or _LABELS.get(shape["kind"], shape["kind"]))


def _is_text(names: Any) -> bool:
    return names is None or (isinstance(names, dict) and names.get("type") in (None, "string"))


def _followed(schema: Any, root: dict[str, Any]) -> Any:
    """Return what `#/definitions/Name` or `#/$defs/Name` stands for."""
    for _ in range(16):
        if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
            return schema
        found: Any = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        schema = found
    return None
