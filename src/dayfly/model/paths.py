"""Follow an attribute path into a literal: `result.scores[2]`.

`promises` calls it when a node's inputs are put together. Lists and maps of literals are walked first; at a msgpack
Binary or a Struct the walk goes on in the decoded tree, and what it ends at becomes a literal again. Numbers of a
Struct are floats, since that is all a Struct can hold. Rules:
flytepropeller/pkg/controller/nodes/attr_path_resolver.go in flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgpack
from flyteidl.core import literals_pb2, types_pb2
from google.protobuf import json_format, struct_pb2

from dayfly.base import errors
from dayfly.model import literals, structs


class BadPromise(errors.UserError):
    """A binding asks for what is not there. `code` is the code that Flyte gives the failure."""

    def __init__(self, code: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class NotFetched(errors.DayflyError):
    """The value of an offloaded literal is needed: whoever asks fetches it from `uri`, and asks again."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"the value at {uri} is needed")
        self.uri = uri


Fetched = Mapping[str, literals_pb2.Literal]
"""The values of offloaded literals, by where they lie."""

_NOTHING: Fetched = {}

ATTRIBUTE_ERROR = "PromiseAttributeResolveError"

_INT64 = range(-(2**63), 2**63)

_MAX_DEPTH = 40
"""Lists within lists; protobuf reads no message nested more than a hundred deep, and each list takes two."""


def resolve(
    literal: literals_pb2.Literal, path: Sequence[types_pb2.PromiseAttribute], fetched: Fetched = _NOTHING
) -> literals_pb2.Literal:
    """Return the part of `literal` that `path` leads to.

    Raise `BadPromise` with PromiseAttributeResolveError, and `NotFetched`.
    """
    found = literal
    for index, step in enumerate(path):
        found = whole(found, fetched)
        kind = found.WhichOneof("value")
        if kind == "collection":
            found = _element(found.collection.literals, step, path[: index + 1])
        elif kind == "map":
            found = _value(found.map.literals, step, path[: index + 1])
        else:
            return _resolve_in_tree(found, path, index)
    return found


def describe(path: Sequence[types_pb2.PromiseAttribute]) -> str:
    """Return the path as people write it: `.scores[2]`."""
    return "".join(
        f"[{step.int_value}]" if step.WhichOneof("value") == "int_value" else f".{step.string_value}" for step in path
    )


def whole(literal: literals_pb2.Literal, fetched: Fetched = _NOTHING) -> literals_pb2.Literal:
    """Return the value that a literal stands for: what a union wraps, and what was offloaded. Raise `NotFetched`."""
    while True:
        kind = literal.WhichOneof("value")
        if kind == "scalar" and literal.scalar.WhichOneof("value") == "union":
            literal = literal.scalar.union.value
        elif kind == "offloaded_metadata":
            uri = literal.offloaded_metadata.uri
            if uri not in fetched:
                raise NotFetched(uri)
            literal = fetched[uri]
        else:
            return literal


def _element(parts: Any, step: types_pb2.PromiseAttribute, path: Sequence[types_pb2.PromiseAttribute]) -> Any:
    if step.WhichOneof("value") != "int_value":
        raise _missing(path, f"it is a list of {len(parts)}, which has no names")
    if not 0 <= step.int_value < len(parts):
        raise _missing(path, f"the list has {len(parts)} elements")
    return parts[step.int_value]


def _value(parts: Any, step: types_pb2.PromiseAttribute, path: Sequence[types_pb2.PromiseAttribute]) -> Any:
    by_index = step.WhichOneof("value") == "int_value"
    for key in (step.int_value, str(step.int_value)) if by_index else (step.string_value,):
        # Keys of a literal map are always text; those of a decoded msgpack dict may be numbers.
        if (isinstance(parts, dict) or isinstance(key, str)) and key in parts:
            return parts[key]
    known = ", ".join(sorted(str(key) for key in parts)[:20])
    raise _missing(path, f"the keys are {known}" if known else "it has no keys")


def _missing(path: Sequence[types_pb2.PromiseAttribute], why: str) -> BadPromise:
    return BadPromise(ATTRIBUTE_ERROR, f"there is no {describe(path)} in the value: {why}")


def _resolve_in_tree(
    literal: literals_pb2.Literal, path: Sequence[types_pb2.PromiseAttribute], index: int
) -> literals_pb2.Literal:
    kind = literal.scalar.WhichOneof("value")
    if kind == "binary" and literal.scalar.binary.tag == literals.MSGPACK:
        tree, binary = _unpack(literal.scalar.binary.value, path), True
    elif kind == "generic":
        tree, binary = structs.to_plain(literal.scalar.generic), False
    else:
        raise _missing(path[: index + 1], f"a {literal.WhichOneof('value') or 'missing'} value has no parts")
    for done in range(index, len(path)):
        if isinstance(tree, list):
            tree = _element(tree, path[done], path[: done + 1])
        elif isinstance(tree, dict):
            tree = _value(tree, path[done], path[: done + 1])
        else:
            raise _missing(path[: done + 1], f"a {type(tree).__name__} has no parts")
    return _to_literal(tree, path, binary=binary)


def _unpack(packed: bytes, path: Sequence[types_pb2.PromiseAttribute]) -> Any:
    try:
        return msgpack.unpackb(packed, strict_map_key=False)
    except (TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
        raise BadPromise(ATTRIBUTE_ERROR, f"{describe(path)}: the value is not valid msgpack: {error}") from error


def _to_literal(
    tree: Any, path: Sequence[types_pb2.PromiseAttribute], *, binary: bool, depth: int = 0
) -> literals_pb2.Literal:
    if depth > _MAX_DEPTH:
        raise BadPromise(ATTRIBUTE_ERROR, f"{describe(path)} holds lists nested more than {_MAX_DEPTH} deep")
    if isinstance(tree, list):
        parts = [_to_literal(part, path, binary=binary, depth=depth + 1) for part in tree]
        return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=parts))
    return literals_pb2.Literal(scalar=_to_scalar(tree, path, binary=binary))


def _to_scalar(tree: Any, path: Sequence[types_pb2.PromiseAttribute], *, binary: bool) -> literals_pb2.Scalar:
    if tree is None:
        return literals_pb2.Scalar(none_type=literals_pb2.Void())
    if isinstance(tree, dict) and binary:
        return literals_pb2.Scalar(binary=literals_pb2.Binary(value=msgpack.packb(tree), tag=literals.MSGPACK))
    if isinstance(tree, dict):
        return literals_pb2.Scalar(generic=json_format.ParseDict(tree, struct_pb2.Struct()))
    if isinstance(tree, bool):  # before int: a bool is one
        return _primitive(boolean=tree)
    if isinstance(tree, int) and tree in _INT64:
        return _primitive(integer=tree)
    if isinstance(tree, float):
        return _primitive(float_value=tree)
    if isinstance(tree, str):
        return _primitive(string_value=tree)
    raise BadPromise(ATTRIBUTE_ERROR, f"{describe(path)} is a {type(tree).__name__}, which no input can take")


def _primitive(**value: Any) -> literals_pb2.Scalar:
    return literals_pb2.Scalar(primitive=literals_pb2.Primitive(**value))
