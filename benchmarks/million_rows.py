"""A million executions, made up: the rows that a busy year of one platform leaves, in any database.

Called by `million_executions`. Written in bulk, past the stores: secondary indexes are made afterwards, which is ten
times as fast. Times, names, phases, users and tags are spread as people spread them, and the same in every run.
Documents are what clients parse, of the right size, and shared by alike executions.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import execution_pb2 as core_execution_pb2
from flyteidl.core import identifier_pb2

from dayfly.base.clock import SECOND
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId, ExecutionId
from dayfly.stores import postgres, schema

EXECUTIONS = 1_000_000
GIANT_NODES = 110_000
"""Top-level nodes of the first execution; every other has three."""

START = 1_735_689_600 * SECOND
YEAR = 365 * 86_400 * SECOND
MAIN = ("flytesnacks", "production")
"""Project and domain of seven in ten executions."""

PLACES = {
    MAIN: 0.70,
    ("flytesnacks", "development"): 0.12,
    ("research", "production"): 0.10,
    ("research", "development"): 0.05,
    ("reports", "staging"): 0.03,
}
PHASES = {"SUCCEEDED": 0.77, "FAILED": 0.20, "ABORTED": 0.03}
"""Of those that have ended: all but the last few."""

UNDER_WAY = 200
WORKFLOWS = [f"pipelines.area{number % 7}.workflow{number:02}" for number in range(60)]
VERSIONS = [f"v{number}" for number in range(10)]
USERS = [f"user{number}" for number in range(10)]
TASKS = 0.08
"""Share of executions that launch a task, not a launch plan."""

ARCHIVED = 0.17
TAGGED = 0.30
TAG = ("team", "red")
"""Six in ten tags; the others are spread."""

EAGER = 1000
"""One in so many has a tag that no other has, as those have that an eager workflow starts."""

STORAGE = "s3://flyte"
_PARTS = ("project", "domain", "name", "version")
_BATCH = 50_000


class Rows(NamedTuple):
    """Rows of one table, without the columns that the database fills in by itself."""

    table: sa.Table
    columns: tuple[str, ...]
    values: Iterator[Sequence[Any]]


def fill(url: str) -> None:
    """Fill an empty database of today's schema."""
    parsed = sa.make_url(url)
    on_postgres = postgres.names(parsed)
    engine = sa.create_engine(parsed.set(drivername="postgresql+psycopg") if on_postgres else parsed)
    tables = (schema.executions, schema.execution_tags, schema.node_executions, schema.task_executions)
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda one: str(one.name))]
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
    for rows in _all():
        (_copy if on_postgres else _insert)(engine, rows)
    with engine.begin() as connection:
        for index in indexes:
            index.create(connection)
    if on_postgres:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # what the server does by itself, a minute later
            for table in tables:
                numbers = f"pg_get_serial_sequence('{table.name}', 'id')"
                connection.exec_driver_sql(f"SELECT setval({numbers}, (SELECT max(id) FROM {table.name}))")
    engine.dispose()


def name_of(number: int) -> str:
    """Return the name of an execution, by the number of its row."""
    return f"a{number:019}"


def _insert(engine: sa.Engine, rows: Rows) -> None:
    raw = engine.raw_connection()
    cursor = raw.cursor()
    for pragma in ("foreign_keys=OFF", "synchronous=OFF", "journal_mode=WAL"):
        cursor.execute(f"PRAGMA {pragma}")
    places = ", ".join("?" * len(rows.columns))
    statement = f"INSERT INTO {rows.table.name} ({', '.join(rows.columns)}) VALUES ({places})"
    while batch := list(itertools.islice(rows.values, _BATCH)):
        cursor.executemany(statement, batch)
        raw.commit()
    raw.close()


def _copy(engine: sa.Engine, rows: Rows) -> None:
    raw = engine.raw_connection()
    cursor: Any = raw.cursor()
    cursor.execute("SET session_replication_role = replica")  # no foreign keys to be looked up row by row
    with cursor.copy(f"COPY {rows.table.name} ({', '.join(rows.columns)}) FROM STDIN") as copy:
        for row in rows.values:
            copy.write_row(row)
    cursor.execute("RESET session_replication_role")
    raw.commit()
    raw.close()


