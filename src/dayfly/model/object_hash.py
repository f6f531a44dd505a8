"""The hash of a message that Flyte puts into cache keys: of its JSON form, whatever the order of fields and entries.

Two rules meet here: protobuf's JSON mapping (https://protobuf.dev/programming-guides/json), and objecthash's hash of
JSON (https://github.com/benlaurie/objecthash), as flytestdlib/pbhash in flyteorg/flyte joins them. The JSON itself is
never written: large inputs are hashed in one walk. Called by `caching`.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, MutableSequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from dayfly.base import errors

MANTISSA_BITS = 53
"""Of a float of 64 bits, the leading one included."""


def digest(message: Message) -> bytes:
    """Return the hash of a message, 32 bytes. Raise `InvalidArgument` for a time or duration outside protobuf's range.

    Fields of type `float` and wrapper messages have no rule here: literals and types have none.
    """
    named = _NAMED.get(message.DESCRIPTOR.full_name)
    if named is not None:
        return named(message)
    return _object((field.json_name, _field(field, value)) for field, value in message.ListFields())


def _field(field: FieldDescriptor, value: Any) -> bytes:
    if isinstance(value, Message):  # first, since a Struct is a mapping too, and a ListValue a sequence
        return digest(value)
    if isinstance(value, Mapping):
        one = _entry(field)
        return _object((str(name), _single(one, part)) for name, part in value.items())
    if isinstance(value, MutableSequence):
        return _list(_single(field, part) for part in value)
    return _single(field, value)


def _entry(field: FieldDescriptor) -> FieldDescriptor:
    """Return the field of a map's values."""
    described: Any = field.message_type
    value: FieldDescriptor = described.fields_by_name["value"]
    return value


def _single(field: FieldDescriptor, value: Any) -> bytes:
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_MESSAGE:
        return digest(value)
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return _text(base64.b64encode(value).decode() if field.type == FieldDescriptor.TYPE_BYTES else value)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return _BOOLS[value]
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return _enum(field.enum_type, value)
    if kind in _LONG:
        return _text(str(value))
    return _number(value)


def _enum(described: Any, value: int) -> bytes:
    known = described.values_by_number.get(value)
    return _number(value) if known is None else _text(known.name)


_LONG = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
"""Numbers that JSON has no room for, and protobuf therefore writes as text."""


def _time(message: Any) -> bytes:
    try:
        return _text(message.ToJsonString())
    except ValueError as error:
        raise errors.InvalidArgument(f"A time or duration among the values is out of range: {error}.") from error


def _struct(message: Any) -> bytes:
    return _object((name, _value(part)) for name, part in message.fields.items())


def _value(message: Any) -> bytes:
    kind = message.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return _NULL
    return _KINDS[kind](getattr(message, kind))


def _list_value(message: Any) -> bytes:
    return _list(_value(part) for part in message.values)


def _object(members: Iterable[tuple[str, bytes]]) -> bytes:
    pairs = sorted((_name(name), value) for name, value in members)
    return hashlib.sha256(b"d" + b"".join(name + value for name, value in pairs)).digest()


def _list(parts: Iterable[bytes]) -> bytes:
    return hashlib.sha256(b"l" + b"".join(parts)).digest()


def _text(text: str) -> bytes:
    return hashlib.sha256(b"u" + text.encode()).digest()


@functools.lru_cache(maxsize=1024)
def _name(name: str) -> bytes:
    """The same names come again and again."""
    return _text(name)


def _number(value: float) -> bytes:
    number = float(value)
    if not math.isfinite(number):  # JSON has no such numbers, protobuf writes them as text
        return _text("NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity")
    return hashlib.sha256(b"f" + _normal(number).encode()).digest()


def _normal(number: float) -> str:
    """Return sign, exponent and mantissa in binary digits; the mantissa is above one half and at most one."""
    if number == 0:
        return "+0:"
    mantissa, exponent = math.frexp(abs(number))  # at least one half and below one
    sign = "-" if number < 0 else "+"
    if mantissa == 0.5:
        return f"{sign}{exponent - 1}:1"
    digits = format(int(mantissa * 2**MANTISSA_BITS), "b").rstrip("0")
    return f"{sign}{exponent}:0{digits}"


_NULL = hashlib.sha256(b"n").digest()
_BOOLS = {False: hashlib.sha256(b"b0").digest(), True: hashlib.sha256(b"b1").digest()}

_NAMED: dict[str, Callable[[Any], bytes]] = {
    "google.protobuf.Timestamp": _time,
    "google.protobuf.Duration": _time,
    "google.protobuf.Struct": _struct,
    "google.protobuf.Value": _value,
    "google.protobuf.ListValue": _list_value,
}
"""Messages with a JSON form of their own."""

_KINDS: dict[str, Callable[[Any], bytes]] = {
    "number_value": _number,
    "string_value": _text,
    "bool_value": lambda value: _BOOLS[value],
    "struct_value": _struct,
    "list_value": _list_value,
}
"""What a `Value` may hold beside null."""
