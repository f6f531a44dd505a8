"""Implements `ports.schedules` over the launch plans: `fired_at` is set while a plan with a schedule is active."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flyteidl.core import identifier_pb2

from dayfly.base.clock import Micros
from dayfly.model.identifiers import EntityId
from dayfly.ports.schedules import ScheduledPlan
from dayfly.stores import schema
from dayfly.stores.connections import Connections

_TABLE = schema.launch_plans

_ACTIVE = (
    sa.select(_TABLE.c.project, _TABLE.c.domain, _TABLE.c.name, _TABLE.c.version, _TABLE.c.document, _TABLE.c.fired_at)
    .where(_TABLE.c.fired_at.is_not(None))
    .order_by(_TABLE.c.project, _TABLE.c.domain, _TABLE.c.name)
)


class SqlSchedules:
    """Schedules in the database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def list_active(self) -> list[ScheduledPlan]:
        """Return all of them, by name."""
        rows = await self._connections.read(lambda connection: connection.execute(_ACTIVE).all())
        return [_plan(row) for row in rows]

    async def mark_fired(self, plan: EntityId, at: Micros) -> None:
        """Note that everything up to `at` has been seen to."""
        one = sa.and_(
            _TABLE.c.project == plan.project,
            _TABLE.c.domain == plan.domain,
            _TABLE.c.name == plan.name,
            _TABLE.c.version == plan.version,
            _TABLE.c.fired_at < at,
        )
        await self._connections.write(
            lambda connection: connection.execute(_TABLE.update().where(one).values(fired_at=at))
        )


def _plan(row: Any) -> ScheduledPlan:
    entity = EntityId(identifier_pb2.LAUNCH_PLAN, row.project, row.domain, row.name, row.version)
    return ScheduledPlan(entity, bytes(row.document), Micros(row.fired_at))
