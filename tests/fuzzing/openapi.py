"""The REST API as an OpenAPI document, made from the same descriptors as its routes: schemathesis reads it.

It says what proto3 JSON may hold where, with the corpus's words as examples. Messages are written out to a depth, below
which any object will do: schemas that refer to themselves, as Flyte's types do, are slow to draw from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from dayfly.gateway import routes
from tests.fuzzing import corpus

Schema = dict[str, Any]

BODY_DEPTH, QUERY_DEPTH = 4, 1
"""How many messages deep: a body; a query, whose names are joined by dots."""

TEXT = "google.protobuf."
KNOWN: dict[str, Schema] = {
    TEXT + "Timestamp": {"type": "string", "format": "date-time"},
    TEXT + "Duration": {"type": "string", "enum": ["0s", "1.5s", "-1s", "315576000000s", "1h"]},
    TEXT + "Struct": {"type": "object"},
    TEXT + "Any": {"type": "object"},
    TEXT + "BoolValue": {"type": "boolean"},
    TEXT + "StringValue": {"type": "string"},
    TEXT + "DoubleValue": {"type": "number"},
}
"""Messages that JSON writes in a way of their own."""

LONG = {FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_SINT64}
REAL = {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}


def build(served: Iterable[routes.Route]) -> Schema:
    """Return the document."""
    paths: dict[str, dict[str, Schema]] = {}
    for route in served:
        paths.setdefault(path_of(route), {})[route.verb.lower()] = _operation(route)
    return {"openapi": "3.0.3", "info": {"title": "Flyte", "version": "1"}, "paths": paths}


def path_of(route: routes.Route) -> str:
    """Return the path as the document has it: Python's templates, which schemathesis uses, take dots for attributes."""
    return route.path.replace(".", "-") if "{" in route.path else route.path


def _operation(route: routes.Route) -> Schema:
    taken = [segment[1:-1] for segment in route.segments if segment.startswith("{")]
    parameters = [
        {"name": name.replace(".", "-"), "in": "path", "required": True, "schema": _text(name.rpartition(".")[2])}
        for name in taken
    ]
    told: Schema = {"responses": {"200": {"description": "answered"}}}
    descriptor = route.method.input_type
    if route.has_body:
        told["requestBody"] = {"content": {"application/json": {"schema": _message(descriptor, BODY_DEPTH)}}}
    else:
        parameters += [
            {"name": name, "in": "query", "schema": schema}
            for name, schema in _query(descriptor, "", QUERY_DEPTH)
            if name not in taken
        ]
    return {**told, "parameters": parameters}


def _query(descriptor: Descriptor, before: str, depth: int) -> Iterable[tuple[str, Schema]]:
    for field in descriptor.fields:
        if _is_plain(field):
            yield before + field.name, _field(field, 0)
        elif not field.is_repeated and depth:
            yield from _query(field.message_type, f"{before}{field.name}.", depth - 1)


def _is_plain(field: FieldDescriptor) -> bool:
    return field.message_type is None or field.message_type.full_name in KNOWN


def _message(descriptor: Descriptor, depth: int) -> Schema:
    if descriptor.full_name in KNOWN:
        return KNOWN[descriptor.full_name]
    if not depth:
        return {"type": "object"}
    fields = {field.json_name: _field(field, depth - 1) for field in descriptor.fields}
    return {"type": "object", "properties": fields, "additionalProperties": False}


def _field(field: FieldDescriptor, depth: int) -> Schema:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        return {"type": "object", "additionalProperties": _one(value, depth), "maxProperties": 3}
    return {"type": "array", "items": _one(field, depth), "maxItems": 3} if field.is_repeated else _one(field, depth)


def _one(field: FieldDescriptor, depth: int) -> Schema:
    if field.message_type is not None:
        return _message(field.message_type, depth)
    if field.type == field.TYPE_STRING:
        return _text(field.name)
    if field.type == field.TYPE_BYTES:
        return {"type": "string", "enum": ["", "YQ==", "AAAAAAAAAAAAAAAAAAAAAA==", "no base64"]}
    if field.type == field.TYPE_BOOL:
        return {"type": "boolean"}
    if field.type == field.TYPE_ENUM:
        names = [value.name for value in field.enum_type.values]
        return {"anyOf": [{"type": "string", "enum": names}, {"type": "integer"}]}
    if field.type in REAL:
        return {"anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]}
    return (
        {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]{1,20}$"}]}
        if (field.type in LONG)
        else {"type": "integer", "minimum": -(2**31), "maximum": 2**32 - 1}
    )


def _text(name: str) -> Schema:
    words = corpus.WORDS.get(name, corpus.TEXTS)
    return {"anyOf": [{"type": "string", "enum": list(words)}, {"type": "string", "maxLength": 40}]}
