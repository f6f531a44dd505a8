"""Hashes of messages, beside values that Flyte and objecthash themselves expect.

Those of plain JSON are in objecthash's common_json.test (https://github.com/benlaurie/objecthash); the one of a whole
message is in flytestdlib/pbhash/pbhash_test.go in flyteorg/flyte.
"""

from __future__ import annotations

import base64
import hashlib

import pytest
from flyteidl.core import interface_pb2, literals_pb2, types_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, struct_pb2

from dayfly.base import errors
from dayfly.model import object_hash

MIXED = ["foo", {"bar": ["baz", None, 1.0, 1.5, 0.0001, 1000.0, 2.0, -23.1234, 2.0]}]


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ([], "acac86c0e609ca906f632b0e2dacccb2b77d22b0621f20ebece1a4835b93f6f0"),
        (["foo"], "268bc27d4974d9d576222e4cdbb8f7c6bd6791894098645a19eeca9c102d0964"),
        (["foo", "bar"], "32ae896c413cfdc79eec68be9139c86ded8b279238467c216cf2bec4d5f1e4a2"),
        ({}, "18ac3e7343f016890c510e93f935261169d9e3f565436429830faf0934f4f8e4"),
        ({"foo": "bar"}, "7ef5237c3027d6c58100afadf37796b3d351025cf28038280147d42fdc53b960"),
        (
            {"foo": ["bar", "baz"], "qux": ["norf"]},
            "f1a9389f27558538a064f3cc250f8686a0cebb85f1cab7f4d4dcc416ceda3c92",
        ),
        (True, "7dc96f776c8423e57a2785489a3f9c43fb6e756876d6ad9a9cac4aa4e72ec193"),
        (False, "c02c0b965e023abee808f2b548d8d5193a8b5229be6f3121a6f16e2d41a449b3"),
        (MIXED, "783a423b094307bcb28d005bc2f026ff44204442ef3513585e7e73b66e3c2213"),
        ({"k2": "v2", "k1": "v1", "k3": "v3"}, "ddd65f1f7568269a30df7cafc26044537dc2f02a1a0d830da61762fc3e687057"),
    ],
)
def test_json_hashes_as_elsewhere(tree: object, expected: str) -> None:
    value = json_format.ParseDict(tree, struct_pb2.Value())
    assert object_hash.digest(value).hex() == expected
    if isinstance(tree, dict):
        assert object_hash.digest(json_format.ParseDict(tree, struct_pb2.Struct())).hex() == expected
    if isinstance(tree, list):
        assert object_hash.digest(json_format.ParseDict(tree, struct_pb2.ListValue())).hex() == expected


@pytest.mark.parametrize(
    ("number", "normal"),
    [
        (0.0, "+0:"),
        (-0.0, "+0:"),
        (1.0, "+0:1"),
        (2.0, "+1:1"),
        (0.5, "+-1:1"),
        (-1.5, "-1:011"),
        (5e-324, "+-1074:1"),
    ],
)
def test_floats_by_sign_exponent_and_binary_digits(number: float, normal: str) -> None:
    value = struct_pb2.Value(number_value=number)
    assert object_hash.digest(value) == hashlib.sha256(b"f" + normal.encode()).digest()


@pytest.mark.parametrize(
    ("number", "text"), [(float("inf"), "Infinity"), (float("-inf"), "-Infinity"), (float("nan"), "NaN")]
)
def test_numbers_that_json_lacks_are_text(number: float, text: str) -> None:
    given, written = struct_pb2.Value(number_value=number), struct_pb2.Value(string_value=text)
    assert object_hash.digest(given) == object_hash.digest(written)


