"""Whether a value of one JSON schema offers all that another asks for.

Dataclasses and pydantic models carry their JSON schema in their type's metadata. `types` asks here when a struct flows
into a struct. Names, titles and descriptions do not count; every field that is asked for must be there, alike.
"""

from __future__ import annotations

from typing import Any

Schema = Any  # a JSON schema is an object, or a bool


def offers(given: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Say whether schema `given` is `wanted`, or has every field of it and more."""
    return _offers(given, wanted, given, wanted, frozenset())


def _offers(
    given: Schema, wanted: Schema, given_root: Schema, wanted_root: Schema, seen: frozenset[tuple[str, str]]
) -> bool:
    if isinstance(given, dict) and isinstance(wanted, dict) and ("$ref" in given or "$ref" in wanted):
        pair = (str(given.get("$ref")), str(wanted.get("$ref")))
        if pair in seen:
            return True  # a type that holds itself: the outer comparison decides
        seen = seen | {pair}
    given, wanted = _follow(given, given_root), _follow(wanted, wanted_root)
    if not isinstance(given, dict) or not isinstance(wanted, dict):
        return bool(given == wanted)
    if not wanted or not given:
        return True
    given_fields, wanted_fields = given.get("properties"), wanted.get("properties")
    if isinstance(wanted_fields, dict) and isinstance(given_fields, dict):
        return all(
            name in given_fields and _offers(given_fields[name], field, given_root, wanted_root, seen)
            for name, field in wanted_fields.items()
        )
    for inner in ("items", "additionalProperties"):
        if isinstance(given.get(inner), dict) and isinstance(wanted.get(inner), dict):
            return _kind(given) == _kind(wanted) and _offers(given[inner], wanted[inner], given_root, wanted_root, seen)
    given_options, wanted_options = _options(given), _options(wanted)
    if given_options and wanted_options:
        return all(
            any(_offers(option, other, given_root, wanted_root, seen) for other in wanted_options)
            for option in given_options
        )
    return _kind(given) == _kind(wanted) and given.get("enum") == wanted.get("enum")


def _follow(schema: Schema, root: Schema) -> Schema:
    """Return what `#/definitions/Name` or `#/$defs/Name` stands for."""
    hops = 0
    while isinstance(schema, dict) and isinstance(schema.get("$ref"), str) and hops < 16:
        found: Schema = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        if found is None:
            return {}
        schema, hops = found, hops + 1
    return schema


def _options(schema: dict[str, Any]) -> list[Schema]:
    options = schema.get("anyOf") or schema.get("oneOf")
    return options if isinstance(options, list) else []


def _kind(schema: dict[str, Any]) -> object:
    return schema.get("type"), schema.get("format")