def _all() -> Iterator[Rows]:
    dice = random.Random(11)
    began = [START + number * (YEAR // EXECUTIONS) + dice.randrange(SECOND) for number in range(EXECUTIONS)]
    waits = [int(SECOND * dice.expovariate(1 / 3)) for _ in range(EXECUTIONS)]
    spans = [int(SECOND * dice.lognormvariate(5, 1.6)) for _ in range(EXECUTIONS)]
    phases = dice.choices(list(PHASES), list(PHASES.values()), k=EXECUTIONS - UNDER_WAY) + ["RUNNING"] * UNDER_WAY
    yield _executions(dice, began, waits, spans, phases)
    yield _tags(dice)
    yield _nodes(began, waits, spans, phases)
    yield _attempts(began, waits, spans, phases)


def _executions(dice: random.Random, began: list[int], waits: list[int], spans: list[int], phases: list[str]) -> Rows:
    places = [MAIN, *dice.choices(list(PLACES), list(PLACES.values()), k=EXECUTIONS - 1)]
    workflows = dice.choices(WORKFLOWS, [1 / (1 + at) for at in range(len(WORKFLOWS))], k=EXECUTIONS)
    users = dice.choices(USERS, [1 / (1 + at) for at in range(len(USERS))], k=EXECUTIONS)
    versions = dice.choices(VERSIONS, k=EXECUTIONS)
    documents: dict[tuple[str, ...], tuple[bytes, bytes]] = {}

    def values() -> Iterator[Sequence[Any]]:
        for at in range(EXECUTIONS):
            (project, domain), workflow, version, phase = places[at], workflows[at], versions[at], phases[at]
            spec, closure = documents.get((project, domain, workflow, version, phase)) or documents.setdefault(
                (project, domain, workflow, version, phase), _documents(project, domain, workflow, version, phase)
            )
            created, ended = began[at], phase != "RUNNING"
            of_task = dice.random() < TASKS
            entity = (project, domain, workflow, version)
            yield (
                *(at + 1, project, domain, name_of(at + 1), spec, closure, STORAGE, phase, 0, users[at], created),
                *(created + waits[at] + (spans[at] if ended else 0), created + waits[at], spans[at] if ended else -1),
                *(("USER", "USER:ValueError") if phase == "FAILED" else ("", "")),
                *(int(dice.random() < ARCHIVED), users[at], created, "task" if of_task else "launch_plan"),
                *(*entity, *entity, *(entity if of_task else ("", "", "", ""))),
            )

    columns = (
        *("id", "project", "domain", "name", "spec", "closure", "storage", "phase", "mode", "principal", "created_at"),
        *("updated_at", "started_at", "duration", "error_kind", "error_code"),
        *("state", "state_changed_by", "state_changed_at", "launch_entity"),
        *(f"{of}_{part}" for of in ("workflow", "launch_plan", "task") for part in _PARTS),
    )
    return Rows(schema.executions, columns, values())


def _tags(dice: random.Random) -> Rows:
    def values() -> Iterator[Sequence[Any]]:
        for number in range(1, EXECUTIONS + 1):
            if number % EAGER == 0:
                yield number, "eager", f"eager{number}"
            if dice.random() < TAGGED:
                yield (number, *TAG) if dice.random() < 0.6 else (number, "team", f"team{number % 50}")

    return Rows(schema.execution_tags, ("execution_id", "key", "value"), values())


def _nodes(began: list[int], waits: list[int], spans: list[int], phases: list[str]) -> Rows:
    closure = _node_closure()
    metadata = {
        node: node_execution_pb2.NodeExecutionMetaData(spec_node_id=node).SerializeToString()
        for node in ("start-node", "n0", "end-node")
    }

    def values() -> Iterator[Sequence[Any]]:
        for at in range(EXECUTIONS):
            uri = f"{STORAGE}/metadata/flytesnacks/production/{name_of(at + 1)}"
            started, span, phase = began[at] + waits[at], spans[at], phases[at]
            told = (("start-node", "SUCCEEDED"), ("n0", phase), ("end-node", "SUCCEEDED"))
            for node, in_phase in told[: 3 if phase == "SUCCEEDED" else 2]:
                times = (started, started + span, started, span if in_phase != "RUNNING" else -1)
                yield (at + 1, node, node, f"{uri}/{node}/data/inputs.pb", closure, metadata[node], in_phase, *times)
        for number in range(1, GIANT_NODES):
            node = f"n{number}"
            times = (began[0] + number, began[0] + number + SECOND, began[0] + number, SECOND)
            yield (1, node, node, f"{STORAGE}/{node}/data/inputs.pb", closure, metadata["n0"], "SUCCEEDED", *times)

    columns = ("execution_id", "node_id", "spec_node_id", "input_uri", "closure", "metadata", "phase")
    return Rows(schema.node_executions, (*columns, "created_at", "updated_at", "started_at", "duration"), values())


def _attempts(began: list[int], waits: list[int], spans: list[int], phases: list[str]) -> Rows:
    closure = task_execution_pb2.TaskExecutionClosure(phase=core_execution_pb2.TaskExecution.SUCCEEDED)
    closure.output_uri, closure.task_type, closure.reason = f"{STORAGE}/outputs.pb", "python-task", "it has ended"
    closure.logs.add(name="log", uri="http://127.0.0.1:30080/logs/one/n0/0")
    raw = closure.SerializeToString()

    def values() -> Iterator[Sequence[Any]]:
        for at in range(EXECUTIONS):
            started = began[at] + waits[at]
            times = (started, started + spans[at], started, spans[at] if phases[at] != "RUNNING" else -1)
            yield (at + 1, "n0", 0, *MAIN, "tasks.fit", "v1", f"{STORAGE}/inputs.pb", raw, phases[at], 2, *times)

    entity = tuple(f"task_{part}" for part in _PARTS)
    columns = ("execution_id", "node_id", "retry_attempt", *entity, "input_uri", "closure", "phase", "phase_version")
    return Rows(schema.task_executions, (*columns, "created_at", "updated_at", "started_at", "duration"), values())


def _documents(project: str, domain: str, workflow: str, version: str, phase: str) -> tuple[bytes, bytes]:
    """Return spec and closure."""
    plan = EntityId(int(identifier_pb2.LAUNCH_PLAN), project, domain, workflow, version)
    spec = execution_pb2.ExecutionSpec(launch_plan=identifiers.to_identifier(plan), max_parallelism=25)
    spec.labels.values["team"] = "red"
    spec.metadata.system_metadata.namespace = f"{project}-{domain}"
    flow = EntityId(int(identifier_pb2.WORKFLOW), project, domain, workflow, version)
    closure = execution_pb2.ExecutionClosure(workflow_id=identifiers.to_identifier(flow))
    closure.phase = core_execution_pb2.WorkflowExecution.Phase.Value(phase)
    if phase == "SUCCEEDED":
        closure.outputs.uri = f"{STORAGE}/metadata/{project}/{domain}/{name_of(1)}/end-node/data/outputs.pb"
    elif phase == "FAILED":
        closure.error.code, closure.error.message = "USER:ValueError", "Trace:\n" + 20 * "  File one.py, line 1\n"
    for time in (closure.created_at, closure.started_at, closure.updated_at, closure.state_change_details.occurred_at):
        time.FromMicroseconds(START + SECOND + 1)
    closure.duration.FromMicroseconds(SECOND + 1)
    return spec.SerializeToString(), closure.SerializeToString()


def _node_closure() -> bytes:
    closure = node_execution_pb2.NodeExecutionClosure(phase=core_execution_pb2.NodeExecution.SUCCEEDED)
    closure.output_uri = f"{STORAGE}/metadata/flytesnacks/production/{name_of(1)}/n0/data/0/outputs.pb"
    for time in (closure.created_at, closure.started_at, closure.updated_at):
        time.FromMicroseconds(START + SECOND + 1)
    closure.task_node_metadata.SetInParent()
    return bytes(closure.SerializeToString())


def giant() -> ExecutionId:
    """Return the execution with `GIANT_NODES` nodes."""
    return ExecutionId(*MAIN, name_of(1))
