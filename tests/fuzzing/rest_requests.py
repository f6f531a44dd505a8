"""A message of the API, or bytes that are none, as the HTTP request that a REST route takes it in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from dayfly.gateway import routes, transcoding
from tests.fuzzing import corpus as known
from tests.fuzzing import messages

WORDS = ("flytesnacks", "development", "none", "..", "%2F", "a b", "ü", "0", "\x00", "a" * 300)
"""For places in a path that the message says nothing of."""

JSON, BINARY = "application/json", transcoding.BINARY[0]


class Sent(NamedTuple):
    """What goes over the wire."""

    verb: str
    target: str
    """Path and query, percent-encoded."""
    headers: dict[str, str]
    body: bytes | None


@st.composite
def requests(draw: st.DrawFn, route: routes.Route, corpus: known.Corpus) -> Sent:
    """Draw a request for a route, as JSON or as protobuf."""
    message = draw(messages.requests(route.method, corpus))
    kind, accept = draw(st.sampled_from((JSON, JSON, BINARY))), draw(st.sampled_from((JSON, BINARY)))
    headers = {"Accept": accept}
    if not route.has_body:
        return Sent(route.verb, _path(draw, route, message) + "?" + urlencode(list(_query(message, ""))), headers, None)
    body = message.SerializeToString() if kind == BINARY else _json(message)
    return Sent(route.verb, _path(draw, route, message), {**headers, "Content-Type": kind}, body)


@st.composite
def garbage(draw: st.DrawFn, route: routes.Route, corpus: known.Corpus) -> Sent:
    """Draw a request whose body or query is broken: cut, with wrong bytes in it, or nested without end."""
    message = draw(messages.requests(route.method, corpus))
    path = _path(draw, route, message)
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    if not route.has_body:
        names = [name for name, _ in _query(message, "")] + ["limit", "sort_by.direction", "id.name.x", "", "."]
        query = draw(st.lists(st.tuples(st.sampled_from(names) | text, text), max_size=5))
        end = draw(st.sampled_from(("", "&%FF=%FE", "&&=", "#a")))
        return Sent(route.verb, f"{path}?{urlencode(query)}{end}", {}, None)
    kind = draw(st.sampled_from((JSON, BINARY)))
    whole = message.SerializeToString() if kind == BINARY else _json(message)
    cut = whole[: draw(st.integers(0, len(whole)))]
    deep = b'{"spec":' * 5000 if draw(st.booleans()) else b"[" * 100_000
    body = draw(st.sampled_from((cut, cut + draw(st.binary(max_size=9)), deep, b"null", b"[]", b'{"id":1e999}')))
    return Sent(route.verb, path, {"Content-Type": kind}, body)


def _path(draw: st.DrawFn, route: routes.Route, message: Message) -> str:
    return "/" + "/".join(
        quote(_at(message, segment[1:-1]) or draw(st.sampled_from(WORDS)), safe="")
        if segment.startswith("{")
        else segment
        for segment in route.segments
    )


def _at(message: Message, place: str) -> str:
    value: Any = message
    for name in place.split("."):
        message, value = value, getattr(value, name)
    field = message.DESCRIPTOR.fields_by_name[place.rpartition(".")[2]]
    if field.type == field.TYPE_ENUM and value in field.enum_type.values_by_number:
        return str(field.enum_type.values_by_number[value].name)
    return str(value)


def _query(message: Message, before: str) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        name = before + field.name
        if field.message_type is None:
            yield from ((name, _text(field, one)) for one in (value if field.is_repeated else [value]))
        elif not field.is_repeated:
            yield from _query(value, f"{name}.")


def _text(field: FieldDescriptor, value: Any) -> str:
    return str(value).lower() if field.type == field.TYPE_BOOL else str(value)


def _json(message: Message) -> bytes:
    try:
        return json_format.MessageToJson(message).encode()
    except (json_format.Error, ValueError, TypeError):
        # Not everything that fits a message fits JSON: a time of the year -1, for one.
        return json_format.MessageToJson(type(message)()).encode()
