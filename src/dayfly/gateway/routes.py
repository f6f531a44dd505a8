"""Which method of the API a REST path stands for, read from the `google.api.http` options of flyteidl's services.

Pure, and built when the first request comes: nothing here is written route by route.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

import msgspec
from flyteidl.service import admin_pb2, auth_pb2, dataproxy_pb2, identity_pb2, signal_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor

MODULES = (admin_pb2, dataproxy_pb2, signal_pb2, auth_pb2, identity_pb2)


class Route(msgspec.Struct, frozen=True):
    """One path of one method."""

    verb: str
    segments: tuple[str, ...]
    """Literal text, or `{field.path}` for what is taken from the path."""
    method: MethodDescriptor
    has_body: bool
    """The request's fields are in the body; otherwise in the query."""

    @property
    def path(self) -> str:
        """Return the path as the option has it."""
        return "/" + "/".join(self.segments)


class Found(msgspec.Struct, frozen=True):
    """What a path stands for."""

    route: Route
    fields: Mapping[str, str]
    """Values from the path, by field path."""


def read_all() -> tuple[Route, ...]:
    """Return all routes; of those that fit one path, the one with more literal text comes first."""
    found = [
        route
        for module in MODULES
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        for route in _read(method)
    ]
    return tuple(sorted(found, key=lambda route: [segment.startswith("{") for segment in route.segments]))


class Table:
    """All routes, to be asked which one a request means."""

    def __init__(self) -> None:
        self.routes = read_all()
        self._by_length: dict[int, list[Route]] = {}
        for route in self.routes:
            self._by_length.setdefault(len(route.segments), []).append(route)

    def find(self, verb: str, raw_path: str) -> Found | None:
        """Return what a path means, which is still percent-encoded: a name may hold a slash. None if nothing."""
        given = raw_path.strip("/").split("/")
        for route in self._by_length.get(len(given), ()):
            if route.verb == verb and (fields := _match(route, given)) is not None:
                return Found(route, fields)
        return None

    def verbs(self, raw_path: str) -> list[str]:
        """Return the verbs that this path is served for."""
        given = raw_path.strip("/").split("/")
        fitting = self._by_length.get(len(given), ())
        return sorted({route.verb for route in fitting if _match(route, given) is not None})


def _read(method: MethodDescriptor) -> Iterator[Route]:
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    for one in (rule, *rule.additional_bindings):
        verb = one.WhichOneof("pattern")
        if verb is not None:
            yield Route(verb.upper(), tuple(getattr(one, verb).strip("/").split("/")), method, one.body == "*")


def _match(route: Route, given: list[str]) -> dict[str, str] | None:
    fields = {}
    for segment, text in zip(route.segments, given, strict=True):
        if segment.startswith("{"):
            if not text:
                return None
            fields[segment[1:-1]] = unquote(text)
        elif segment != text:
            return None
    return fields
