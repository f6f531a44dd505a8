"""Counts runs in SQL, by indexes alone. Implements `ports.overview.Overview`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from dayfly.base.clock import SECOND, Micros
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase
from dayfly.ports.overview import MOST_COUNTED, Backlog, HourCount, NewRun, PlaceCount, Scope
from dayfly.ports.signals import Signal
from dayfly.stores import schema
from dayfly.stores.connections import Connections

HOUR = 3600 * SECOND

_executions, _signals = schema.executions.c, schema.signals.c

_ALL = tuple(phase.name for phase in ExecutionPhase)
_ACTIVE = tuple(phase.name for phase in ExecutionPhase if phase not in TERMINAL_EXECUTION)
_NAMED = (_executions.project, _executions.domain, _executions.name)
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class SqlOverview:
    """All runs of the database together."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def count_active(self, scope: Scope) -> dict[str, int]:
        """Return how many runs are in each phase that is not an end."""
        query = (
            sa.select(_executions.phase, sa.func.count()).where(*_within(scope, _ACTIVE)).group_by(_executions.phase)
        )
        return {row[0]: row[1] for row in await self._rows(query)}

    async def count_hours(self, scope: Scope, since: Micros) -> list[HourCount]:
        """Return how many runs were created in each hour since, by their phase now."""
        hour = (_executions.created_at - _executions.created_at % HOUR).label("hour")
        query = (
            sa.select(hour, _executions.phase, sa.func.count())
            .where(*_within(scope, _ALL), _executions.created_at >= since)
            .group_by(_executions.phase, hour)
            .order_by(hour)
        )
        return [HourCount(Micros(int(row[0])), row[1], row[2]) for row in await self._rows(query)]

    async def list_newest(self, scope: Scope, phases: Collection[ExecutionPhase], *, limit: int) -> list[NewRun]:
        """Return the runs that are in one of the phases. Each phase has an order of its own in the index."""
        columns = (*_NAMED, _executions.closure, _executions.created_at, _executions.id)
        newest = [
            sa.select(*columns)
            .where(*_within(scope, [phase.name]))
            .order_by(_executions.created_at.desc(), _executions.id.desc())
            .limit(limit)
            .subquery()
            for phase in phases
        ]
        merged = sa.union_all(*(sa.select(one) for one in newest)).subquery()
        query = sa.select(merged).order_by(merged.c.created_at.desc(), merged.c.id.desc()).limit(limit)
        return [
            NewRun(ExecutionId(row.project, row.domain, row.name), bytes(row.closure))
            for row in await self._rows(query)
        ]

    async def list_unset(self, scope: Scope, *, limit: int) -> list[Signal]:
        """Return signals that runs under way wait for, the oldest first."""
        query = (
            sa.select(*_NAMED, _signals.signal_id, _signals.type, _signals.created_at)
            .join_from(schema.signals, schema.executions, _executions.id == _signals.execution_id)
            .where(_signals.value.is_(None), *_within(scope, _ACTIVE))
            .order_by(_signals.id)
            .limit(limit)
        )
        return [
            Signal(
                ExecutionId(row.project, row.domain, row.name),
                row.signal_id,
                bytes(row.type),
                Micros(row.created_at),
            )
            for row in await self._rows(query)
        ]

    async def count_places(self) -> list[PlaceCount]:
        """Return how many runs each project and domain has."""
        by = (_executions.project, _executions.domain)
        query = sa.select(*by, sa.func.count()).where(_executions.state == 0).group_by(*by).order_by(*by)
        return [PlaceCount(*row) for row in await self._rows(query)]

    async def read_backlog(self) -> Backlog:
        """Return how the database is; what waits is counted up to a limit."""
        unread = _counted(sa.select(schema.inbox.c.id).where(schema.inbox.c.applied_version.is_(None)))
        undone = _counted(sa.select(schema.outbox.c.id).where(schema.outbox.c.done_at.is_(None)))

        def work(connection: sa.Connection) -> Backlog:
            kind = _KINDS.get(connection.dialect.name, connection.dialect.name)
            return Backlog(kind, connection.execute(unread).scalar_one(), connection.execute(undone).scalar_one())

        return await self._connections.read(work)

    async def _rows(self, query: sa.Select[Any]) -> Sequence[Any]:
        return await self._connections.read(lambda connection: connection.execute(query).all())


def _within(scope: Scope, phases: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """Return conditions in the order of the indexes that answer them: one for all projects, one for each."""
    conditions = [_executions.state == 0, _executions.phase.in_(phases)]
    if scope.project:
        conditions.append(_executions.project == scope.project)
        if scope.domain:
            conditions.append(_executions.domain == scope.domain)
    return conditions


def _counted(rows: sa.Select[Any]) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(rows.limit(MOST_COUNTED).subquery())
