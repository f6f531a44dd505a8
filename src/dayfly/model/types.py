"""Which types may flow where, and what an attribute path leads to, over `flyteidl.core.LiteralType`.

The compiler asks it of every binding, the doors of every input. Rules: flytepropeller/pkg/compiler/validators/typing.go
in flyteorg/flyte; the surprising one is that nothing is promoted, so an integer does not flow into a float.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flyteidl.core import types_pb2
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from dayfly.base import errors
from dayfly.model import json_schemas, structs, type_names

NONE = LiteralType(simple=SimpleType.NONE)
STRUCT = LiteralType(simple=SimpleType.STRUCT)

_COLUMN_STORE = ("", "parquet")
"""Formats of structured datasets that a schema can be read from."""


class AttributeNotInType(errors.InvalidArgument):
    """A promise asks for a part that its type does not have."""


def castable(upstream: LiteralType, downstream: LiteralType) -> bool:
    """Say whether a value of type `upstream` may be given where `downstream` is declared."""
    if upstream == downstream:
        return True
    given = list(_variants(upstream))
    if downstream.WhichOneof("type") == "union_type":
        wanted = list(_variants(downstream))
        if upstream.WhichOneof("type") == "union_type":
            return all(any(castable(one, other) for other in wanted) for one in given)
        # Two variants that fit would leave open which one is meant.
        return sum(castable(upstream, other) for other in wanted) == 1
    # A union of one is how literals say which variant they are.
    return len(given) == 1 and _casts(given[0], downstream)


def accepts_none(declared: LiteralType) -> bool:
    """Say whether leaving the value out is fine: the type is a union with none among its variants."""
    return declared.WhichOneof("type") == "union_type" and any(_is_none(variant) for variant in _variants(declared))


def resolve_path(source: LiteralType, path: Sequence[types_pb2.PromiseAttribute]) -> LiteralType:
    """Return the type that an attribute path leads to. Raise `AttributeNotInType`.

    A dataclass that says nothing of its fields has them all, each a STRUCT.
    """
    found = source
    for step in path:
        found = _resolve_step(found, step)
    return found


def _resolve_step(source: LiteralType, step: types_pb2.PromiseAttribute) -> LiteralType:
    kind = source.WhichOneof("type")
    by_index = step.WhichOneof("value") == "int_value"
    if kind == "collection_type" and by_index:
        return source.collection_type
    if kind == "map_value_type":
        return source.map_value_type
    if kind == "simple" and source.simple == SimpleType.STRUCT:
        fields = source.structure.dataclass_type
        if not fields or by_index:
            return STRUCT
        if step.string_value in fields:
            return fields[step.string_value]
        raise AttributeNotInType(
            f"there is no field {step.string_value!r} among {', '.join(sorted(fields))}",
        )
    if kind == "union_type":
        some = [variant for variant in _variants(source) if not _is_none(variant)]
        if len(some) == 1:
            return _resolve_step(some[0], step)
    asked = f"[{step.int_value}]" if by_index else f".{step.string_value}"
    raise AttributeNotInType(f"{type_names.describe(source)} has no part {asked}")


def _is_none(declared: LiteralType) -> bool:
    return bool(declared.WhichOneof("type") == "simple" and declared.simple == SimpleType.NONE)


def _variants(declared: LiteralType) -> Iterator[LiteralType]:
    """Yield the type, or the variants of a union, unions inside it taken apart too: nesting them means nothing."""
    if declared.WhichOneof("type") != "union_type":
        yield declared
        return
    for variant in declared.union_type.variants:
        yield from _variants(variant)


def _casts(upstream: LiteralType, downstream: LiteralType) -> bool:
    kind = downstream.WhichOneof("type")
    if kind == "collection_type":
        return upstream.WhichOneof("type") == kind and _casts_element(
            upstream.collection_type, downstream.collection_type
        )
    if kind == "map_value_type":
        return upstream.WhichOneof("type") == kind and _casts_element(
            upstream.map_value_type, downstream.map_value_type
        )
    if kind == "blob":
        return upstream.WhichOneof("type") == kind and _same_or_open(upstream.blob.format, downstream.blob.format)
    if kind == "schema":
        return _casts_to_schema(upstream, downstream.schema)
    if kind == "structured_dataset_type":
        return _casts_to_dataset(upstream, downstream.structured_dataset_type)
    return _casts_to_plain(upstream, downstream)


def _casts_element(upstream: LiteralType, downstream: LiteralType) -> bool:
    # An empty list or map has elements of no type, and fits everywhere.
    return _is_none(upstream) or castable(upstream, downstream)


def _same_or_open(upstream: str, downstream: str) -> bool:
    return not upstream or not downstream or upstream.lower() == downstream.lower()


def _casts_to_schema(upstream: LiteralType, downstream: types_pb2.SchemaType) -> bool:
    wanted = _schema_columns(downstream)
    if upstream.WhichOneof("type") == "schema":
        return _has_columns(_schema_columns(upstream.schema), wanted)
    if upstream.WhichOneof("type") == "structured_dataset_type":
        dataset = upstream.structured_dataset_type
        return dataset.format.lower() in _COLUMN_STORE and _has_columns(_dataset_columns(dataset), wanted)
    return False


def _casts_to_dataset(upstream: LiteralType, downstream: types_pb2.StructuredDatasetType) -> bool:
    wanted = _dataset_columns(downstream)
    if upstream.WhichOneof("type") == "structured_dataset_type":
        dataset = upstream.structured_dataset_type
        return _same_or_open(dataset.format, downstream.format) and _has_columns(_dataset_columns(dataset), wanted)
    if upstream.WhichOneof("type") == "schema":
        return downstream.format.lower() in _COLUMN_STORE and _has_columns(_schema_columns(upstream.schema), wanted)
    return _is_none(upstream)


def _schema_columns(schema: types_pb2.SchemaType) -> dict[str, LiteralType]:
    # Flyte numbers the column types in the order of the simple types, without NONE.
    return {column.name: LiteralType(simple=column.type + 1) for column in schema.columns}


def _dataset_columns(dataset: types_pb2.StructuredDatasetType) -> dict[str, LiteralType]:
    return {column.name: column.literal_type for column in dataset.columns}


def _has_columns(given: dict[str, LiteralType], wanted: dict[str, LiteralType]) -> bool:
    if not given or not wanted:
        return True
    return all(name in given and castable(given[name], declared) for name, declared in wanted.items())


def _casts_to_plain(upstream: LiteralType, downstream: LiteralType) -> bool:
    given, wanted = upstream.WhichOneof("type"), downstream.WhichOneof("type")
    if given == "enum_type" and wanted == "simple" and downstream.simple == SimpleType.STRING:
        return True
    if given == "simple" and wanted == "enum_type" and upstream.simple == SimpleType.STRING:
        return True
    if upstream.structure.tag and upstream.structure.tag != downstream.structure.tag:
        return False
    if given != wanted:
        return False
    if given == "enum_type":
        return list(upstream.enum_type.values) == list(downstream.enum_type.values)
    if given != "simple" or upstream.simple != downstream.simple:
        return False
    if upstream.simple != SimpleType.STRUCT or not upstream.HasField("metadata") or not downstream.HasField("metadata"):
        return True
    return json_schemas.offers(structs.to_plain(upstream.metadata), structs.to_plain(downstream.metadata))
