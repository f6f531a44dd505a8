"""Finds executions, and reads what doors have said of them. Shared by everything here that writes executions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.model import events
from dayfly.model.events import Event
from dayfly.model.identifiers import EntityId, ExecutionId
from dayfly.model.plan import Plan
from dayfly.model.run import Abort
from dayfly.stores import schema, waking
from dayfly.stores.projections import Context, Marks

_NONE: Mapping[str, Plan] = {}

_executions, _runs = schema.executions.c, schema.runs.c

NAMED = sa.and_(
    _executions.project == sa.bindparam("in_project"),
    _executions.domain == sa.bindparam("in_domain"),
    _executions.name == sa.bindparam("named"),
)
"""The condition that `naming` binds: one execution by its id."""

_NUMBER = sa.select(_executions.id).where(NAMED)

_FACTS = (
    sa.select(
        _executions.id,
        _executions.storage,
        _executions.created_at,
        _executions.phase,
        _executions.state,
        _executions.state_changed_by,
        _executions.state_changed_at,
        _executions.abort_cause,
        _executions.abort_principal,
        _executions.abort_at,
        _executions.parent_id,
        _executions.parent_node,
        _executions.workflow_project,
        _executions.workflow_domain,
        _executions.workflow_name,
        _executions.workflow_version,
        _runs.version,
        _runs.plan_digest,
    )
    .join_from(schema.executions, schema.runs, _runs.execution_id == _executions.id)
    .where(NAMED)
    # Where transactions run side by side, one at a time changes an execution; events are appended all the while.
    .with_for_update(of=schema.executions, key_share=True)
)

_APPEND = schema.inbox.insert()
_SHOW = schema.executions.update().where(_executions.id == sa.bindparam("number"))


def naming(execution: ExecutionId) -> dict[str, str]:
    """Return the values for `NAMED`."""
    return {"in_project": execution.project, "in_domain": execution.domain, "named": execution.name}


def get_number(connection: sa.Connection, execution: ExecutionId) -> int:
    """Return the row number of an execution. Raises `NotFound`."""
    number: int | None = connection.execute(_NUMBER, naming(execution)).scalar_one_or_none()
    if number is None:
        raise unknown(execution)
    return number


def get_facts(connection: sa.Connection, execution: ExecutionId) -> Any:
    """Return what writers need of an execution's rows, which are locked until the end. Raises `NotFound`."""
    row = connection.execute(_FACTS, naming(execution)).one_or_none()
    if row is None:
        raise unknown(execution)
    return row


def marks(facts: Any) -> Marks:
    """Return what doors have said, from the facts."""
    abort = None
    if facts.abort_at is not None:
        abort = Abort(facts.abort_cause, facts.abort_principal, Micros(facts.abort_at))
    return Marks(facts.state, facts.state_changed_by, Micros(facts.state_changed_at), abort)


def context(execution: ExecutionId, facts: Any, plan: Plan, said: Marks, grown: Mapping[str, Plan] = _NONE) -> Context:
    """Return what the projections need beside the states."""
    return Context(execution, facts.storage, workflow(facts), plan, Micros(facts.created_at), said, grown)


def workflow(row: Any) -> EntityId:
    """Return the workflow that an execution runs."""
    kind = int(identifier_pb2.WORKFLOW)
    return EntityId(kind, row.workflow_project, row.workflow_domain, row.workflow_name, row.workflow_version)


def append(connection: sa.Connection, number: int, new: list[Event]) -> None:
    """Add events to an execution's inbox."""
    if new:
        connection.execute(_APPEND, [{"execution_id": number, "event": events.encode(event)} for event in new])
        waking.announce(connection)


def show(connection: sa.Connection, number: int, row: dict[str, Any]) -> None:
    """Write an execution's changing columns, as `projections.execution_row` gives them."""
    connection.execute(_SHOW.values({name: sa.bindparam(name) for name in row}), {**row, "number": number})


def unknown(execution: ExecutionId) -> errors.NotFound:
    """Return the error for an execution that is not there."""
    return errors.NotFound(f"execution {execution} does not exist.")
