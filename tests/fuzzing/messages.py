"""Hypothesis strategies for any message of the API, read from its descriptor.

A request begins as a right one or as nothing, and then some of its fields, at any depth, are set to something else: to
a known value, to one at the edge of its type, to a whole part of another request, or to nothing.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from tests.fuzzing import corpus as known

MAX_DEPTH = 5
"""Of what is made from nothing."""

EDGES = {
    FieldDescriptor.TYPE_INT32: (0, 1, -1, 2**31 - 1, -(2**31), 100),
    FieldDescriptor.TYPE_SINT32: (0, 1, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.TYPE_SFIXED32: (0, 1, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.TYPE_UINT32: (0, 1, 2, 10, 2**31, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 1, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (0, 1, -1, 2**63 - 1, -(2**63), 253402300800, -62135596801),
    FieldDescriptor.TYPE_SINT64: (0, 1, -1, 2**63 - 1, -(2**63)),
    FieldDescriptor.TYPE_SFIXED64: (0, 1, -1, 2**63 - 1, -(2**63)),
    FieldDescriptor.TYPE_UINT64: (0, 1, 10, 2**63, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 1, 2**64 - 1),
    FieldDescriptor.TYPE_DOUBLE: (0.0, -0.0, 1.5, -1.0, 1e308, float("nan"), float("inf"), float("-inf")),
    FieldDescriptor.TYPE_FLOAT: (0.0, 0.5, -1.0, 1.5, float("nan"), float("inf")),
}
"""Numbers that code trips over, by type; the two long ones lie just outside a Timestamp's range."""

BLOBS = (b"", b"x", b"\x00" * 16, b"0123456789abcdef", b"\xff" * 17)


@st.composite
def requests(draw: st.DrawFn, method: MethodDescriptor, corpus: known.Corpus) -> Message:
    """Draw a request for a method."""
    message: Message = message_factory.GetMessageClass(method.input_type)()
    begun = corpus.requests.get(known.key_of(method), [])
    if begun and draw(st.integers(0, 4)):
        message.CopyFrom(draw(st.sampled_from(begun)))
        for _ in range(draw(st.integers(0, 4))):
            _change(draw, message, corpus)
    else:
        _fill(draw, message, corpus, 0)
    return message


@st.composite
def garbage(draw: st.DrawFn, method: MethodDescriptor, corpus: known.Corpus) -> bytes:
    """Draw bytes that are most likely no message: at random, or a right request with a few of its bytes wrong."""
    begun = corpus.requests.get(known.key_of(method), [])
    raw = bytearray(draw(st.sampled_from(begun)).SerializeToString() if begun else b"")
    if not raw or not draw(st.integers(0, 2)):
        return draw(st.binary(max_size=200))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(raw[: draw(st.integers(0, len(raw)))]) if draw(st.booleans()) else bytes(raw)


def _change(draw: st.DrawFn, message: Message, corpus: known.Corpus) -> None:
    """Change one field, at a random depth."""
    while True:
        inner = [one for field, value in message.ListFields() for one in _messages_in(field, value)]
        if not inner or not draw(st.integers(0, 3)):
            break
        message = draw(st.sampled_from(inner))
    if not message.DESCRIPTOR.fields:
        return
    field = draw(st.sampled_from(list(message.DESCRIPTOR.fields)))
    if draw(st.integers(0, 3)):
        _set(draw, message, field, corpus, MAX_DEPTH - 2)
    else:
        message.ClearField(field.name)


def _fill(draw: st.DrawFn, message: Message, corpus: known.Corpus, depth: int) -> None:
    """Set some of the fields. Of a oneof, the last one drawn stays."""
    fields = list(message.DESCRIPTOR.fields)
    for field in fields:
        if draw(st.integers(0, 1 + depth)) == 0:
            _set(draw, message, field, corpus, depth + 1)


def _set(draw: st.DrawFn, message: Message, field: FieldDescriptor, corpus: known.Corpus, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _set_map(draw, message, field, corpus, depth)
    elif field.is_repeated:
        target = getattr(message, field.name)
        for _ in range(draw(st.integers(0, 3))):
            if field.message_type is None:
                target.append(_scalar(draw, field))
            else:
                _set_message(draw, target.add(), corpus, depth)
    elif field.message_type is None:
        setattr(message, field.name, _scalar(draw, field))
    else:
        part = getattr(message, field.name)
        part.SetInParent()
        _set_message(draw, part, corpus, depth)


def _set_map(draw: st.DrawFn, message: Message, field: FieldDescriptor, corpus: known.Corpus, depth: int) -> None:
    key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    for _ in range(draw(st.integers(0, 3))):
        at, target = _scalar(draw, key), getattr(message, field.name)
        if value.message_type is None:
            target[at] = _scalar(draw, value)
        else:
            _set_message(draw, target[at], corpus, depth)


def _set_message(draw: st.DrawFn, message: Message, corpus: known.Corpus, depth: int) -> None:
    parts = corpus.parts.get(message.DESCRIPTOR.full_name)
    if parts and (depth >= MAX_DEPTH or draw(st.integers(0, 3))):
        message.CopyFrom(draw(st.sampled_from(parts)))
    elif depth < MAX_DEPTH:
        _fill(draw, message, corpus, depth)


def _scalar(draw: st.DrawFn, field: FieldDescriptor) -> Any:
    if field.type == field.TYPE_BOOL:
        return draw(st.booleans())
    if field.type == field.TYPE_ENUM:
        return draw(st.sampled_from([value.number for value in field.enum_type.values] + [-1, 99, 2**31 - 1]))
    if field.type == field.TYPE_BYTES:
        return draw(st.sampled_from(BLOBS) | st.binary(max_size=40))
    if field.type == field.TYPE_STRING:
        texts = known.WORDS.get(field.name, known.TEXTS)
        # A lone surrogate is no text that protobuf can hold.
        text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
        return draw(st.sampled_from(texts) | st.sampled_from(known.TEXTS) | text)
    return draw(st.sampled_from(EDGES[field.type]))


def _messages_in(field: FieldDescriptor, value: Any) -> list[Message]:
    if field.message_type is None:
        return []
    if not field.is_repeated:
        return [value]
    if not field.message_type.GetOptions().map_entry:
        return list(value)
    return list(value.values()) if field.message_type.fields_by_name["value"].message_type is not None else []
