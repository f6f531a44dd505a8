"""Types of literals, and whether they fit what is declared."""

from __future__ import annotations

import pytest
from flyteidl.core import literals_pb2, types_pb2
from flyteidl.core.literals_pb2 import Literal, LiteralCollection, LiteralMap, Primitive, Scalar
from flyteidl.core.types_pb2 import BlobType, LiteralType
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2

from dayfly.model import literals

INT = LiteralType(simple=types_pb2.INTEGER)
STR = LiteralType(simple=types_pb2.STRING)
NONE = LiteralType(simple=types_pb2.NONE)
STRUCT = LiteralType(simple=types_pb2.STRUCT)
COLOR = LiteralType(enum_type=types_pb2.EnumType(values=["red", "blue"]))


def scalar(**value):
    return Literal(scalar=Scalar(**value))


def primitive(**value):
    return scalar(primitive=Primitive(**value))


def list_of(*parts):
    return Literal(collection=LiteralCollection(literals=parts))


def in_union(value, declared):
    return scalar(union=literals_pb2.Union(value=value, type=declared))


ONE, TEXT, VOID = primitive(integer=1), primitive(string_value="x"), scalar(none_type=literals_pb2.Void())
BLOB = literals_pb2.Blob(uri="s3://b/x", metadata=literals_pb2.BlobMetadata(type=BlobType(format="csv")))
TABLE = literals_pb2.StructuredDataset(
    metadata=literals_pb2.StructuredDatasetMetadata(
        structured_dataset_type=types_pb2.StructuredDatasetType(format="parquet")
    )
)


@pytest.mark.parametrize(
    ("literal", "found"),
    [
        (ONE, INT),
        (primitive(integer=0), INT),
        (primitive(float_value=1.0), LiteralType(simple=types_pb2.FLOAT)),
        (primitive(boolean=False), LiteralType(simple=types_pb2.BOOLEAN)),
        (primitive(datetime=timestamp_pb2.Timestamp()), LiteralType(simple=types_pb2.DATETIME)),
        (primitive(duration=duration_pb2.Duration()), LiteralType(simple=types_pb2.DURATION)),
        (VOID, NONE),
        (scalar(error=types_pb2.Error()), LiteralType(simple=types_pb2.ERROR)),
        (scalar(binary=literals_pb2.Binary(tag="msgpack")), STRUCT),
        (scalar(binary=literals_pb2.Binary()), LiteralType(simple=types_pb2.BINARY)),
        (scalar(generic=struct_pb2.Struct()), STRUCT),
        (scalar(blob=BLOB), LiteralType(blob=BlobType(format="csv"))),
        (scalar(schema=literals_pb2.Schema()), LiteralType(schema=types_pb2.SchemaType())),
        (
            scalar(structured_dataset=TABLE),
            LiteralType(structured_dataset_type=types_pb2.StructuredDatasetType(format="parquet")),
        ),
        (
            scalar(structured_dataset=literals_pb2.StructuredDataset()),
            LiteralType(structured_dataset_type=types_pb2.StructuredDatasetType()),
        ),
        (in_union(ONE, INT), LiteralType(union_type=types_pb2.UnionType(variants=[INT]))),
        (list_of(), LiteralType(collection_type=NONE)),
        (list_of(ONE, ONE), LiteralType(collection_type=INT)),
        (
            list_of(TEXT, ONE, TEXT),
            LiteralType(collection_type=LiteralType(union_type=types_pb2.UnionType(variants=[INT, STR]))),
        ),
        (Literal(map=LiteralMap(literals={"a": ONE})), LiteralType(map_value_type=INT)),
        (
            Literal(offloaded_metadata=literals_pb2.LiteralOffloadedMetadata(uri="s3://b/o", inferred_type=STR)),
            STR,
        ),
    ],
)
def test_the_type_of_a_literal(literal, found):
    assert literals.literal_type(literal) == found


@pytest.mark.parametrize(
    "literal", [Literal(), scalar(), primitive(), scalar(blob=literals_pb2.Blob(uri="x")), list_of(ONE, Literal())]
)
def test_what_has_no_type(literal):
    with pytest.raises(literals.LiteralWithoutType):
        literals.literal_type(literal)
    assert literals.mismatch(literal, INT)


@pytest.mark.parametrize(
    ("literal", "declared", "told"),
    [
        (ONE, INT, ""),
        (ONE, STR, "it is int, and str is declared"),
        (primitive(string_value="red"), COLOR, ""),
        (primitive(string_value="green"), COLOR, "'green' is not one of red, blue"),
        (
            list_of(primitive(string_value="green")),
            LiteralType(collection_type=COLOR),
            "'green' is not one of red, blue",
        ),
        (
            Literal(map=LiteralMap(literals={"a": primitive(string_value="green")})),
            LiteralType(map_value_type=COLOR),
            "'green' is not one of red, blue",
        ),
        (list_of(), LiteralType(collection_type=STR), ""),
        (in_union(ONE, INT), INT, ""),
    ],
)
def test_whether_a_literal_fits(literal, declared, told):
    assert literals.mismatch(literal, declared) == told
