"""Outputs held against what a task declares."""

from __future__ import annotations

import msgpack
import pytest
from flyteidl.core import interface_pb2, literals_pb2, types_pb2
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from dayfly.controller import checking

INT, STR, NONE = (LiteralType(simple=kind) for kind in (SimpleType.INTEGER, SimpleType.STRING, SimpleType.NONE))
STRUCT = LiteralType(simple=SimpleType.STRUCT)
FILE = LiteralType(blob=types_pb2.BlobType(format="csv"))
MAYBE_INT = LiteralType(union_type=types_pb2.UnionType(variants=[INT, NONE]))
INTS = LiteralType(collection_type=INT)


def literal(**scalar: object) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(**scalar))


def in_union(value: literals_pb2.Literal, kind: LiteralType) -> literals_pb2.Literal:
    return literal(union=literals_pb2.Union(value=value, type=kind))


ONE = literal(primitive={"integer": 1})
TEXT = literal(primitive={"string_value": "a"})
VOID = literal(none_type={})
SOME = literals_pb2.Literal(collection={"literals": [ONE, ONE]})
BLOB = literal(blob={"uri": "s3://b/x", "metadata": {"type": {"format": "csv"}}})
BARE = literal(blob={"uri": "s3://b/x"})
PACKED = literal(binary={"value": msgpack.packb({"a": 1}), "tag": "msgpack"})
FAR = literals_pb2.Literal(offloaded_metadata={"uri": "s3://b/x"})
FAR_TEXT = literals_pb2.Literal(offloaded_metadata={"uri": "s3://b/x", "inferred_type": STR})


def find(given: dict[str, literals_pb2.Literal], declared: dict[str, LiteralType], **how: bool):
    raw = literals_pb2.LiteralMap(literals=given).SerializeToString()
    variables = {name: interface_pb2.Variable(type=kind) for name, kind in declared.items()}
    return checking.find_fault(raw, variables, **how)


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (ONE, INT),
        (SOME, INTS),
        (literals_pb2.Literal(collection={}), INTS),
        (in_union(ONE, INT), MAYBE_INT),
        (in_union(VOID, NONE), MAYBE_INT),
        (ONE, MAYBE_INT),
        (VOID, MAYBE_INT),
        (BLOB, FILE),
        (BLOB, LiteralType(union_type=types_pb2.UnionType(variants=[FILE, LiteralType(blob=types_pb2.BlobType())]))),
        (PACKED, STRUCT),
        (literal(generic={"fields": {}}), STRUCT),
        (FAR, INT),
        (FAR_TEXT, STR),
        (TEXT, LiteralType()),
    ],
)
def test_what_fits_is_taken(value, declared):
    assert find({"o": value, "more": TEXT}, {"o": declared}) is None


@pytest.mark.parametrize(
    ("value", "declared", "said"),
    [
        (TEXT, INT, "it is str, and int is declared"),
        (VOID, INT, "it is none, and int is declared"),
        (in_union(TEXT, STR), MAYBE_INT, "int | none is declared"),
        (TEXT, MAYBE_INT, "int | none is declared"),
        (SOME, INT, "list[int]"),
        (ONE, INTS, "list[int] is declared"),
        (BARE, FILE, "has no metadata"),
        (literals_pb2.Literal(), INT, "the literal is empty"),
        (FAR_TEXT, INT, "it is str, and int is declared"),
    ],
)
def test_what_does_not_fit_is_told(value, declared, said):
    code, message = find({"o": value}, {"o": declared})
    assert code == "OutputTypeMismatch"
    assert "output 'o'" in message
    assert said in message


def test_an_element_gives_a_part_of_the_list_that_its_map_task_declares():
    assert find({"o": ONE}, {"o": INTS}, of_element=True) is None
    assert find({"o": SOME}, {"o": INTS}, of_element=True) is None, "where the element's own interface is registered"
    assert "int is declared" in find({"o": TEXT}, {"o": INTS}, of_element=True)[1]


def test_what_is_missing_is_named_with_its_type():
    assert find({"a": ONE}, {"a": INT, "c": STR, "b": MAYBE_INT}) == (
        "OutputsNotFound",
        "outputs.pb lacks what the task declares: 'b' (int | none), 'c' (str).",
    )


def test_garbage_is_no_map():
    assert checking.find_fault(b"\xff\xff\xff", {})[0] == "OutputsNotFound"
    assert checking.find_fault(b"", {}) is None
