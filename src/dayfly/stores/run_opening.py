"""What doors write: new executions, events, aborts, archiving. Plain transactions; `runs` runs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.model.events import Event
from dayfly.model.identifiers import EntityId, ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase
from dayfly.model.run import Abort, RunState
from dayfly.ports.runs import NewRun
from dayfly.stores import plan_store, projections, run_rows, run_states, schema
from dayfly.stores.projections import Context, Marks

_ENDED = frozenset(phase.name for phase in TERMINAL_EXECUTION)
_STATE = sa.select(schema.runs.c.state).where(schema.runs.c.execution_id == sa.bindparam("number"))
_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
_UNDER_WAY = sa.select(sa.func.count()).where(
    schema.executions.c.launch_plan_project == sa.bindparam("project"),
    schema.executions.c.launch_plan_domain == sa.bindparam("domain"),
    schema.executions.c.launch_plan_name == sa.bindparam("plan"),
    schema.executions.c.phase.in_([phase.name for phase in ExecutionPhase if phase not in TERMINAL_EXECUTION]),
)
_INSERT = schema.executions.insert()
_INSERT_RUN = schema.runs.insert()
_INSERT_TAGS = schema.execution_tags.insert()
_INSERT_INPUTS = schema.execution_inputs.insert()


def create(connection: sa.Connection, new: NewRun, launched: Event) -> None:
    """Add run, projection and first event. Raises `AlreadyExists`."""
    state = RunState()
    said = Marks(0, new.user, new.created_at)
    context = Context(new.id, new.storage, new.workflow, new.plan, new.created_at, said)
    row = {**_fixed_columns(new), **_parent_columns(connection, new), **projections.execution_row(state, context)}
    _refuse_too_many(connection, new)
    try:
        number = connection.execute(_INSERT, row).inserted_primary_key[0]  # type: ignore[index]
    except sa.exc.IntegrityError as error:
        raise errors.AlreadyExists(f"execution {new.id} exists already.") from error
    plan_store.keep(connection, new.plan)
    run = {"execution_id": number, "plan_digest": new.plan.digest, "state": run_states.encode_head(state), "version": 0}
    connection.execute(_INSERT_RUN, run)
    for insert, pairs in ((_INSERT_TAGS, new.tags), (_INSERT_INPUTS, new.inputs)):
        if pairs:
            rows = [{"execution_id": number, "key": key, "value": value} for key, value in pairs]
            connection.execute(insert, rows)
    run_rows.append(connection, number, [launched])


def _refuse_too_many(connection: sa.Connection, new: NewRun) -> None:
    """Hold a launch plan to its concurrency policy. Counting and adding are one transaction: no two slip in."""
    plan = new.launch_plan
    if new.at_once <= 0 or plan is None:
        return
    if connection.dialect.name == "postgresql":  # which, unlike SQLite, has several writers at a time
        connection.execute(_ONE_AT_A_TIME, {"what": f"{plan.project}/{plan.domain}/{plan.name}"})
    named = {"project": plan.project, "domain": plan.domain, "plan": plan.name}
    under_way = connection.execute(_UNDER_WAY, named).scalar_one()
    if under_way >= new.at_once:
        raise errors.AlreadyExists(
            f"launch plan {plan.project}/{plan.domain}/{plan.name} has {under_way} execution(s) under way, and its "
            f"concurrency policy allows {new.at_once}.",
            remedy="Wait for one to end, or raise the policy's `max`.",
        )


def append(connection: sa.Connection, execution: ExecutionId, events: Sequence[Event]) -> None:
    """Add events to the inbox. Raises `NotFound`."""
    run_rows.append(connection, run_rows.get_number(connection, execution), list(events))


def request_abort(connection: sa.Connection, execution: ExecutionId, event: Event, abort: Abort) -> None:
    """Append the abort and show ABORTING. Raises `NotFound`, `FailedPrecondition` where the execution has ended."""
    facts = run_rows.get_facts(connection, execution)
    if facts.phase in _ENDED:
        raise errors.FailedPrecondition(
            f"execution {execution} has ended already: {facts.phase}.", remedy="There is nothing left to abort."
        )
    was = run_rows.marks(facts)
    _mark(connection, execution, facts, Marks(was.archived, was.changed_by, was.changed_at, abort))
    run_rows.append(connection, facts.id, [event])


def set_archived(
    connection: sa.Connection, execution: ExecutionId, *, archived: bool, principal: str, at: Micros
) -> None:
    """Archive or bring back. Raises `NotFound`."""
    facts = run_rows.get_facts(connection, execution)
    _mark(connection, execution, facts, Marks(int(archived), principal, at, run_rows.marks(facts).abort))


def _mark(connection: sa.Connection, execution: ExecutionId, facts: Any, marks: Marks) -> None:
    state = run_states.decode_head(connection.execute(_STATE, {"number": facts.id}).scalar_one())
    plan = plan_store.get(connection, facts.plan_digest)
    context = run_rows.context(execution, facts, plan, marks)
    run_rows.show(connection, facts.id, projections.execution_row(state, context))


def _fixed_columns(new: NewRun) -> dict[str, Any]:
    return {
        "project": new.id.project,
        "domain": new.id.domain,
        "name": new.id.name,
        "spec": new.spec,
        "storage": new.storage,
        "mode": new.mode,
        "principal": new.user,
        "created_at": new.created_at,
        "launch_entity": "task" if new.task is not None else "launch_plan",
        **_entity_columns("workflow", new.workflow),
        **_entity_columns("launch_plan", new.launch_plan),
        **_entity_columns("task", new.task),
    }


def _parent_columns(connection: sa.Connection, new: NewRun) -> dict[str, Any]:
    if new.parent is None:
        return {"parent_id": None, "parent_node": ""}
    number = run_rows.get_number(connection, new.parent.execution)
    return {"parent_id": number, "parent_node": new.parent.node}


def _entity_columns(prefix: str, entity: EntityId | None) -> dict[str, str]:
    parts = ("project", "domain", "name", "version")
    return {f"{prefix}_{part}": getattr(entity, part) if entity is not None else "" for part in parts}
