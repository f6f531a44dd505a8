"""Looks back in SQL. Implements `ports.history.History`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flyteidl.admin import task_execution_pb2
from flyteidl.core import identifier_pb2

from dayfly.model import events
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_ATTEMPT, AttemptPhase
from dayfly.ports.history import CLUSTER_TASK_TYPE, ClusterList, WantedClusters
from dayfly.ports.runs import AttemptRow, UnreadEvent
from dayfly.stores import run_rows, schema
from dayfly.stores.connections import Connections

SCANNED_ATTEMPTS = 20_000
"""Attempts among which one list of clusters is looked for: most may be of other tasks or projects."""

READ_ATTEMPTS = 2000
"""Attempts of which a list reads more than that they are there."""

LARGEST_NUMBER = 2**62

_inbox, _attempts, _executions = schema.inbox.c, schema.task_executions.c, schema.executions.c

_EVENTS = (
    sa.select(_inbox.id, _inbox.event)
    .where(_inbox.execution_id == sa.bindparam("number"), _inbox.id > sa.bindparam("after"))
    .order_by(_inbox.id)
    .limit(sa.bindparam("at_most"))
)

_COLUMNS = (
    _attempts.id,
    _attempts.node_id,
    _attempts.retry_attempt,
    _attempts.task_project,
    _attempts.task_domain,
    _attempts.task_name,
    _attempts.task_version,
    _attempts.input_uri,
    _attempts.closure,
    _attempts.phase_version,
    _attempts.phase,
    _executions.project,
    _executions.domain,
    _executions.name,
)

_LIVE = tuple(phase.name for phase in AttemptPhase if phase not in TERMINAL_ATTEMPT)


class SqlHistory:
    """History in the database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def list_events(self, execution: ExecutionId, *, after: int, limit: int) -> list[UnreadEvent]:
        """Return events of one execution; see `History.list_events`."""

        def work(connection: sa.Connection) -> list[UnreadEvent]:
            number = run_rows.get_number(connection, execution)
            rows = connection.execute(_EVENTS, {"number": number, "after": after, "at_most": limit})
            return [UnreadEvent(row.id, events.decode(row.event)) for row in rows]

        return await self._connections.read(work)

    async def list_clusters(self, wanted: WantedClusters, *, then: int, limit: int) -> ClusterList:
        """Return attempts that have or had a cluster; see `History.list_clusters`."""
        scanned = _newest(wanted, then or LARGEST_NUMBER).subquery()
        read = _matching(wanted, scanned)
        reach = sa.select(sa.func.count(), sa.func.min(scanned.c.id))

        def work(connection: sa.Connection) -> ClusterList:
            rows = connection.execute(read).all()
            found: list[AttemptRow] = []
            for row in rows:
                if _has_cluster(row) and (wanted.live is None or wanted.live == (row.phase in _LIVE)):
                    found.append(_attempt(row))
                    if len(found) == limit:
                        return ClusterList(found, row.id)
            if len(rows) == READ_ATTEMPTS:
                return ClusterList(found, rows[-1].id)
            count, oldest = connection.execute(reach).one()
            return ClusterList(found, oldest if count == SCANNED_ATTEMPTS else 0)

        return await self._connections.read(work)


def _newest(wanted: WantedClusters, before: int) -> sa.Select[tuple[int, int]]:
    """Return the attempts that are looked at, by what an index knows of them."""
    query = sa.select(_attempts.id, _attempts.execution_id).where(_attempts.id < before)
    if wanted.live:
        query = query.where(_attempts.phase.in_(_LIVE))
    if wanted.execution:
        named = ExecutionId(wanted.project, wanted.domain, wanted.execution)
        number = sa.select(_executions.id).where(run_rows.NAMED).params(run_rows.naming(named))
        query = query.where(_attempts.execution_id == number.scalar_subquery())
    return query.order_by(_attempts.id.desc()).limit(SCANNED_ATTEMPTS)


def _matching(wanted: WantedClusters, scanned: sa.Subquery) -> sa.Select[Any]:
    """Return those of them that the wanted executions have, with all that is read."""
    query = (
        sa.select(*_COLUMNS)
        .join_from(scanned, schema.executions, _executions.id == scanned.c.execution_id)
        .join(schema.task_executions, _attempts.id == scanned.c.id)
    )
    for column, value in (
        (_executions.project, wanted.project),
        (_executions.domain, wanted.domain),
        (_attempts.task_name, wanted.task),
    ):
        if value:
            query = query.where(column == value)
    return query.order_by(scanned.c.id.desc()).limit(READ_ATTEMPTS)


def _has_cluster(row: Any) -> bool:
    closure = task_execution_pb2.TaskExecutionClosure.FromString(bytes(row.closure))
    return bool(closure.task_type == CLUSTER_TASK_TYPE)


def _attempt(row: Any) -> AttemptRow:
    kind = int(identifier_pb2.TASK)
    return AttemptRow(
        ExecutionId(row.project, row.domain, row.name),
        NodeId(row.node_id),
        row.retry_attempt,
        EntityId(kind, row.task_project, row.task_domain, row.task_name, row.task_version),
        row.input_uri,
        bytes(row.closure),
        row.phase_version,
    )
