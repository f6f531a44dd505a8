"""Literals as plain values, and plain values as literals of a declared type."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from flyteidl.core import interface_pb2, literals_pb2, types_pb2

from dayfly.model import literals, plain_values


def literal(**scalar: object) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(**scalar))


def simple(name: str) -> types_pb2.LiteralType:
    return types_pb2.LiteralType(simple=types_pb2.SimpleType.Value(name))


def union(*variants: types_pb2.LiteralType) -> types_pb2.LiteralType:
    return types_pb2.LiteralType(union_type=types_pb2.UnionType(variants=variants))


LIST = types_pb2.LiteralType(collection_type=simple("INTEGER"))
MAP = types_pb2.LiteralType(map_value_type=LIST)
COLOUR = types_pb2.LiteralType(enum_type=types_pb2.EnumType(values=["red", "green"]))
FILE = types_pb2.LiteralType(blob=types_pb2.BlobType(format="csv"))
DATASET = types_pb2.LiteralType(structured_dataset_type=types_pb2.StructuredDatasetType(format="parquet"))
SCHEMA = types_pb2.LiteralType(schema=types_pb2.SchemaType())


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (literal(primitive={"integer": 3}), 3),
        (literal(primitive={"float_value": 0.5}), 0.5),
        (literal(primitive={"boolean": False}), False),
        (literal(primitive={"string_value": "x"}), "x"),
        (literal(primitive={"duration": {"seconds": 90}}), "90s"),
        (literal(none_type={}), None),
        (literal(blob={"uri": "s3://b/k"}), "s3://b/k"),
        (literal(structured_dataset={"uri": "s3://b/d"}), "s3://b/d"),
        (literal(binary={"value": msgpack.packb({"a": [1]}), "tag": "msgpack"}), {"a": [1]}),
        (literal(binary={"value": b"123"}), "<3 bytes>"),
        (literal(union={"value": {"scalar": {"primitive": {"integer": 1}}}}), 1),
        (literals_pb2.Literal(collection={"literals": [literal(primitive={"integer": 1})]}), [1]),
        (literals_pb2.Literal(map={"literals": {"k": literal(primitive={"integer": 1})}}), {"k": 1}),
    ],
)
def test_a_literal_as_plain_values(given: literals_pb2.Literal, plain: object) -> None:
    assert plain_values.to_plain(given) == plain


@pytest.mark.parametrize(
    ("value", "declared", "again"),
    [
        (3, simple("INTEGER"), 3),
        (3.0, simple("INTEGER"), 3),
        (3, simple("FLOAT"), 3.0),
        ("x", simple("STRING"), "x"),
        (True, simple("BOOLEAN"), True),
        ("2026-11-26T10:00:00Z", simple("DATETIME"), "2026-11-26T10:00:00Z"),
        ("2026-11-26T10:00:00+02:00", simple("DATETIME"), "2026-11-26T08:00:00Z"),
        ("2026-11-26", simple("DATETIME"), "2026-11-26T00:00:00Z"),
        ("1h30m", simple("DURATION"), "5400s"),
        ("-1.5s", simple("DURATION"), "-1.500s"),
        (90, simple("DURATION"), "90s"),
        (None, simple("NONE"), None),
        ({"a": [1, {"b": None}]}, simple("STRUCT"), {"a": [1, {"b": None}]}),
        ([1, 2], LIST, [1, 2]),
        ({"k": [1], "l": [2]}, MAP, {"k": [1], "l": [2]}),
        ("red", COLOUR, "red"),
        ("s3://b/k.csv", FILE, "s3://b/k.csv"),
        ("s3://b/d", DATASET, "s3://b/d"),
        ("s3://b/s", SCHEMA, "s3://b/s"),
        (None, union(simple("INTEGER"), simple("NONE")), None),
        (3, union(simple("FLOAT"), simple("INTEGER")), 3),
        ("2026-11-26", union(simple("DATETIME"), simple("STRING")), "2026-11-26"),
        (3, union(simple("STRING"), simple("FLOAT")), 3.0),
        ([1], union(simple("STRING"), LIST), [1]),
    ],
)
def test_a_plain_value_becomes_a_literal_that_fits(value: Any, declared: types_pb2.LiteralType, again: Any) -> None:
    made = plain_values.from_plain(value, declared, "inputs.x")
    assert plain_values.to_plain(made) == again
    assert literals.mismatch(made, declared) == ""


@pytest.mark.parametrize(
    ("value", "declared", "said"),
    [
        ("3", simple("INTEGER"), "inputs.x is the text '3', and int is declared"),
        (True, simple("INTEGER"), "inputs.x is the truth value true, and int is declared"),
        (2**63, simple("INTEGER"), "inputs.x is the whole number 9223372036854775808, and int is declared"),
        (1.5, simple("INTEGER"), "inputs.x is the number 1.5, and int is declared"),
        (3, simple("STRING"), "inputs.x is the whole number 3, and str is declared"),
        (None, simple("STRING"), "inputs.x is nothing, and str is declared"),
        ("tomorrow", simple("DATETIME"), "inputs.x is the text 'tomorrow', and datetime is declared"),
        ("1 fortnight", simple("DURATION"), "inputs.x is the text '1 fortnight', and timedelta is declared"),
        ([1, "b"], LIST, "inputs.x[1] is the text 'b', and int is declared"),
        ({"k": 3}, MAP, "inputs.x.k is the whole number 3, and list[int] is declared"),
        ("blue", COLOUR, "inputs.x is the text 'blue', and enum(red, green) is declared"),
        ({}, FILE, "inputs.x is a mapping, and file(csv) is declared"),
        ("x", simple("BINARY"), "inputs.x is the text 'x', and binary is declared"),
        ("x", union(simple("INTEGER"), simple("NONE")), "inputs.x is the text 'x', and int | none is declared"),
    ],
)
def test_what_does_not_fit_says_where_and_why(value: Any, declared: types_pb2.LiteralType, said: str) -> None:
    with pytest.raises(plain_values.Unfit) as refused:
        plain_values.from_plain(value, declared, "inputs.x")
    assert refused.value.message == said


def test_inputs_are_read_by_their_parameters_and_all_that_is_wrong_is_named() -> None:
    declared = interface_pb2.ParameterMap(
        parameters={"n": {"var": {"type": simple("INTEGER")}}, "s": {"var": {"type": simple("STRING")}}}
    )
    made = plain_values.read_inputs({"n": 3}, declared)
    assert {name: plain_values.to_plain(one) for name, one in made.literals.items()} == {"n": 3}
    with pytest.raises(plain_values.Unfit) as refused:
        plain_values.read_inputs({"n": "a", "t": 1, "s": "fine"}, declared)
    assert refused.value.message == "inputs.n is the text 'a', and int is declared; inputs.t is unknown."
    assert refused.value.remedy == "The inputs that can be given are: n (int), s (str)."