def test_a_message_of_every_kind_hashes_as_in_flyte() -> None:
    message = json_format.ParseDict(
        {
            "integer": 18,
            "floatValue": 1.3,
            "stringValue": "lets test this",
            "boolean": True,
            "datetime": "2019-03-29T12:00:00Z",
            "duration": "0.001s",
            "mapValue": {"z": "last", "a": "first"},
            "collections": ["1", "2", "3"],
        },
        _sample_type()(),
    )
    assert base64.b64encode(object_hash.digest(message)) == b"YpWyLCP1NW0DVk3Hj64tK70H/9t+5fQlj7yyDK2lSEQ="
    for field in ("datetime", "duration", "map_value", "collections"):
        message.ClearField(field)
    assert base64.b64encode(object_hash.digest(message)) == b"GhPMTKvJfUPHK8U3vEmoi/wdVBx7IQSPqyjGXAZzquI="


def _sample_type():
    """Return the type of message that Flyte's test makes up."""
    field, file = descriptor_pb2.FieldDescriptorProto, descriptor_pb2.FileDescriptorProto()
    file.name, file.syntax = "sample.proto", "proto3"
    file.dependency.extend(["google/protobuf/timestamp.proto", "google/protobuf/duration.proto"])
    message = file.message_type.add(name="Sample")
    kinds = {
        "integer": (field.TYPE_INT64, ""),
        "float_value": (field.TYPE_DOUBLE, ""),
        "string_value": (field.TYPE_STRING, ""),
        "boolean": (field.TYPE_BOOL, ""),
        "datetime": (field.TYPE_MESSAGE, ".google.protobuf.Timestamp"),
        "duration": (field.TYPE_MESSAGE, ".google.protobuf.Duration"),
        "map_value": (field.TYPE_MESSAGE, ".Sample.MapValueEntry"),
        "collections": (field.TYPE_STRING, ""),
    }
    for number, (name, (kind, named)) in enumerate(kinds.items(), start=1):
        repeated = field.LABEL_REPEATED if name in ("map_value", "collections") else field.LABEL_OPTIONAL
        message.field.add(name=name, number=number, type=kind, type_name=named or None, label=repeated)
    entry = message.nested_type.add(name="MapValueEntry")
    entry.options.map_entry = True
    for number, name in enumerate(("key", "value"), start=1):
        entry.field.add(name=name, number=number, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Sample"))


def test_the_walk_agrees_with_written_json() -> None:
    """Everything that literals and types are made of, by protobuf's own JSON."""
    literal = literals_pb2.Literal()
    scalars = [literals_pb2.Scalar() for _ in range(9)]
    scalars[0].primitive.float_value = 0.0
    scalars[1].primitive.boolean = False
    scalars[2].binary.value, scalars[2].binary.tag = b"\x00\xff", "msgpack"
    scalars[3].primitive.datetime.FromJsonString("2026-01-02T03:04:05.678Z")
    scalars[4].primitive.duration.FromJsonString("-1.5s")
    scalars[5].none_type.SetInParent()
    scalars[6].generic.update({"a": [1.5, None, {"b": False}], "c": "d"})
    scalars[7].union.value.scalar.primitive.integer = 2**60
    scalars[7].union.type.enum_type.values.extend(["x", "y"])
    scalars[8].blob.metadata.type.dimensionality = types_pb2.BlobType.MULTIPART
    for scalar in scalars:
        literal.collection.literals.add().scalar.CopyFrom(scalar)
    literal.collection.literals.add().map.literals["é"].hash = "h"
    variable = interface_pb2.Variable(description="d")
    variable.type.simple = types_pb2.NONE
    for message in (literal, variable):
        tree = json_format.MessageToDict(message)
        assert object_hash.digest(message) == object_hash.digest(json_format.ParseDict(tree, struct_pb2.Value()))


def test_an_enum_number_without_a_name_is_a_number() -> None:
    message = types_pb2.LiteralType()
    message.ParseFromString(b"\x08\x63")  # simple: 99
    value = json_format.ParseDict({"simple": 99.0}, struct_pb2.Value())
    assert object_hash.digest(message) == object_hash.digest(value)


def test_a_time_out_of_range_is_told() -> None:
    primitive = literals_pb2.Primitive()
    primitive.datetime.seconds = 2**60
    with pytest.raises(errors.InvalidArgument, match="out of range"):
        object_hash.digest(primitive)
