"""Commands until they are done, the handles they made, and timers until they fire. `runs` runs these."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.model import commands, events, identifiers
from dayfly.model.commands import Command, StartAttempt
from dayfly.model.events import Event
from dayfly.model.identifiers import AttemptKey, ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_ATTEMPT, AttemptPhase
from dayfly.model.plan import Plan
from dayfly.ports.runs import LiveHandle, UndoneCommand
from dayfly.stores import plan_store, run_rows, schema

_executions, _outbox, _timers, _attempts, _elements = (
    schema.executions.c,
    schema.outbox.c,
    schema.timers.c,
    schema.task_executions.c,
    schema.array_elements.c,
)

_LIVE_PHASES = [phase.name for phase in AttemptPhase if phase not in TERMINAL_ATTEMPT]

_UNDONE = (
    sa.select(_outbox.command, schema.runs.c.version)
    .join_from(schema.outbox, schema.executions, _executions.id == _outbox.execution_id)
    .join(schema.runs, schema.runs.c.execution_id == _outbox.execution_id)
    .where(run_rows.NAMED, _outbox.done_at.is_(None))
    .order_by(_outbox.id)
)
_ONE = (
    sa.select(_outbox.id, _outbox.done_at)
    .where(_outbox.execution_id == sa.bindparam("number"), _outbox.key == sa.bindparam("which"))
    .with_for_update()
)
_DONE = (
    schema.outbox.update()
    .where(_outbox.id == sa.bindparam("row_number"))
    .values(done_at=sa.bindparam("at"), executor=sa.bindparam("by"), handle=sa.bindparam("made"))
)
_HANDLE = (
    sa.select(_outbox.executor, _outbox.handle)
    .join_from(schema.outbox, schema.executions, _executions.id == _outbox.execution_id)
    .where(run_rows.NAMED, _outbox.key == sa.bindparam("which"), _outbox.executor != "")
)
_LIVE = (
    sa.select(
        _executions.project,
        _executions.domain,
        _executions.name,
        _attempts.node_id,
        _attempts.retry_attempt,
        _outbox.executor,
        _outbox.handle,
    )
    .join_from(schema.task_executions, schema.executions, _executions.id == _attempts.execution_id)
    .join(
        schema.outbox,
        sa.and_(
            _outbox.execution_id == _attempts.execution_id,
            _outbox.key == sa.literal("start/") + _attempts.node_id + "/" + sa.cast(_attempts.retry_attempt, sa.Text),
        ),
    )
    .where(_attempts.phase.in_(_LIVE_PHASES), _outbox.executor != "")
    .order_by(_outbox.id)
)
_LIVE_ELEMENTS = (
    sa.select(
        _executions.project,
        _executions.domain,
        _executions.name,
        (_elements.node_id + sa.literal("#") + sa.cast(_elements.element, sa.Text)).label("node_id"),
        _elements.retry_attempt,
        _outbox.executor,
        _outbox.handle,
    )
    .join_from(schema.array_elements, schema.executions, _executions.id == _elements.execution_id)
    .join(
        schema.outbox,
        sa.and_(
            _outbox.execution_id == _elements.execution_id,
            _outbox.key
            == sa.literal("start/")
            + _elements.node_id
            + sa.literal("#")
            + sa.cast(_elements.element, sa.Text)
            + sa.literal("/")
            + sa.cast(_elements.retry_attempt, sa.Text),
        ),
    )
    .where(_elements.phase.in_(_LIVE_PHASES), _outbox.executor != "")
    .order_by(_outbox.id)
)
_DUE = (
    sa.select(_timers.execution_id, _timers.timer, _timers.due_at)
    .where(_timers.due_at <= sa.bindparam("now"))
    .order_by(_timers.due_at)
    .limit(sa.bindparam("at_most"))
    .with_for_update(skip_locked=True)
)
_NEXT = sa.select(sa.func.min(_timers.due_at))
_FIRED = schema.timers.delete().where(
    _timers.execution_id == sa.bindparam("number"), _timers.timer == sa.bindparam("which")
)
_APPEND = schema.inbox.insert()


def undone(connection: sa.Connection, execution: ExecutionId) -> list[UndoneCommand]:
    """Return undone commands, oldest first."""
    rows = connection.execute(_UNDONE, run_rows.naming(execution))
    return [UndoneCommand(execution, commands.decode(row.command), row.version) for row in rows]


def mark_done(
    connection: sa.Connection,
    execution: ExecutionId,
    command: Command,
    *,
    at: Micros,
    executor: str,
    handle: bytes,
    new: Sequence[Event],
    plan: Plan | None = None,
) -> bool:
    """Mark a command done, keep the plan that grew and append what came of it; say whether it was not done already.

    Raises `NotFound` where no such command was ever committed.
    """
    number = run_rows.get_number(connection, execution)
    found = connection.execute(_ONE, {"number": number, "which": command.key}).one_or_none()
    if found is None:
        raise errors.NotFound(f"execution {execution} has no command {command.key}.")
    if found.done_at is not None:
        return False
    connection.execute(_DONE, {"row_number": found.id, "at": at, "by": executor, "made": handle})
    if plan is not None:
        plan_store.keep(connection, plan)
    run_rows.append(connection, number, list(new))
    return True


def live_handles(connection: sa.Connection) -> list[LiveHandle]:
    """Return the handles of all attempts that were started and have not ended."""
    found = []
    for row in (*connection.execute(_LIVE), *connection.execute(_LIVE_ELEMENTS)):
        execution = ExecutionId(row.project, row.domain, row.name)
        key = identifiers.attempt_key(execution, row.node_id, row.retry_attempt)
        found.append(LiveHandle(key, row.executor, row.handle))
    return found


def find_handle(connection: sa.Connection, key: AttemptKey) -> LiveHandle | None:
    """Return the handle of one attempt, None where it was never handed to an executor."""
    execution, node, attempt = identifiers.parse_attempt_key(key)
    which = StartAttempt(NodeId(node), attempt).key
    row = connection.execute(_HANDLE, {**run_rows.naming(execution), "which": which}).one_or_none()
    return None if row is None else LiveHandle(key, row.executor, row.handle)


def fire_timers(connection: sa.Connection, now: Micros, *, limit: int) -> tuple[int, Micros | None]:
    """Turn due timers into events; return how many, and when the next one is due."""
    due = connection.execute(_DUE, {"now": now, "at_most": limit}).all()
    if due:
        connection.execute(_FIRED, [{"number": row.execution_id, "which": row.timer} for row in due])
        fired = [
            {"execution_id": row.execution_id, "event": events.encode(events.TimerFired(now, row.timer))} for row in due
        ]
        connection.execute(_APPEND, fired)
    upcoming = connection.execute(_NEXT).scalar_one_or_none()
    return len(due), None if upcoming is None else Micros(upcoming)


def next_timer(connection: sa.Connection) -> Micros | None:
    """Return when the next timer is due, None where there is none."""
    upcoming = connection.execute(_NEXT).scalar_one_or_none()
    return None if upcoming is None else Micros(upcoming)
