"""Matchable attributes: what holds for whole projects, domains, workflows and launch plans, kind by kind."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Place(msgspec.Struct, frozen=True):
    """What attributes are set for; empty from some part on: for everything below."""

    project: str
    domain: str = ""
    workflow: str = ""
    launch_plan: str = ""


class StoredAttributes(msgspec.Struct, frozen=True):
    """Attributes of one kind at one place."""

    kind: int
    """flyteidl's MatchableResource."""
    place: Place
    document: bytes
    """Serialized flyteidl.admin.MatchingAttributes."""


class Attributes(Protocol):
    """Attributes in the database. Raises `StoreUnavailable`."""

    async def put(self, attributes: StoredAttributes) -> None:
        """Store attributes, in place of those of the same kind at the same place."""
        ...

    async def delete(self, kind: int, place: Place) -> None:
        """Remove attributes. Raise `NotFound`."""
        ...

    async def matching(self, kind: int, place: Place) -> list[StoredAttributes]:
        """Return what is set at the place and at every place that it is part of, the most special first."""
        ...

    async def list(self, kind: int) -> list[StoredAttributes]:
        """Return everything of a kind, by place."""
        ...
