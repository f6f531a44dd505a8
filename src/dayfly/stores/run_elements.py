"""Elements of arrays: one row an attempt, read as the one task execution that clients see. `runs` runs these."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.ports.runs import ElementRow
from dayfly.stores import run_rows, schema

_elements = schema.array_elements.c

_ALL = (
    sa.select(
        _elements.element,
        _elements.retry_attempt,
        _elements.phase,
        _elements.ended,
        _elements.succeeded,
        _elements.resource,
    )
    .join_from(schema.array_elements, schema.executions, schema.executions.c.id == _elements.execution_id)
    .where(run_rows.NAMED, _elements.node_id == sa.bindparam("array"))
    .order_by(_elements.element, _elements.retry_attempt)
)
_LAST = (
    _ALL.where(_elements.element == sa.bindparam("which"))
    .order_by(None)
    .order_by(_elements.retry_attempt.desc())
    .limit(1)
)
_ONE = _ALL.where(_elements.element == sa.bindparam("which"), _elements.retry_attempt == sa.bindparam("attempt"))


def list_elements(connection: sa.Connection, execution: ExecutionId, array: NodeId) -> list[ElementRow]:
    """Return all attempts of an array's elements, by element and attempt."""
    rows = connection.execute(_ALL, {**run_rows.naming(execution), "array": array})
    return [_row(row) for row in rows]


def find_element(
    connection: sa.Connection, execution: ExecutionId, element: NodeId, attempt: int | None = None
) -> ElementRow | None:
    """Return one attempt of an element, the last for None; None if there is none such."""
    parsed = identifiers.parse_element(element)
    if parsed is None:
        return None
    values = {**run_rows.naming(execution), "array": parsed[0], "which": parsed[1]}
    query = _LAST if attempt is None else _ONE
    row = connection.execute(query, values if attempt is None else {**values, "attempt": attempt}).one_or_none()
    return None if row is None else _row(row)


def _row(row: Any) -> ElementRow:
    return ElementRow(row.element, row.retry_attempt, row.phase, row.ended, row.succeeded, row.resource)
