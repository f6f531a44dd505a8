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

SCANNED_ATTEMPTS = 2000
"""Attempts looked at for one list of clusters: most may be of other tasks, and a list must not take long."""

LARGEST_NUMBER = 2**62

_inbox, _attempts, _executions = schema.inbox.c, schema.task_executions.c, schema.executions.c

_EVENTS = (
    sa.select(_inbox.id, _inbox.event)
    .where(_inbox.execution_id == sa.bindparam("number"), _inbox.id > sa.bindparam("after"))
    .order_by(_inbox.id)
    .limit(sa.bindparam("at_most"))
)

_CLUSTERS = (
    sa.select(
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
        _executions.project,
        _executions.domain,
        _executions.name,
    )
    .join_from(schema.task_executions, schema.executions, _executions.id == _attempts.execution_id)
    .where(_attempts.id < sa.bindparam("before"))
    .order_by(_attempts.id.desc())
    .limit(sa.bindparam("at_most"))
)

_LIVE = tuple(phase.name for phase in AttemptPhase if phase not in TERMINAL_ATTEMPT)
_ENDED = tuple(phase.name for phase in TERMINAL_ATTEMPT)


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
        query = _CLUSTERS.where(*_conditions(wanted))
        asked = {"before": then or LARGEST_NUMBER, "at_most": SCANNED_ATTEMPTS}

        def work(connection: sa.Connection) -> ClusterList:
            rows = connection.execute(query, asked).all()
            found: list[AttemptRow] = []
            for row in rows:
                if _has_cluster(row):
                    found.append(_attempt(row))
                    if len(found) == limit:
                        return ClusterList(found, row.id)
            return ClusterList(found, rows[-1].id if len(rows) == SCANNED_ATTEMPTS else 0)

        return await self._connections.read(work)


def _conditions(wanted: WantedClusters) -> list[sa.ColumnElement[bool]]:
    columns = (
        (_executions.project, wanted.project),
        (_executions.domain, wanted.domain),
        (_executions.name, wanted.execution),
    )
    where = [column == value for column, value in columns if value]
    if wanted.live is not None:
        where.append(_attempts.phase.in_(_LIVE if wanted.live else _ENDED))
    return where


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
