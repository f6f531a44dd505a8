"""What attempts may know that nobody else may: secrets, brought to the processes of one attempt and taken away again.

Used by executors on this host. Values never go into specs, records, the database or command lines: only into files that
the attempt's processes read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.executors import AttemptSpec


class SecretRequest(msgspec.Struct, frozen=True):
    """One `flyteidl.core.Secret` that a task asks for."""

    group: str
    key: str = ""
    """Empty asks for all keys of the group."""
    version: str = ""
    as_variable: bool = False
    """As an environment variable; otherwise as a file."""
    variable: str = ""
    """A further variable: the value, or for a file its path."""


class Secrets(Protocol):
    """Brings secrets to attempts. Raises `SecretNotFound`, naming those that are nowhere."""

    async def deliver(self, spec: AttemptSpec) -> AttemptSpec:
        """Write the secrets that the spec asks for where only its processes look; return it with the way to them."""
        ...

    async def withdraw(self, key: AttemptKey) -> None:
        """Remove what was delivered; nothing there is fine."""
        ...


class NoSecrets:
    """Delivers nothing: for executors whose tasks ask for none."""

    async def deliver(self, spec: AttemptSpec) -> AttemptSpec:
        """Return the spec as it is."""
        return spec

    async def withdraw(self, key: AttemptKey) -> None:
        """Do nothing."""
