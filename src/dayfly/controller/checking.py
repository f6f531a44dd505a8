"""Holds the outputs that a task wrote against those that it declares. Pure.

Called by `observing` for each attempt that leaves outputs: whoever uses them relies on their types, which the compiler
has checked by the declarations alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.core import literals_pb2
from google.protobuf import message as protobuf

from dayfly.model import literals, type_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyteidl.core import interface_pb2, types_pb2

NOT_FOUND = "OutputsNotFound"
"""Code of outputs that are not there, or are no outputs."""

MISMATCH = "OutputTypeMismatch"
"""Code of an output of another type than is declared."""


def find_fault(
    raw: bytes, declared: Mapping[str, interface_pb2.Variable], *, of_element: bool = False
) -> tuple[str, str] | None:
    """Return code and message of what is wrong with an outputs.pb, None where nothing is.

    `of_element`: it is what one element of an array gave, while a map task declares lists. What is not declared is
    nobody's concern.
    """
    try:
        found = literals_pb2.LiteralMap.FromString(raw).literals
    except protobuf.DecodeError:
        return NOT_FOUND, "outputs.pb is not a LiteralMap; the task wrote something else there."
    missing = [name for name in declared if name not in found]
    if missing:
        named = ", ".join(f"{name!r} ({type_names.describe(declared[name].type)})" for name in sorted(missing))
        return NOT_FOUND, f"outputs.pb lacks what the task declares: {named}."
    for name in sorted(declared):
        wrong = _mismatch(found[name], declared[name].type, of_element=of_element)
        if wrong:
            return MISMATCH, f"the task wrote an output {name!r} of another type than it declares: {wrong}."
    return None


def _mismatch(literal: literals_pb2.Literal, declared: types_pb2.LiteralType, *, of_element: bool) -> str:
    if declared.WhichOneof("type") is None:
        return ""
    if _is_offloaded_without_type(literal):
        return ""  # flytekit says what it is, but need not
    wrong = literals.mismatch(literal, declared)
    if wrong and any(not literals.mismatch(literal, variant) for variant in declared.union_type.variants):
        return ""  # it may not say which one it is
    if wrong and of_element and declared.WhichOneof("type") == "collection_type":
        return _mismatch(literal, declared.collection_type, of_element=False)
    return wrong


def _is_offloaded_without_type(literal: literals_pb2.Literal) -> bool:
    by_reference = literal.WhichOneof("value") == "offloaded_metadata"
    return by_reference and literal.offloaded_metadata.inferred_type.WhichOneof("type") is None
