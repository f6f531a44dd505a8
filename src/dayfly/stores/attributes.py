"""Matchable attributes in SQL. Implements `ports.attributes.Attributes`."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from dayfly.base import errors
from dayfly.ports.attributes import Place, StoredAttributes
from dayfly.stores import schema, upserting
from dayfly.stores.connections import Connections

_table = schema.attributes
_PLACE = ("project", "domain", "workflow", "launch_plan")
_KEY = ("kind", *_PLACE)
_SPECIAL_FIRST = [_table.c[part].desc() for part in ("launch_plan", "workflow", "domain")]
"""An empty text sorts before every other one."""
_MATCHING = (
    sa.select(_table)
    .where(
        _table.c.kind == sa.bindparam("of_kind"),
        _table.c.project == sa.bindparam("at_project"),
        *(sa.or_(_table.c[part] == "", _table.c[part] == sa.bindparam(f"at_{part}")) for part in _PLACE[1:]),
    )
    .order_by(*_SPECIAL_FIRST)
)


class SqlAttributes:
    """`Attributes` over a database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def put(self, attributes: StoredAttributes) -> None:
        """Store attributes, in place of those of the same kind at the same place."""
        row = {
            "kind": attributes.kind,
            **msgspec.structs.asdict(attributes.place),
            "document": attributes.document,
        }
        await self._connections.write(lambda connection: upserting.replace_rows(connection, _table, _KEY, [row]))

    async def delete(self, kind: int, place: Place) -> None:
        """Remove attributes. Raise `NotFound`."""
        at = [_table.c[part] == getattr(place, part) for part in _PLACE]
        statement = _table.delete().where(_table.c.kind == kind, *at)
        if not await self._connections.write(lambda connection: connection.execute(statement).rowcount):
            raise errors.NotFound(f"no such attributes are set for {':'.join(filter(None, _texts(place)))}.")

    async def matching(self, kind: int, place: Place) -> list[StoredAttributes]:
        """Return what is set at the place and at every place that it is part of, the most special first."""
        values = {"of_kind": kind} | {f"at_{part}": getattr(place, part) for part in _PLACE}
        return await self._read(_MATCHING, values)

    async def _read(self, query: sa.Select[Any], values: dict[str, Any] | None = None) -> list[StoredAttributes]:
        rows = await self._connections.read(lambda connection: connection.execute(query, values).all())
        return [StoredAttributes(row.kind, Place(*_texts(row)), bytes(row.document)) for row in rows]

    async def list(self, kind: int) -> list[StoredAttributes]:
        """Return everything of a kind, by place."""
        return await self._read(sa.select(_table).where(_table.c.kind == kind).order_by(*(_table.c[p] for p in _PLACE)))


def _texts(place: Any) -> tuple[str, ...]:
    return tuple(getattr(place, part) for part in _PLACE)
