"""Fields of the launch form: shapes of types, literals of what was filled in, and back."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import msgpack
import pytest
from flyteidl.core import literals_pb2, types_pb2
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from dayfly.console.launching import reading, shapes, texts, writing


def simple(name: str) -> types_pb2.LiteralType:
    return types_pb2.LiteralType(simple=types_pb2.SimpleType.Value(name))


def tagged(declared: types_pb2.LiteralType, tag: str) -> types_pb2.LiteralType:
    made = types_pb2.LiteralType()
    made.CopyFrom(declared)
    made.structure.tag = tag
    return made


FILE = types_pb2.LiteralType(blob=types_pb2.BlobType(format="csv"))
FOLDER = types_pb2.LiteralType(blob=types_pb2.BlobType(dimensionality=types_pb2.BlobType.MULTIPART))
PICKLE = types_pb2.LiteralType(blob=types_pb2.BlobType(format="PythonPickle"))
DATASET = types_pb2.LiteralType(structured_dataset_type=types_pb2.StructuredDatasetType(format="parquet"))
SCHEMA = types_pb2.LiteralType(schema=types_pb2.SchemaType())
COLOUR = types_pb2.LiteralType(enum_type=types_pb2.EnumType(values=["red", "green"]))
INTS = types_pb2.LiteralType(collection_type=simple("INTEGER"))
COUNTS = types_pb2.LiteralType(map_value_type=simple("INTEGER"))
MAYBE = types_pb2.LiteralType(
    union_type=types_pb2.UnionType(variants=[tagged(simple("INTEGER"), "int"), tagged(simple("NONE"), "none")])
)


def read(value: Any, declared: types_pb2.LiteralType) -> tuple[literals_pb2.Literal, dict[str, str]]:
    mistakes: dict[str, str] = {}
    return reading.literal(value, declared, shapes.build(declared), "x", mistakes), mistakes


def scalar(**told: Any) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(**told))


@pytest.mark.parametrize(
    ("declared", "value", "made"),
    [
        (simple("INTEGER"), "9223372036854775807", scalar(primitive={"integer": 2**63 - 1})),
        (simple("INTEGER"), " -1_000 ", scalar(primitive={"integer": -1000})),
        (simple("FLOAT"), "1e-3", scalar(primitive={"float_value": 0.001})),
        (simple("FLOAT"), "2", scalar(primitive={"float_value": 2.0})),
        (simple("STRING"), "", scalar(primitive={"string_value": ""})),
        (simple("BOOLEAN"), False, scalar(primitive={"boolean": False})),
        (simple("DATETIME"), "2026-01-31", scalar(primitive={"datetime": {"seconds": 1769817600}})),
        (simple("DATETIME"), "2026-01-31 01:00+01:00", scalar(primitive={"datetime": {"seconds": 1769817600}})),
        (simple("DURATION"), "1h 30m", scalar(primitive={"duration": {"seconds": 5400}})),
        (simple("DURATION"), "-2.5s", scalar(primitive={"duration": {"seconds": -2, "nanos": -500_000_000}})),
        (simple("DURATION"), "1 day, 0:00:01", scalar(primitive={"duration": {"seconds": 86401}})),
        (simple("DURATION"), "PT1H", scalar(primitive={"duration": {"seconds": 3600}})),
        (simple("NONE"), None, scalar(none_type={})),
        (COLOUR, "green", scalar(primitive={"string_value": "green"})),
        (FILE, "s3://b/f.csv", scalar(blob={"uri": "s3://b/f.csv", "metadata": {"type": {"format": "csv"}}})),
        (SCHEMA, "/data/s", scalar(schema={"uri": "/data/s", "type": {}})),
        (INTS, ["1", "2"], literals_pb2.Literal(collection={"literals": [scalar(primitive={"integer": 1})] * 0})),
    ],
)
def test_what_a_field_holds_is_read_as_a_literal(
    declared: types_pb2.LiteralType, value: Any, made: literals_pb2.Literal
) -> None:
    if declared is INTS:
        made.collection.literals.extend([scalar(primitive={"integer": one}) for one in (1, 2)])
    assert read(value, declared) == (made, {})


@pytest.mark.parametrize(
    ("declared", "value", "path", "told"),
    [
        (simple("INTEGER"), "1.5", "x", "not a whole number"),
        (simple("INTEGER"), str(2**63), "x", "not a whole number"),
        (simple("INTEGER"), "", "x", "required"),
        (simple("INTEGER"), None, "x", "required"),
        (simple("FLOAT"), "much", "x", "not a number"),
        (simple("BOOLEAN"), "true", "x", "yes or no"),
        (simple("DATETIME"), "soon", "x", "not a time"),
        (simple("DURATION"), "1 fortnight", "x", "not a time span"),
        (COLOUR, "blue", "x", "one of the values"),
        (FILE, "data.csv", "x", "not an address"),
        (PICKLE, None, "x", "pickle"),
        (INTS, ["1", "b"], "x/1", "not a whole number"),
        (COUNTS, [["a", "1"], ["a", "2"]], "x/1/key", "there already"),
        (COUNTS, [["", "1"]], "x/0/key", "name is required"),
        (COUNTS, [["a", "1"], ["b", "z"]], "x/1/value", "not a whole number"),
        (MAYBE, {"variant": 0, "value": "z"}, "x/value", "not a whole number"),
        (simple("STRUCT"), "{1: 2}", "x", "not JSON"),
        (simple("STRUCT"), str(2**70), "x", "cannot be sent"),
    ],
)
def test_a_mistake_is_named_by_its_field(declared: types_pb2.LiteralType, value: Any, path: str, told: str) -> None:
    _, mistakes = read(value, declared)
    assert list(mistakes) == [path]
    assert told in mistakes[path]


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Inner:
    n: int
    f: float | None = None


@dataclass
class Outer:
    inner: Inner
    many: list[Inner]
    colour: Colour = Colour.RED
    when: datetime = datetime(2026, 1, 1, tzinfo=timezone.utc)
    span: timedelta = timedelta(hours=1)
    counts: dict[str, int] = field(default_factory=dict)
    free: dict = field(default_factory=dict)


class Settings(BaseModel):
    inner: Inner | None = None
    colour: Colour = Colour.GREEN
    span: timedelta = timedelta(minutes=90)
    rate: float = 0.5


OUTER = Outer(Inner(1), [Inner(2, 2.5), Inner(3)], counts={"a": 1}, free={"any": [1, {"thing": None}]})


@pytest.mark.parametrize(
    ("python_type", "value"),
    [(Outer, OUTER), (Settings, Settings(inner=Inner(4, 0.5))), (Settings, Settings()), (dict, {"a": [1, 2.0, "x"]})],
)
def test_models_come_back_as_flytekit_wrote_them(python_type: type, value: Any) -> None:
    declared = TypeEngine.to_literal_type(python_type)
    context = FlyteContextManager.current_context()
    literal = TypeEngine.to_literal(context, value, python_type, declared).to_flyte_idl()
    idl = declared.to_flyte_idl()
    shape = shapes.build(idl)
    filled = writing.value(literal, idl, shape)
    mistakes: dict[str, str] = {}
    again = reading.literal(filled, idl, shape, "x", mistakes)
    assert mistakes == {}
    assert msgpack.unpackb(again.scalar.binary.value) == msgpack.unpackb(literal.scalar.binary.value)


def test_a_new_form_of_a_model_has_its_defaults() -> None:
    shape = shapes.build(TypeEngine.to_literal_type(Outer).to_flyte_idl())
    blank = writing.blank(shape)
    assert blank["colour"] == "red"
    assert blank["span"] == "1h"
    assert blank["inner"] == {"n": None, "f": {"variant": 1, "value": None}}
    assert blank["many"] == []
    _, mistakes = read(blank, TypeEngine.to_literal_type(Outer).to_flyte_idl())
    assert mistakes == {"x/inner/n": reading.REQUIRED}


def test_a_model_that_holds_itself_ends_as_json() -> None:
    declared = simple("STRUCT")
    tree = {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}}
    declared.metadata.update({"$ref": "#/$defs/Tree", "$defs": {"Tree": tree}})
    shape, depth = shapes.build(declared), 0
    while shape["kind"] == "record":
        shape, depth = shape["fields"][0]["shape"], depth + 1
    assert (shape["kind"], depth) == ("json", 8)


def test_what_no_field_can_hold_says_so() -> None:
    offloaded = literals_pb2.Literal(offloaded_metadata={"uri": "s3://b/l", "inferred_type": INTS})
    with pytest.raises(writing.Inexpressible):
        writing.value(offloaded, INTS, shapes.build(INTS))
    packed = scalar(binary={"tag": "msgpack", "value": msgpack.packb({1: "key"})})
    with pytest.raises(writing.Inexpressible):
        writing.value(packed, simple("STRUCT"), shapes.build(simple("STRUCT")))


@pytest.mark.parametrize("told", ["{}:00", "{} days, 1:00", "P{}D", "PT{}H", "{}h", "-{}:00"])
def test_a_span_of_more_digits_than_can_be_read_is_none(told: str) -> None:
    assert texts.span(told.format("9" * 5000)) is None


# -- any value comes back ------------------------------------------------------------------------------------------
def _primitives() -> st.SearchStrategy[tuple[types_pb2.LiteralType, st.SearchStrategy[literals_pb2.Literal]]]:
    nanos = st.integers(0, 10**9 - 1)
    seconds = st.integers(-62_135_596_800, 253_402_300_799)
    text = st.text(st.characters(exclude_categories=["Cs"]))
    moments = st.builds(lambda s, n: scalar(primitive={"datetime": {"seconds": s, "nanos": n}}), seconds, nanos)
    spans = st.builds(
        lambda s, n, sign: scalar(primitive={"duration": {"seconds": sign * s, "nanos": sign * n}}),
        st.integers(0, texts.LONGEST_SECONDS - 1),
        nanos,
        st.sampled_from([1, -1]),
    )
    integers = st.integers(-(2**63), 2**63 - 1).map(lambda one: scalar(primitive={"integer": one}))
    floats = st.floats(allow_nan=False).map(lambda one: scalar(primitive={"float_value": one}))
    files = text.map(lambda one: scalar(blob={"uri": f"s3://b/{one}x", "metadata": {"type": FILE.blob}}))
    about = {"structured_dataset_type": DATASET.structured_dataset_type}
    return st.sampled_from(
        [
            (simple("INTEGER"), integers),
            (simple("FLOAT"), floats),
            (simple("STRING"), text.map(lambda one: scalar(primitive={"string_value": one}))),
            (simple("BOOLEAN"), st.booleans().map(lambda one: scalar(primitive={"boolean": one}))),
            (simple("DATETIME"), moments),
            (simple("DURATION"), spans),
            (simple("NONE"), st.just(scalar(none_type={}))),
            (COLOUR, st.sampled_from(["red", "green"]).map(lambda one: scalar(primitive={"string_value": one}))),
            (FILE, files),
            (DATASET, st.just(scalar(structured_dataset={"uri": "s3://b/d", "metadata": about}))),
        ]
    )


def _list_of(inner: Any) -> Any:
    declared, values = inner
    made = st.lists(values, max_size=3).map(lambda some: literals_pb2.Literal(collection={"literals": some}))
    return types_pb2.LiteralType(collection_type=declared), made


def _map_of(inner: Any) -> Any:
    declared, values = inner
    names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    made = st.dictionaries(names, values, max_size=3).map(lambda some: literals_pb2.Literal(map={"literals": some}))
    return types_pb2.LiteralType(map_value_type=declared), made


def _union_of(inners: Any) -> Any:
    variants = [tagged(declared, f"v{at}") for at, (declared, _) in enumerate(inners)]
    wrapped = [
        values.map(lambda one, variant=variant: scalar(union={"value": one, "type": variant}))
        for variant, (_, values) in zip(variants, inners, strict=True)
    ]
    return types_pb2.LiteralType(union_type={"variants": variants}), st.one_of(wrapped)


TYPED = st.recursive(
    _primitives(),
    lambda inner: inner.map(_list_of) | inner.map(_map_of) | st.lists(inner, min_size=1, max_size=3).map(_union_of),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(TYPED.flatmap(lambda one: st.tuples(st.just(one[0]), one[1])))
def test_every_literal_comes_back_from_its_field(told: tuple[types_pb2.LiteralType, literals_pb2.Literal]) -> None:
    declared, literal = told
    shape = shapes.build(declared)
    mistakes: dict[str, str] = {}
    again = reading.literal(writing.value(literal, declared, shape), declared, shape, "x", mistakes)
    assert (again, mistakes) == (literal, {})
