"""What a turn reads and writes: leases, the run with its unread events, and the one commit. `runs` runs these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from dayfly.base import errors
from dayfly.base.clock import SECOND, Micros
from dayfly.model import commands as commanding
from dayfly.model import events
from dayfly.model.commands import CancelTimer, Command, SetTimer
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.run import NodeState, RunState
from dayfly.ports.runs import Run, UnreadEvent
from dayfly.stores import plan_store, projections, run_rows, run_states, schema, upserting

_executions, _runs, _inbox, _outbox = (
    schema.executions.c,
    schema.runs.c,
    schema.inbox.c,
    schema.outbox.c,
)

_WAITING = sa.union(
    sa.select(_inbox.execution_id).where(_inbox.applied_version.is_(None)),
    sa.select(_outbox.execution_id).where(_outbox.done_at.is_(None)),
)
_LEASABLE = (
    sa.select(_executions.id, _executions.project, _executions.domain, _executions.name)
    .join_from(schema.runs, schema.executions, _executions.id == _runs.execution_id)
    .where(
        _runs.execution_id.in_(_WAITING),
        sa.or_(
            _runs.lease_until.is_(None),
            _runs.lease_until <= sa.bindparam("now"),
            _runs.lease_owner == sa.bindparam("owner"),
        ),
    )
    .order_by(_runs.execution_id)
    .limit(sa.bindparam("at_most"))
    .with_for_update(skip_locked=True, of=schema.runs)
)
_LEASE = (
    schema.runs.update()
    .where(_runs.execution_id == sa.bindparam("number"))
    .values(lease_owner=sa.bindparam("owner"), lease_until=sa.bindparam("until"))
)
_RELEASE = (
    schema.runs.update()
    .where(
        _runs.execution_id == sa.select(_executions.id).where(run_rows.NAMED).scalar_subquery(),
        _runs.lease_owner == sa.bindparam("owner"),
    )
    .values(lease_owner="", lease_until=None)
)
_VERSION = (
    sa.select(_runs.execution_id, _runs.version)
    .join_from(schema.executions, schema.runs, _runs.execution_id == _executions.id)
    .where(run_rows.NAMED)
)
_RUN = (
    sa.select(
        _runs.state,
        _runs.version,
        _runs.plan_digest,
        _executions.spec,
        _executions.storage,
        _executions.workflow_project,
        _executions.workflow_domain,
        _executions.workflow_name,
        _executions.workflow_version,
    )
    .join_from(schema.runs, schema.executions, _executions.id == _runs.execution_id)
    .where(_runs.execution_id == sa.bindparam("number"))
)
_UNREAD = (
    sa.select(_inbox.id, _inbox.event)
    .where(_inbox.execution_id == sa.bindparam("number"), _inbox.applied_version.is_(None))
    .order_by(_inbox.id)
)
_SAVE = (
    schema.runs.update()
    .where(_runs.execution_id == sa.bindparam("number"), _runs.version == sa.bindparam("was"))
    .values(state=sa.bindparam("state"), version=sa.bindparam("version"))
)
_APPLIED = (
    schema.inbox.update()
    .where(_inbox.id == sa.bindparam("event_number"))
    .values(applied_version=sa.bindparam("version"))
)
_FORGET_TIMER = schema.timers.delete().where(
    schema.timers.c.execution_id == sa.bindparam("number"), schema.timers.c.timer == sa.bindparam("which")
)


def lease_unread(
    connection: sa.Connection, owner: str, *, now: Micros, lease_seconds: float, limit: int
) -> list[ExecutionId]:
    """Take executions with something unread or undone and no live lease of another, oldest first."""
    rows = connection.execute(_LEASABLE, {"now": now, "owner": owner, "at_most": limit}).all()
    if rows:
        until = now + int(lease_seconds * SECOND)
        connection.execute(_LEASE, [{"number": row.id, "owner": owner, "until": until} for row in rows])
    return [ExecutionId(row.project, row.domain, row.name) for row in rows]


def release(connection: sa.Connection, execution: ExecutionId, owner: str) -> None:
    """Give a lease back, if it is still held."""
    connection.execute(_RELEASE, {**run_rows.naming(execution), "owner": owner})


def load(connection: sa.Connection, execution: ExecutionId, cached: Run | None) -> tuple[Run, list[UnreadEvent]]:
    """Return the run, `cached` itself where it is the stored version, and its unread events. Raises `NotFound`."""
    found = connection.execute(_VERSION, run_rows.naming(execution)).one_or_none()
    if found is None:
        raise run_rows.unknown(execution)
    run = cached
    if run is None or run.version != found.version:
        run = _read_run(connection, execution, found.execution_id)
    rows = connection.execute(_UNREAD, {"number": found.execution_id})
    unread = [UnreadEvent(row.id, events.decode(row.event)) for row in rows]
    return _with_grown(connection, run, unread), unread


def _with_grown(connection: sa.Connection, run: Run, unread: Sequence[UnreadEvent]) -> Run:
    """Return the run with the plans that its events tell to have grown; plans never change."""
    new = {item.event.digest for item in unread if isinstance(item.event, events.Grown)} - run.grown.keys()
    if not new:
        return run
    found = {digest: plan for digest in new if (plan := plan_store.find(connection, digest)) is not None}
    return msgspec.structs.replace(run, grown={**run.grown, **found})


def commit(
    connection: sa.Connection,
    run: Run,
    after: RunState,
    read: Sequence[UnreadEvent],
    commands: Sequence[Command],
    folded: Mapping[NodeId, NodeState],
) -> Run:
    """Store state, rows, commands, timers and read marks, and tell an end to whoever launched the run.

    Raises `VersionClash`, `NotFound`.
    """
    facts = run_rows.get_facts(connection, run.id)
    number, version = facts.id, run.version + 1
    saved = {"number": number, "was": run.version, "state": run_states.encode_head(after), "version": version}
    if connection.execute(_SAVE, saved).rowcount != 1:
        raise errors.VersionClash(
            f"execution {run.id}: version {run.version} is not the stored one any more, that is {facts.version}."
        )
    context = run_rows.context(run.id, facts, run.plan, run_rows.marks(facts), run.grown)
    changes = projections.rows_for(run.state, after, context, folded)
    run_states.write_nodes(connection, number, run.state, after, changes.moved)
    _project(connection, number, changes)
    if read:
        connection.execute(_APPLIED, [{"event_number": item.sequence, "version": version} for item in read])
    if commands:
        _command(connection, number, commands)
    if after.ended and facts.parent_id is not None:
        run_rows.append(connection, facts.parent_id, [_child_ended(run.id, after, NodeId(facts.parent_node))])
    return Run(run.id, run.plan, after, version, run.spec, run.storage, run.workflow, run.grown)


def _child_ended(child: ExecutionId, after: RunState, node: NodeId) -> events.ChildEnded:
    at, failure, abort = after.ended_at or after.updated_at, after.failure, after.abort
    if failure is None:
        message = abort.cause if abort is not None else ""
        return events.ChildEnded(at, node, after.phase, message=message, child=child)
    kind, code, message = failure.kind, failure.code, failure.message
    return events.ChildEnded(at, node, after.phase, kind, code, message, child, failure.where)


def _read_run(connection: sa.Connection, execution: ExecutionId, number: int) -> Run:
    row = connection.execute(_RUN, {"number": number}).one()
    plan = plan_store.get(connection, row.plan_digest)
    state = run_states.read(connection, number, row.state)
    grown = {digest: plan_store.get(connection, digest) for digest in state.grown}
    return Run(execution, plan, state, row.version, row.spec, row.storage, run_rows.workflow(row), grown)


def _project(connection: sa.Connection, number: int, changes: projections.Changes) -> None:
    if changes.execution is not None:
        run_rows.show(connection, number, changes.execution)
    for table, key, rows in (
        (schema.node_executions, ("execution_id", "node_id"), changes.nodes),
        (schema.task_executions, ("execution_id", "node_id", "retry_attempt"), changes.attempts),
        (schema.array_elements, ("execution_id", "node_id", "element", "retry_attempt"), changes.elements),
    ):
        upserting.replace_rows(connection, table, key, [{"execution_id": number, **row} for row in rows])


def _command(connection: sa.Connection, number: int, commands: Sequence[Command]) -> None:
    """Put commands into the outbox in order; one whose key is there was given before. Timers become rows at once."""
    dialect, rows = connection.dialect.name, []
    for command in commands:
        if isinstance(command, SetTimer):
            timer = {"execution_id": number, "timer": command.timer, "due_at": command.due_at}
            upserting.replace_rows(connection, schema.timers, ("execution_id", "timer"), [timer])
        elif isinstance(command, CancelTimer):
            connection.execute(_FORGET_TIMER, {"number": number, "which": command.timer})
        else:
            rows.append({"execution_id": number, "key": command.key, "command": commanding.encode(command)})
    if rows:
        connection.execute(upserting.keeping(dialect, schema.outbox, ("execution_id", "key")), rows)
