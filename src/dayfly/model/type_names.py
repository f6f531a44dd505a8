"""Types as people write them, for messages: `list[int]`, `dict[str, file]`, `int | none`."""

from __future__ import annotations

from flyteidl.core import types_pb2

_SIMPLE = {
    types_pb2.NONE: "none",
    types_pb2.INTEGER: "int",
    types_pb2.FLOAT: "float",
    types_pb2.STRING: "str",
    types_pb2.BOOLEAN: "bool",
    types_pb2.DATETIME: "datetime",
    types_pb2.DURATION: "timedelta",
    types_pb2.BINARY: "binary",
    types_pb2.ERROR: "error",
    types_pb2.STRUCT: "struct",
}


def describe(declared: types_pb2.LiteralType) -> str:
    """Return the type in a short form that resembles a Python annotation."""
    kind = declared.WhichOneof("type")
    if kind == "simple":
        return _describe_simple(declared)
    if kind == "collection_type":
        return f"list[{describe(declared.collection_type)}]"
    if kind == "map_value_type":
        return f"dict[str, {describe(declared.map_value_type)}]"
    if kind == "union_type":
        return " | ".join(describe(variant) for variant in declared.union_type.variants) or "union"
    if kind == "enum_type":
        return f"enum({', '.join(declared.enum_type.values)})"
    if kind == "blob":
        word = "directory" if declared.blob.dimensionality == types_pb2.BlobType.MULTIPART else "file"
        return f"{word}({declared.blob.format})" if declared.blob.format else word
    if kind == "schema":
        return _with_columns("schema", [column.name for column in declared.schema.columns])
    if kind == "structured_dataset_type":
        dataset = declared.structured_dataset_type
        name = f"dataset({dataset.format})" if dataset.format else "dataset"
        return _with_columns(name, [column.name for column in dataset.columns])
    return "no type"


def _describe_simple(declared: types_pb2.LiteralType) -> str:
    name = _SIMPLE.get(declared.simple, str(declared.simple))
    if declared.simple == types_pb2.STRUCT and "title" in declared.metadata.fields:
        title = declared.metadata.fields["title"].string_value
        return f"{name}({title})" if title else name
    return name


def _with_columns(name: str, columns: list[str]) -> str:
    return f"{name}[{', '.join(columns)}]" if columns else name
