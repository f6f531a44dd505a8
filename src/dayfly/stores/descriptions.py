"""Descriptions in SQL. Implements `ports.descriptions.Descriptions`; `definitions` adds them with their versions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from dayfly.base.clock import Micros
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Listed, Page
from dayfly.ports.descriptions import Description
from dayfly.stores import fields, filtering, pages, schema
from dayfly.stores.connections import Connections
from dayfly.stores.pages import Order

_table = schema.description_entities
_KEY = ("kind", "project", "domain", "name", "version")


class SqlDescriptions:
    """`Descriptions` over a database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def find(self, entity: EntityId) -> Description | None:
        """Return the description of a version, None if it has none or is unknown."""
        query = sa.select(_table).where(*(_table.c[part] == getattr(entity, part) for part in _KEY))
        row = await self._connections.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _description(row)

    async def list(self, kind: int, project: str, domain: str, name: str, page: Page) -> Listed[Description]:
        """Return descriptions, newest first unless sorted otherwise; of all names where `name` is empty."""
        known = fields.descriptions(kind)
        place = (_table.c.kind == kind, _table.c.project == project, _table.c.domain == domain)
        query = sa.select(_table).where(*place, *filtering.conditions(page, known))
        if name:
            query = query.where(_table.c.name == name)
        newest, scope = Order(_table.c.created_at, descending=True), ("descriptions", str(kind), project, domain, name)
        listing = pages.listing(query, page, known, newest, _table.c.id, scope)
        return await self._connections.read(lambda connection: listing.read(connection, _description))


def keep(connection: sa.Connection, description: Description) -> None:
    """Add the description of a version that is added in the same transaction."""
    row = {part: getattr(description.id, part) for part in _KEY}
    for column in ("document", "short_description", "created_at"):
        row[column] = getattr(description, column)
    connection.execute(_table.insert(), row)


def _description(row: Any) -> Description:
    entity = EntityId(*(getattr(row, part) for part in _KEY))
    return Description(entity, bytes(row.document), row.short_description, Micros(row.created_at))
