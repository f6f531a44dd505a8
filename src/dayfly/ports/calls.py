"""The API's methods as plain calls: for doors other than gRPC."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What a method answered."""

    code: str
    """Name of a gRPC status code; `OK` when it went well."""
    message: str = ""
    """What went wrong, for people."""
    body: bytes = b""
    """The serialized answer."""


class Calls(Protocol):
    """Every method of every service, by name."""

    async def __call__(self, service: str, method: str, request: bytes) -> Answer:
        """Answer a serialized request as the gRPC method does. Never raises for what a caller does wrong.

        `service` is its full name, such as `flyteidl.service.AdminService`; a method that is not served answers
        UNIMPLEMENTED.
        """
        ...
