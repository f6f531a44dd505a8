"""What clients read of executions, nodes and attempts: finding one, listing a page. `runs` runs these."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flyteidl.admin import task_execution_pb2
from flyteidl.core import identifier_pb2

from dayfly.base.clock import Micros
from dayfly.model import events, identifiers
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase
from dayfly.model.plan import NO_ENTITY
from dayfly.ports.definitions import Listed, Page
from dayfly.ports.runs import AttemptRow, ElementRow, ExecutionRow, NodeRow, UnreadEvent
from dayfly.stores import fields, filtering, listing_executions, pages, run_elements, run_rows, schema
from dayfly.stores.pages import Listing, Order

_executions, _nodes, _attempts, _inbox = (
    schema.executions,
    schema.node_executions,
    schema.task_executions,
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
    # Not joined: the database then knows that it is one execution, whose nodes an index has in their order.
    .where(_nodes.c.execution_id == sa.select(_executions.c.id).where(run_rows.NAMED).correlate(None).scalar_subquery())
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


def executions(project: str, domain: str, page: Page) -> Listing:
    """Return the list of executions. Raises `InvalidArgument`."""
    return listing_executions.build(_EXECUTION, project, domain, page)


def list_executions(connection: sa.Connection, listing: Listing) -> Listed[ExecutionRow]:
    """Return the page."""
    return listing.read(connection, _execution)


def find_node(connection: sa.Connection, execution: ExecutionId, node: NodeId) -> NodeRow | None:
    """Return one node execution, None if unknown."""
    query = _NODE.where(_nodes.c.node_id == sa.bindparam("node"))
    row = connection.execute(query, {**run_rows.naming(execution), "node": node}).one_or_none()
    return None if row is None else _node(execution, row)


def nodes(execution: ExecutionId, parent: NodeId | None, page: Page) -> Listing:
    """Return the list of nodes directly below `parent`. Raises `InvalidArgument`."""
    query = _NODE.where(_nodes.c.parent_id == (parent or ""), *filtering.conditions(page, fields.NODES))
    named = [
        fields.NODES[name] for name in (page.sort_key, *(item.field for item in page.filters)) if name in fields.NODES
    ]
    if any(field.column.table is _executions for field in named):
        query = query.join_from(_nodes, _executions, _executions.c.id == _nodes.c.execution_id)
    first = Order(_nodes.c.id, descending=False)
    return pages.listing(query, page, fields.NODES, first, _nodes.c.id, ("nodes", str(execution), parent or ""))


def list_nodes(connection: sa.Connection, execution: ExecutionId, listing: Listing) -> Listed[NodeRow]:
    """Return the page."""
    return listing.read(connection, lambda row: _node(execution, row), run_rows.naming(execution))


def find_attempt(connection: sa.Connection, execution: ExecutionId, node: NodeId, attempt: int) -> AttemptRow | None:
    """Return one task execution, None if unknown; of an array's element, as far as it has one of its own."""
    if identifiers.parse_element(node) is not None:
        element = run_elements.find_element(connection, execution, node, attempt)
        return None if element is None else _element(execution, node, element)
    query = _ATTEMPT.where(
        _attempts.c.node_id == sa.bindparam("node"), _attempts.c.retry_attempt == sa.bindparam("attempt")
    )
    values = {**run_rows.naming(execution), "node": node, "attempt": attempt}
    row = connection.execute(query, values).one_or_none()
    return None if row is None else _attempt(execution, row)


def attempts(execution: ExecutionId, node: NodeId, page: Page) -> Listing:
    """Return the list of a node's attempts. Raises `InvalidArgument`."""
    query = _ATTEMPT.where(_attempts.c.node_id == node, *filtering.conditions(page, fields.ATTEMPTS))
    first, scope = Order(_attempts.c.retry_attempt, descending=False), ("attempts", str(execution), node)
    return pages.listing(query, page, fields.ATTEMPTS, first, _attempts.c.retry_attempt, scope)


def list_attempts(connection: sa.Connection, execution: ExecutionId, listing: Listing) -> Listed[AttemptRow]:
    """Return the page."""
    return listing.read(connection, lambda row: _attempt(execution, row), run_rows.naming(execution))


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


def _element(execution: ExecutionId, node: NodeId, row: ElementRow) -> AttemptRow:
    closure = task_execution_pb2.TaskExecutionClosure(phase=int(AttemptPhase[row.phase]))
    return AttemptRow(execution, node, row.attempt, NO_ENTITY, "", closure.SerializeToString())


def _attempt(execution: ExecutionId, row: Any) -> AttemptRow:
    kind = int(identifier_pb2.TASK)
    task = EntityId(kind, row.task_project, row.task_domain, row.task_name, row.task_version)
    return AttemptRow(
        execution, NodeId(row.node_id), row.retry_attempt, task, row.input_uri, row.closure, row.phase_version
    )
