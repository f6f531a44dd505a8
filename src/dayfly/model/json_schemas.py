"""Whether a value of one JSON schema offers all that another asks for.

Dataclasses and pydantic models carry their JSON schema in their type's metadata. `types` asks here when a struct flows
into a struct. Names, titles and descriptions do not count; every field that is asked for must be there, alike.
"""

from __future__ import annotations

from typing import Any

_UNKNOWN: dict[str, Any] = {}
"""What a reference to nowhere stands for: it fits everything."""

Schema = Any  # a JSON schema is an object, or a bool


def offers(given: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Say whether schema `given` is `wanted`, or has every field of it and more."""
    return _Comparison(given, wanted).offers(given, wanted)


class _Comparison:
    """Two schemas with their definitions. Each pair of parts is compared once, however often it is referred to."""

    def __init__(self, given_root: Schema, wanted_root: Schema) -> None:
        self._given_root, self._wanted_root = given_root, wanted_root
        self._known: dict[tuple[int, int], bool] = {}

    def offers(self, given: Schema, wanted: Schema) -> bool:
        given, wanted = _follow(given, self._given_root), _follow(wanted, self._wanted_root)
        if not isinstance(given, dict) or not isinstance(wanted, dict):
            return bool(given == wanted)
        pair = (id(given), id(wanted))
        if pair not in self._known:
            self._known[pair] = True  # met again inside itself: the rest decides
            self._known[pair] = not wanted or not given or self._compare(given, wanted)
        return self._known[pair]

    def _compare(self, given: dict[str, Any], wanted: dict[str, Any]) -> bool:
        given_fields, wanted_fields = given.get("properties"), wanted.get("properties")
        if isinstance(wanted_fields, dict) and isinstance(given_fields, dict):
            return all(
                name in given_fields and self.offers(given_fields[name], field) for name, field in wanted_fields.items()
            )
        for inner in ("items", "additionalProperties"):
            if isinstance(given.get(inner), dict) and isinstance(wanted.get(inner), dict):
                return _kind(given) == _kind(wanted) and self.offers(given[inner], wanted[inner])
        given_options, wanted_options = _options(given), _options(wanted)
        if given_options and wanted_options:
            return all(any(self.offers(option, other) for other in wanted_options) for option in given_options)
        return _kind(given) == _kind(wanted) and given.get("enum") == wanted.get("enum")


def _follow(schema: Schema, root: Schema) -> Schema:
    """Return what `#/definitions/Name` or `#/$defs/Name` stands for."""
    hops = 0
    while isinstance(schema, dict) and isinstance(schema.get("$ref"), str) and hops < 16:
        found: Schema = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        if found is None:
            return _UNKNOWN
        schema, hops = found, hops + 1
    return schema


def _options(schema: dict[str, Any]) -> list[Schema]:
    options = schema.get("anyOf") or schema.get("oneOf")
    return options if isinstance(options, list) else []


def _kind(schema: dict[str, Any]) -> object:
    return schema.get("type"), schema.get("format")
