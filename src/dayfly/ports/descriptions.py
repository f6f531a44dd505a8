"""What people wrote of the tasks and workflows they registered. Added with a version (`definitions`), never changed."""

from __future__ import annotations

from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Listed, Page


class Description(msgspec.Struct, frozen=True):
    """The description of one version."""

    id: EntityId
    document: bytes
    """A flyteidl.admin.DescriptionEntity."""
    short_description: str
    created_at: Micros


class Descriptions(Protocol):
    """Descriptions in the database. Raises `StoreUnavailable`; lists raise `InvalidArgument` for unknown fields."""

    async def find(self, entity: EntityId) -> Description | None:
        """Return the description of a version, None if it has none or is unknown."""
        ...

    async def list(self, kind: int, project: str, domain: str, name: str, page: Page) -> Listed[Description]:
        """Return descriptions, newest first unless sorted otherwise; of all names where `name` is empty.

        Fields: project, domain, name, version, short_description, created_at.
        """
        ...
