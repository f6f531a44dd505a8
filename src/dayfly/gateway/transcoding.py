"""HTTP requests -> messages of the API, and its answers -> HTTP: JSON as proto3 has it, or the messages themselves.

Pure. As grpc-gateway does: names in lowerCamel or as in the protocol, unknown ones ignored, fields that are not set
told with their defaults.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from dayfly.base import errors

BINARY = ("application/octet-stream", "application/x-protobuf", "application/protobuf")
"""What flyteconsole asks for, and other names for the same."""

MAX_DEPTH = 100
"""Deeper JSON is no request."""

STATUSES = {
    "OK": 200,
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}
"""HTTP status by gRPC code, as in runtime/errors.go of grpc-ecosystem/grpc-gateway; 500 for all others."""

Pairs = Iterable[tuple[str, str]]


def build_request(
    descriptor: Descriptor, *, path: Mapping[str, str], query: Pairs, body: bytes, binary: bool
) -> Message:
    """Return the request. What the path says wins over the body; the query is read where there is no body.

    Raise `InvalidArgument` naming the field that cannot be read.
    """
    request: Message = message_factory.GetMessageClass(descriptor)()
    if body:
        _read_body(request, body, binary=binary)
    fields: dict[str, Any] = {}
    for name, text in query:
        _put(fields, descriptor, name, text, from_path=False)
    for name, text in path.items():
        _clear(request, name)
        _put(fields, descriptor, name, text, from_path=True)
    _parse(request, fields)
    return request


def to_json(message: Message) -> bytes:
    """Return an answer as JSON. Raise `FailedPrecondition` for one that JSON cannot hold (NaN in a struct)."""
    try:
        text = json_format.MessageToJson(message, always_print_fields_with_no_presence=True, indent=None)
    except (json_format.Error, TypeError, ValueError, RecursionError) as error:
        raise errors.FailedPrecondition(
            f"The answer cannot be written as JSON: {error}.", remedy=f"Ask for it with Accept: {BINARY[0]}."
        ) from error
    return str(text).encode()


def _read_body(request: Message, body: bytes, *, binary: bool) -> None:
    if not binary:
        try:
            told = json.loads(body)
            if not isinstance(told, dict):
                raise ValueError("it is no object")
            json_format.ParseDict(told, request, ignore_unknown_fields=True, max_recursion_depth=MAX_DEPTH)
        except (json_format.ParseError, UnicodeDecodeError, ValueError, TypeError, RecursionError) as error:
            raise errors.InvalidArgument(f"The body cannot be read as JSON: {error}.") from error
        return
    try:
        request.MergeFromString(body)
    except DecodeError as error:
        raise errors.InvalidArgument(f"The body is no {request.DESCRIPTOR.full_name}: {error}.") from error


def _parse(request: Message, fields: dict[str, Any]) -> None:
    try:
        json_format.ParseDict(fields, request, ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, TypeError) as error:
        raise errors.InvalidArgument(f"The path or the query cannot be read: {error}.") from error


def _put(fields: dict[str, Any], descriptor: Descriptor, name: str, text: str, *, from_path: bool) -> None:
    """Put a value at its place. A query may hold what is no field of the request, which means nothing."""
    *outer, last = name.split(".")
    for part in outer:
        field = _field(descriptor, part)
        if field is None or field.message_type is None or _is_repeated(field):
            return
        fields, descriptor = fields.setdefault(field.name, {}), field.message_type
        if not isinstance(fields, dict):
            return
    field = _field(descriptor, last)
    if field is None:
        return
    if _is_repeated(field):
        if field.message_type is None:
            fields.setdefault(field.name, []).append(_value(field, text))
    elif field.message_type is None or _is_plain(field.message_type):
        if field.name in fields and not from_path:
            raise errors.InvalidArgument(f"The query says {name} more than once.")
        fields[field.name] = _value(field, text)


def _field(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    found: FieldDescriptor | None = descriptor.fields_by_name.get(name) or descriptor.fields_by_camelcase_name.get(name)
    return found


def _is_repeated(field: FieldDescriptor) -> bool:
    known = getattr(field, "is_repeated", None)  # since protobuf 6, which has no label any more
    label = getattr(field, "label", None)
    return bool(label == FieldDescriptor.LABEL_REPEATED if known is None else known)


def _is_plain(descriptor: Descriptor) -> bool:
    """Say whether JSON writes a message as one value: a time, or a number that may be absent."""
    return descriptor.full_name in ("google.protobuf.Timestamp", "google.protobuf.Duration") or (
        descriptor.file.name == "google/protobuf/wrappers.proto"
    )


def _value(field: FieldDescriptor, text: str) -> Any:
    wrapped = field.message_type if _is_wrapper(field) else None
    kind = wrapped.fields_by_name["value"].type if wrapped is not None else field.type
    if kind == FieldDescriptor.TYPE_BOOL and text in ("true", "false", "1", "0"):
        return text in ("true", "1")
    return text


def _is_wrapper(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.file.name == "google/protobuf/wrappers.proto"


def _clear(request: Message, name: str) -> None:
    """Forget what the body says of a field that is in the path: of a oneof, it might have set another part."""
    *outer, last = name.split(".")
    message = request
    for part in outer:
        message = getattr(message, part)
    message.ClearField(last)
