"""What type a literal has, and whether it may stand where a type is declared, over `flyteidl.core.Literal`.

Rules: flytepropeller/pkg/compiler/validators/utils.go (LiteralTypeForLiteral) in flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Iterable

from flyteidl.core import literals_pb2, types_pb2

from dayfly.base import errors
from dayfly.model import type_names, types

MSGPACK = "msgpack"
"""Tag of a Binary that holds a dataclass, a model or a dict."""


class LiteralWithoutType(errors.InvalidArgument):
    """A literal is empty or malformed, so that nothing can be said of its type."""


def literal_type(literal: literals_pb2.Literal) -> types_pb2.LiteralType:
    """Return the type of a literal. Raise `LiteralWithoutType`.

    An empty list or map has elements of type NONE, a mixed one a union of what is in it.
    """
    kind = literal.WhichOneof("value")
    if kind == "scalar":
        return scalar_type(literal.scalar)
    if kind == "collection":
        return types_pb2.LiteralType(collection_type=_element_type(literal.collection.literals))
    if kind == "map":
        return types_pb2.LiteralType(map_value_type=_element_type(literal.map.literals.values()))
    if kind == "offloaded_metadata":
        return literal.offloaded_metadata.inferred_type
    raise LiteralWithoutType("the literal is empty")


def scalar_type(scalar: literals_pb2.Scalar) -> types_pb2.LiteralType:
    """Return the type of a scalar. Raise `LiteralWithoutType`."""
    kind = scalar.WhichOneof("value")
    if kind == "primitive":
        return _primitive_type(scalar.primitive)
    if kind == "none_type":
        return types.NONE
    if kind == "binary":
        return types.STRUCT if scalar.binary.tag == MSGPACK else _BINARY
    if kind == "generic":
        return types.STRUCT
    if kind == "error":
        return _ERROR
    if kind == "blob":
        if not scalar.blob.HasField("metadata"):
            raise LiteralWithoutType(f"the blob {scalar.blob.uri!r} has no metadata")
        return types_pb2.LiteralType(blob=scalar.blob.metadata.type)
    if kind == "schema":
        return types_pb2.LiteralType(schema=scalar.schema.type)
    if kind == "structured_dataset":
        return types_pb2.LiteralType(structured_dataset_type=scalar.structured_dataset.metadata.structured_dataset_type)
    if kind == "union":
        return types_pb2.LiteralType(union_type=types_pb2.UnionType(variants=[scalar.union.type]))
    raise LiteralWithoutType("the scalar is empty")


def mismatch(literal: literals_pb2.Literal, declared: types_pb2.LiteralType) -> str:
    """Say why a literal may not stand where `declared` is; empty when it may. Never raises."""
    try:
        found = literal_type(literal)
    except LiteralWithoutType as error:
        return error.message
    if not types.castable(found, declared):
        return f"it is {type_names.describe(found)}, and {type_names.describe(declared)} is declared"
    return illegal_choice(literal, declared)


def illegal_choice(literal: literals_pb2.Literal, declared: types_pb2.LiteralType) -> str:
    """Say which text of a literal is not among the values of a declared enum; empty when there is none."""
    kind = declared.WhichOneof("type")
    if kind == "enum_type":
        text = literal.scalar.primitive.string_value
        if literal.HasField("scalar") and text not in declared.enum_type.values:
            return f"{text!r} is not one of {', '.join(declared.enum_type.values)}"
    elif kind == "collection_type" and declared.collection_type.WhichOneof("type") != "simple":
        return _first(illegal_choice(part, declared.collection_type) for part in literal.collection.literals)
    elif kind == "map_value_type" and declared.map_value_type.WhichOneof("type") != "simple":
        return _first(illegal_choice(part, declared.map_value_type) for part in literal.map.literals.values())
    return ""


_BINARY = types_pb2.LiteralType(simple=types_pb2.BINARY)
_ERROR = types_pb2.LiteralType(simple=types_pb2.ERROR)
_PRIMITIVES = {
    "integer": types_pb2.LiteralType(simple=types_pb2.INTEGER),
    "float_value": types_pb2.LiteralType(simple=types_pb2.FLOAT),
    "string_value": types_pb2.LiteralType(simple=types_pb2.STRING),
    "boolean": types_pb2.LiteralType(simple=types_pb2.BOOLEAN),
    "datetime": types_pb2.LiteralType(simple=types_pb2.DATETIME),
    "duration": types_pb2.LiteralType(simple=types_pb2.DURATION),
}


def _primitive_type(primitive: literals_pb2.Primitive) -> types_pb2.LiteralType:
    kind = primitive.WhichOneof("value")
    if kind is None:
        raise LiteralWithoutType("the primitive is empty")
    return _PRIMITIVES[kind]


def _element_type(parts: Iterable[literals_pb2.Literal]) -> types_pb2.LiteralType:
    found: dict[bytes, types_pb2.LiteralType] = {}
    last: types_pb2.LiteralType | None = None
    for part in parts:
        one = literal_type(part)
        if one is last:  # a run of primitives of one kind: they share one type
            continue
        last = one
        found[one.SerializeToString(deterministic=True)] = one
    if not found:
        return types.NONE
    if len(found) == 1:
        return next(iter(found.values()))
    return types_pb2.LiteralType(union_type=types_pb2.UnionType(variants=[found[key] for key in sorted(found)]))


def _first(reasons: Iterable[str]) -> str:
    return next((reason for reason in reasons if reason), "")
