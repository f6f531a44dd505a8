"""The table of which types may flow where, and of what attribute paths lead to."""

from __future__ import annotations

import pytest
from flyteidl.core import types_pb2
from flyteidl.core.types_pb2 import BlobType, LiteralType, SchemaType, StructuredDatasetType
from google.protobuf import json_format, struct_pb2

from dayfly.model import type_names, types

INT = LiteralType(simple=types_pb2.INTEGER)
FLOAT = LiteralType(simple=types_pb2.FLOAT)
STR = LiteralType(simple=types_pb2.STRING)
NONE = LiteralType(simple=types_pb2.NONE)
STRUCT = LiteralType(simple=types_pb2.STRUCT)
CSV = LiteralType(blob=BlobType(format="csv"))
FILE = LiteralType(blob=BlobType())
DIRECTORY = LiteralType(blob=BlobType(format="csv", dimensionality=BlobType.MULTIPART))
COLOR = LiteralType(enum_type=types_pb2.EnumType(values=["red", "blue"]))
COLOR_AGAIN = LiteralType(enum_type=types_pb2.EnumType(values=["blue", "red"]))


def list_of(element):
    return LiteralType(collection_type=element)


def dict_of(value):
    return LiteralType(map_value_type=value)


def union(*variants):
    return LiteralType(union_type=types_pb2.UnionType(variants=variants))


def tagged(declared, tag):
    copy = LiteralType()
    copy.CopyFrom(declared)
    copy.structure.tag = tag
    return copy


def dataset(format="", **columns):
    named = [StructuredDatasetType.DatasetColumn(name=name, literal_type=kind) for name, kind in columns.items()]
    return LiteralType(structured_dataset_type=StructuredDatasetType(format=format, columns=named))


def schema(**columns):
    named = [SchemaType.SchemaColumn(name=name, type=kind) for name, kind in columns.items()]
    return LiteralType(schema=SchemaType(columns=named))


def model(properties, title="M", **more):
    plain = {"type": "object", "title": title, "properties": properties, **more}
    return LiteralType(simple=types_pb2.STRUCT, metadata=json_format.ParseDict(plain, struct_pb2.Struct()))


A, B = {"a": {"type": "integer"}}, {"b": {"type": "string"}}
COLUMN = SchemaType.SchemaColumn
OPTIONAL_INT = union(tagged(INT, "int"), tagged(NONE, "none"))

FLOWS = [
    (INT, INT, True),
    (INT, FLOAT, False),
    (INT, STR, False),
    (NONE, NONE, True),
    (INT, NONE, False),
    (NONE, INT, False),
    # containers
    (list_of(INT), list_of(INT), True),
    (list_of(INT), list_of(STR), False),
    (list_of(NONE), list_of(STR), True),
    (list_of(INT), dict_of(INT), False),
    (INT, list_of(INT), False),
    (dict_of(list_of(NONE)), dict_of(list_of(CSV)), True),
    (dict_of(NONE), dict_of(INT), True),
    # blobs: formats count unless open, shape does not
    (CSV, FILE, True),
    (FILE, CSV, True),
    (CSV, LiteralType(blob=BlobType(format="png")), False),
    (CSV, DIRECTORY, True),
    (STR, FILE, False),
    # tables
    (schema(x=COLUMN.INTEGER), schema(), True),
    (schema(), schema(x=COLUMN.INTEGER), True),
    (schema(x=COLUMN.INTEGER, y=COLUMN.STRING), schema(x=COLUMN.INTEGER), True),
    (schema(x=COLUMN.INTEGER), schema(y=COLUMN.INTEGER), False),
    (schema(x=COLUMN.INTEGER), schema(x=COLUMN.FLOAT), False),
    (dataset("parquet", x=INT), schema(x=COLUMN.INTEGER), True),
    (dataset("csv", x=INT), schema(x=COLUMN.INTEGER), False),
    (dataset("PARQUET"), dataset("parquet"), True),
    (dataset("csv"), dataset("parquet"), False),
    (dataset(""), dataset("parquet"), True),
    (dataset(x=list_of(NONE)), dataset(x=list_of(INT)), True),
    (dataset(x=INT), dataset(x=STR), False),
    (schema(x=COLUMN.STRING), dataset(x=STR), True),
    (schema(), dataset("csv"), False),
    (NONE, dataset(), True),
    (STR, dataset(), False),
    # unions
    (INT, OPTIONAL_INT, True),
    (NONE, OPTIONAL_INT, True),
    (STR, OPTIONAL_INT, False),
    (INT, union(INT, INT), False),
    (tagged(INT, "a"), union(tagged(INT, "a"), tagged(INT, "b")), True),
    (union(INT), INT, True),
    (union(INT, STR), INT, False),
    (union(INT, STR), union(INT, STR, FLOAT), True),
    (union(INT, STR), union(INT, FLOAT), False),
    (OPTIONAL_INT, OPTIONAL_INT, True),
    (list_of(union(union(INT), union(NONE))), list_of(OPTIONAL_INT), True),
    # enums and tags
    (COLOR, STR, True),
    (STR, COLOR, True),
    (COLOR, COLOR_AGAIN, False),
    (INT, COLOR, False),
    (tagged(STR, "path"), STR, False),
    (STR, tagged(STR, "path"), True),
    # structs and their schemas
    (STRUCT, model(A), True),
    (model(A), STRUCT, True),
    (model(A), model(A, title="Other"), True),
    (model({**A, **B}), model(A), True),
    (model(A), model({**A, **B}), False),
    (model(A), model({"a": {"type": "string"}}), False),
    (STRUCT, INT, False),
]


