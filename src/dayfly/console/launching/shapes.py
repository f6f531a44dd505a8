"""From a type to the shape of its field. Pure; `form.js` draws shapes, `reading` and `writing` go by them."""

from __future__ import annotations

from typing import Any

from flyteidl.core import types_pb2

from dayfly.console.launching import schemas
from dayfly.model import structs, type_names

Shape = dict[str, Any]

PICKLE = "PythonPickle"
"""Format of the blobs that flytekit makes of types which it does not know."""

PICKLED = (
    "A value of this type travels as a Python pickle, which only Python can make: launch with `pyflyte run`, or give "
    "the parameter a type that Flyte knows."
)

UNKNOWN = "There is no field for a value of this type: launch with `pyflyte run`."

_SIMPLE = {
    types_pb2.INTEGER: "int",
    types_pb2.FLOAT: "float",
    types_pb2.STRING: "text",
    types_pb2.BOOLEAN: "bool",
    types_pb2.DATETIME: "datetime",
    types_pb2.DURATION: "duration",
    types_pb2.NONE: "none",
}


def build(declared: types_pb2.LiteralType) -> Shape:
    """Return the shape of a type's field."""
    kind = declared.WhichOneof("type")
    if kind == "simple":
        return _simple(declared)
    if kind == "enum_type":
        return {"kind": "choice", "options": list(declared.enum_type.values)}
    if kind == "collection_type":
        return {"kind": "list", "item": build(declared.collection_type)}
    if kind == "map_value_type":
        return {"kind": "map", "item": build(declared.map_value_type)}
    if kind == "union_type":
        variants = declared.union_type.variants
        return {
            "kind": "union",
            "variants": [{"label": type_names.describe(one), "shape": build(one)} for one in variants],
        }
    if kind == "blob" and declared.blob.format == PICKLE:
        return {"kind": "refused", "why": PICKLED}
    if kind == "blob":
        whole = declared.blob.dimensionality == types_pb2.BlobType.MULTIPART
        return {"kind": "directory" if whole else "file", "format": declared.blob.format}
    if kind in ("schema", "structured_dataset_type"):
        return {"kind": "dataset"}
    return {"kind": "refused", "why": UNKNOWN}


def is_fillable(shape: Shape) -> bool:
    """Say whether a person can fill a field of this shape, one way or another."""
    kind = shape["kind"]
    if kind == "refused":
        return False
    if kind in ("list", "map"):
        return True  # It may stay empty.
    if kind == "union":
        return any(is_fillable(one["shape"]) for one in shape["variants"])
    return True


def _simple(declared: types_pb2.LiteralType) -> Shape:
    if declared.simple in _SIMPLE:
        return {"kind": _SIMPLE[declared.simple]}
    if declared.simple == types_pb2.STRUCT:
        schema = structs.to_plain(declared.metadata)
        return schemas.build(schema) if schema else {"kind": "json"}
    return {"kind": "refused", "why": UNKNOWN}
