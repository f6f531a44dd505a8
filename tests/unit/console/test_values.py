"""Literals as HTML: every type has a form, hostile ones included, and whatever they say is text."""

from __future__ import annotations

from datetime import timedelta

import msgpack
import pytest
from flyteidl.core import literals_pb2, types_pb2

from dayfly.console.run import values

HARM = "<script>x</script>\"'"


def scalar(**value: object) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(**value))  # type: ignore[arg-type]


def text(value: str) -> literals_pb2.Literal:
    return scalar(primitive={"string_value": value})


def packed(value: object) -> literals_pb2.Literal:
    return scalar(binary={"value": msgpack.packb(value), "tag": "msgpack"})


LITERALS = {
    "int": (scalar(primitive={"integer": 7}), "7"),
    "span": (scalar(primitive={"duration": timedelta(hours=2)}), "2 h 00 min"),
    "none": (scalar(none_type={}), "None"),
    "dataclass": (packed({"depth": 6, "names": ["a", "b"]}), "a, b"),
    "nested": (packed({"a": {"b": 1}}), "&#34;b&#34;: 1"),
    "other bytes": (scalar(binary={"value": b"123", "tag": "x"}), "3 B"),
    "no msgpack": (scalar(binary={"value": b"\xc1", "tag": "msgpack"}), "no msgpack"),
    "list": (literals_pb2.Literal(collection={"literals": [text("a"), text("b")]}), "[a, b]"),
    "map": (literals_pb2.Literal(map={"literals": {"k": text("v")}}), "<dt>k</dt>"),
    "union": (scalar(union={"value": text("v"), "type": {"simple": types_pb2.STRING}}), "as str"),
    "file": (scalar(blob={"uri": "s3://b/f", "metadata": {"type": {"format": "csv"}}}), 'data-preview="s3://b/f"'),
    "dataset": (scalar(structured_dataset={"uri": "/data/x"}), 'data-preview="/data/x"'),
    "schema": (scalar(schema={"uri": "file:///x"}), "data-preview"),
    "error": (scalar(error={"message": "broken"}), "broken"),
    "offloaded": (literals_pb2.Literal(offloaded_metadata={"uri": "s3://b/o", "size_bytes": 2048}), "2.0 KiB"),
    "empty": (literals_pb2.Literal(), "empty"),
}


@pytest.mark.parametrize("name", LITERALS)
def test_each_kind_has_a_form(name: str) -> None:
    literal, expected = LITERALS[name]
    assert expected in values.shown("value", literal)


def test_an_enum_shows_what_else_it_could_be() -> None:
    declared = types_pb2.LiteralType(enum_type={"values": ["warm", "cold"]})
    told = values.value(text("cold"), declared)
    assert 'data-chosen="">cold' in told and "warm" in told


@pytest.mark.parametrize(
    "literal",
    [
        text(HARM),
        text(HARM * 1000),
        packed({HARM: HARM}),
        packed([{HARM: [HARM]}]),
        literals_pb2.Literal(map={"literals": {HARM: text(HARM)}}),
        literals_pb2.Literal(collection={"literals": [text(HARM)] * 300}),
        scalar(blob={"uri": f"s3://{HARM}"}),
        scalar(error={"message": HARM, "failed_node_id": HARM}),
    ],
)
def test_whatever_they_say_is_text(literal: literals_pb2.Literal) -> None:
    told = values.shown(HARM, literal)
    assert "<script" not in told and "\"'" not in told


@pytest.mark.parametrize("uri", ["javascript:x", "https://elsewhere/x", "http://169.254.169.254/", "data:text/html,x"])
def test_what_lies_elsewhere_is_not_looked_into(uri: str) -> None:
    told = values.value(scalar(blob={"uri": uri}))
    assert "data-preview" not in told and "href" not in told


def test_deep_and_long_values_are_cut() -> None:
    deep: object = 1
    for _ in range(400):
        deep = [deep]
    assert values.value(packed(deep))
    nested = text("x")
    for _ in range(20):
        nested = literals_pb2.Literal(collection={"literals": [nested]})
    assert "…" in values.value(nested)
    assert "(90,000 characters)" in values.value(text("x" * 90_000))
    many = literals_pb2.Literal(map={"literals": {str(one): text("v") for one in range(50)}})
    assert "and 30 more" in values.value(many)


def test_parts_of_parts_have_one_limit_for_the_whole_value() -> None:
    nested = literals_pb2.Literal(collection={"literals": [text("x")]})
    for _ in range(4):
        nested = literals_pb2.Literal(collection={"literals": [nested] * 20})
    told = values.value(nested)
    assert told.count("<dt>") == values.MAX_ALL_PARTS
    assert "and 20 more" in told and "<dt>19</dt>" in told


def test_a_line_of_long_texts_is_cut() -> None:
    assert len(values.value(literals_pb2.Literal(collection={"literals": [text("x" * 90_000)] * 9}))) < 5000