@pytest.mark.parametrize(("upstream", "downstream", "flows"), FLOWS)
def test_what_flows_where(upstream, downstream, flows):
    assert types.castable(upstream, downstream) is flows, (
        f"{type_names.describe(upstream)} -> {type_names.describe(downstream)}"
    )


@pytest.mark.parametrize("declared", {flow[0].SerializeToString(): flow[0] for flow in FLOWS}.values())
def test_every_type_flows_into_itself(declared):
    again = LiteralType()
    again.CopyFrom(declared)
    again.annotation.annotations.update({"note": 1})  # so that they differ, in what does not count
    assert types.castable(declared, declared)
    assert types.castable(declared, again)


def test_models_are_followed_through_references():
    definitions = {"P": {"type": "object", "properties": A}, "N": {"properties": {"next": {"$ref": "#/definitions/N"}}}}
    inner = model({"p": {"$ref": "#/definitions/P"}}, definitions=definitions)
    other = model({"p": {"$ref": "#/$defs/Q"}}, **{"$defs": {"Q": {"type": "object", "properties": B}}})
    looped = model({"n": {"$ref": "#/definitions/N"}}, definitions=definitions)
    assert types.castable(inner, model({"p": {"type": "object", "properties": A}}))
    assert not types.castable(inner, other)
    assert types.castable(looped, model({"n": {"$ref": "#/definitions/N"}}, title="x", definitions=definitions))


def test_models_compare_lists_and_options():
    numbers = {"l": {"type": "array", "items": {"type": "integer"}}}
    texts = {"l": {"type": "array", "items": {"type": "string"}}}
    maybe = {"l": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]}}
    assert types.castable(model(numbers), model(numbers, title="N"))
    assert not types.castable(model(numbers), model(texts))
    assert types.castable(model(maybe), model(maybe, title="N"))
    assert not types.castable(model(maybe), model(texts))


def step(value):
    if isinstance(value, int):
        return types_pb2.PromiseAttribute(int_value=value)
    return types_pb2.PromiseAttribute(string_value=value)


POINT = LiteralType(
    simple=types_pb2.STRUCT,
    structure=types_pb2.TypeStructure(dataclass_type={"x": INT, "tags": list_of(STR)}),
)


@pytest.mark.parametrize(
    ("source", "path", "found"),
    [
        (INT, [], INT),
        (list_of(INT), [0], INT),
        (dict_of(list_of(STR)), ["k", 3], STR),
        (POINT, ["x"], INT),
        (list_of(POINT), [0, "tags", 1], STR),
        (STRUCT, ["anything", 2, "else"], STRUCT),
        (union(POINT, NONE), ["x"], INT),
    ],
)
def test_a_path_leads_to_a_type(source, path, found):
    assert types.resolve_path(source, [step(one) for one in path]) == found


@pytest.mark.parametrize(
    ("source", "path", "told"),
    [
        (INT, ["x"], "int has no part .x"),
        (list_of(INT), ["x"], "list[int] has no part .x"),
        (POINT, ["y"], "no field 'y' among tags, x"),
        (union(POINT, INT), ["x"], "has no part .x"),
        (list_of(INT), [0, 1], "int has no part [1]"),
    ],
)
def test_a_path_that_leads_nowhere(source, path, told):
    with pytest.raises(types.AttributeNotInType) as raised:
        types.resolve_path(source, [step(one) for one in path])
    assert told in raised.value.message


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        (OPTIONAL_INT, "int | none"),
        (dict_of(list_of(FLOAT)), "dict[str, list[float]]"),
        (CSV, "file(csv)"),
        (DIRECTORY, "directory(csv)"),
        (COLOR, "enum(red, blue)"),
        (dataset("parquet", x=INT), "dataset(parquet)[x]"),
        (schema(x=COLUMN.STRING), "schema[x]"),
        (model(A, title="Point"), "struct(Point)"),
        (LiteralType(), "no type"),
    ],
)
def test_types_are_named_as_people_write_them(declared, name):
    assert type_names.describe(declared) == name


def test_what_may_be_left_out():
    assert types.accepts_none(OPTIONAL_INT)
    assert not types.accepts_none(INT)
    assert not types.accepts_none(NONE)


def test_deeply_nested_and_widely_shared_types_are_no_trouble():
    deep, other = INT, STR
    for _ in range(40):
        deep, other = union(deep), union(other)
    assert types.castable(deep, INT)
    assert not types.castable(deep, other)
    assert types.accepts_none(union(union(INT, NONE)))
    shared = {
        f"D{index}": {"properties": {name: {"$ref": f"#/$defs/D{index + 1}"} for name in "ab"}} for index in range(40)
    }
    one = model({"x": {"$ref": "#/$defs/D0"}}, **{"$defs": {**shared, "D40": {"type": "string"}}})
    two = model({"x": {"$ref": "#/$defs/D0"}}, **{"$defs": {**shared, "D40": {"type": "integer"}}})
    assert types.castable(
        one, model({"x": {"$ref": "#/$defs/D0"}}, title="T", **{"$defs": {**shared, "D40": {"type": "string"}}})
    )
    assert not types.castable(one, two)
