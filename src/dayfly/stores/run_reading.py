"""What clients read of executions, nodes and attempts: finding one, listing a page. `runs` runs these."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flyteidl.core import identifier_pb2

from dayfly.base.clock import Micros
from dayfly.model import events
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId
from dayfly.ports.definitions import Page
from dayfly.ports.runs import AttemptRow, ExecutionRow, NodeRow, UnreadEvent
from dayfly.stores import fields, filtering, run_rows, schema

_executions, _nodes, _attempts, _tags, _inbox = (
    schema.executions,
    schema.node_executions,
    schema.task_executions,
    schema.execution_tags,
    schema.inbox,
)

_EXECUTION = sa.select(
    _executions.c.project,
    _executions.c.domain,
    _executions.c.name,
    _executions.c.spec,
    _executions.c.closure,
    _executions.c.state,
    _executions.c.storage,
    _executions.c.phase,
    _executions.c.created_at,
)
_ONE_EXECUTION = _EXECUTION.where(run_rows.NAMED)

_NODE = (
    sa.select(_nodes.c.node_id, _nodes.c.spec_node_id, _nodes.c.input_uri, _nodes.c.closure, _nodes.c.metadata)
    .join_from(_nodes, _executions, _executions.c.id == _nodes.c.execution_id)
    .where(run_rows.NAMED)
)

_ATTEMPT = (
    sa.select(
        _attempts.c.node_id,
        _attempts.c.retry_attempt,
        _attempts.c.task_project,
        _attempts.c.task_domain,
        _attempts.c.task_name,
        _attempts.c.task_version,
        _attempts.c.input_uri,
        _attempts.c.closure,
        _attempts.c.phase_version,
    )
    .join_from(_attempts, _executions, _executions.c.id == _attempts.c.execution_id)
    .join(
        _nodes,
        sa.and_(_nodes.c.execution_id == _attempts.c.execution_id, _nodes.c.node_id == _attempts.c.node_id),
    )
    .where(run_rows.NAMED)
)

_LOG = (
    sa.select(_inbox.c.id, _inbox.c.event)
    .join_from(_inbox, _executions, _executions.c.id == _inbox.c.execution_id)
    .where(run_rows.NAMED)
    .order_by(_inbox.c.id)
)


def find_execution(connection: sa.Connection, execution: ExecutionId) -> ExecutionRow | None:
    """Return one execution, None if unknown."""
    row = connection.execute(_ONE_EXECUTION, run_rows.naming(execution)).one_or_none()
    return None if row is None else _execution(row)


def executions_query(project: str, domain: str, page: Page) -> sa.Select[Any]:
    """Return the statement for a page of executions. Raises `InvalidArgument`."""
    where: list[Any] = [_executions.c.project == project, _executions.c.domain == domain]
    tagged: list[Any] = []
    for item in page.filters:
        of_tag = item.field in fields.TAGS
        known = fields.TAGS if of_tag else fields.EXECUTIONS
        (tagged if of_tag else where).append(filtering.condition(item, known))
    if tagged:
        where.append(sa.exists().where(_tags.c.execution_id == _executions.c.id, *tagged))
    if not any(item.field.rpartition(".")[2] == "state" for item in page.filters):
        where.append(_executions.c.state == 0)
    newest: list[Any] = [_executions.c.created_at.desc(), _executions.c.id.desc()]
    query: sa.Select[Any] = filtering.paged(_EXECUTION.where(*where), page, fields.EXECUTIONS, newest, _executions.c.id)
    return query


def list_executions(connection: sa.Connection, query: sa.Select[Any]) -> list[ExecutionRow]:
    """Return the page."""
    return [_execution(row) for row in connection.execute(query)]


def find_node(connection: sa.Connection, execution: ExecutionId, node: NodeId) -> NodeRow | None:
    """Return one node execution, None if unknown."""
    query = _NODE.where(_nodes.c.node_id == sa.bindparam("node"))
    row = connection.execute(query, {**run_rows.naming(execution), "node": node}).one_or_none()
    return None if row is None else _node(execution, row)


def nodes_query(parent: NodeId | None, page: Page) -> sa.Select[Any]:
    """Return the statement for a page of nodes. Raises `InvalidArgument`."""
    query = _NODE.where(_nodes.c.parent_id == (parent or ""), *filtering.conditions(page, fields.NODES))
    shown: sa.Select[Any] = filtering.paged(query, page, fields.NODES, [_nodes.c.id], _nodes.c.id)
    return shown


def list_nodes(connection: sa.Connection, execution: ExecutionId, query: sa.Select[Any]) -> list[NodeRow]:
    """Return the page."""
    return [_node(execution, row) for row in connection.execute(query, run_rows.naming(execution))]


def find_attempt(connection: sa.Connection, execution: ExecutionId, node: NodeId, attempt: int) -> AttemptRow | None:
    """Return one task execution, None if unknown."""
    query = _ATTEMPT.where(
        _attempts.c.node_id == sa.bindparam("node"), _attempts.c.retry_attempt == sa.bindparam("attempt")
    )
    values = {**run_rows.naming(execution), "node": node, "attempt": attempt}
    row = connection.execute(query, values).one_or_none()
    return None if row is None else _attempt(execution, row)


def attempts_query(node: NodeId, page: Page) -> sa.Select[Any]:
    """Return the statement for a page of attempts. Raises `InvalidArgument`."""
    query = _ATTEMPT.where(_attempts.c.node_id == node, *filtering.conditions(page, fields.ATTEMPTS))
    first: list[Any] = [_attempts.c.retry_attempt]
    shown: sa.Select[Any] = filtering.paged(query, page, fields.ATTEMPTS, first, _attempts.c.retry_attempt)
    return shown


def list_attempts(connection: sa.Connection, execution: ExecutionId, query: sa.Select[Any]) -> list[AttemptRow]:
    """Return the page."""
    return [_attempt(execution, row) for row in connection.execute(query, run_rows.naming(execution))]


def list_events(connection: sa.Connection, execution: ExecutionId) -> list[UnreadEvent]:
    """Return the whole log, in order."""
    rows = connection.execute(_LOG, run_rows.naming(execution))
    return [UnreadEvent(row.id, events.decode(row.event)) for row in rows]


def _execution(row: Any) -> ExecutionRow:
    return ExecutionRow(
        id=ExecutionId(row.project, row.domain, row.name),
        spec=row.spec,
        closure=row.closure,
        state=row.state,
        storage=row.storage,
        phase=row.phase,
        created_at=Micros(row.created_at),
    )


def _node(execution: ExecutionId, row: Any) -> NodeRow:
    return NodeRow(execution, NodeId(row.node_id), row.spec_node_id, row.input_uri, row.closure, row.metadata)


def _attempt(execution: ExecutionId, row: Any) -> AttemptRow:
    kind = int(identifier_pb2.TASK)
    task = EntityId(kind, row.task_project, row.task_domain, row.task_name, row.task_version)
    return AttemptRow(
        execution, NodeId(row.node_id), row.retry_attempt, task, row.input_uri, row.closure, row.phase_version
    )
