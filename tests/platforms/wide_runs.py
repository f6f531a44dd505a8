"""A run of ten thousand nodes that has ended: a registered workflow, and its rows made up in the server's own database.

Written past the stores, beside a server that runs: SQLite lets two write by turns. Running it for real would take
minutes, and show the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2, workflow_pb2
from flyteidl.core import execution_pb2 as phases_pb2
from flyteidl.core import identifier_pb2
from flyteidl.core import workflow_pb2 as core_workflow_pb2

from dayfly.base import errors
from dayfly.base.clock import SECOND
from dayfly.client import connecting
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId, ExecutionId
from tests.platforms.launching import DOMAIN, PROJECT, VERSION
from tests.platforms.server import Server

WORKFLOW = "showcase.wide"
NODES, LANES = 10_000, 100
"""Each lane is a chain; the last lane's nodes failed."""

BEGAN = 1_790_000_000 * SECOND

_PARTS = ("project", "domain", "name", "version")


def register(server: Server, task: str, nodes: int = NODES) -> EntityId:
    """Register, unless it is, a workflow of many nodes, all of one task that takes and gives nothing that is bound."""
    named = EntityId(identifier_pb2.WORKFLOW, PROJECT, DOMAIN, WORKFLOW, f"{VERSION}-{nodes}")
    template = core_workflow_pb2.WorkflowTemplate(id=identifiers.to_identifier(named))
    template.interface.SetInParent()
    for at in range(nodes):
        node = template.nodes.add(id=f"n{at}")
        node.metadata.name = task.rsplit(".", 1)[-1]
        node.task_node.reference_id.CopyFrom(
            identifiers.to_identifier(EntityId(identifier_pb2.TASK, PROJECT, DOMAIN, task, VERSION))
        )
        if at >= LANES:
            node.upstream_node_ids.append(f"n{at - LANES}")
    request = workflow_pb2.WorkflowCreateRequest(
        id=identifiers.to_identifier(named), spec=workflow_pb2.WorkflowSpec(template=template)
    )

    async def call() -> None:
        async with connecting.open(server.address) as client:
            with contextlib.suppress(errors.AlreadyExists):
                await client.call(client.admin.CreateWorkflow, request, seconds=120)

    asyncio.run(call())
    return named


def make(server: Server, workflow: EntityId, name: str, nodes: int = NODES) -> ExecutionId:
    """Make a run of it."""
    id = ExecutionId(PROJECT, DOMAIN, name)
    with contextlib.closing(sqlite3.connect(server.folder / "dayfly.db", timeout=60)) as connection, connection:
        number = _insert(connection, "executions", [_execution(id, workflow)])
        _insert(connection, "node_executions", _nodes(number, nodes))
        _insert(connection, "task_executions", _attempts(number, nodes))
    return id


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[dict[str, Any]]) -> int:
    columns = list(rows[0])
    places = ", ".join(f":{column}" for column in columns)
    cursor = connection.cursor()
    cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)
    return int(connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0])


def _execution(id: ExecutionId, workflow: EntityId) -> dict[str, Any]:
    plan = EntityId(identifier_pb2.LAUNCH_PLAN, *(getattr(workflow, part) for part in _PARTS))
    spec = execution_pb2.ExecutionSpec(launch_plan=identifiers.to_identifier(plan))
    closure = execution_pb2.ExecutionClosure(workflow_id=identifiers.to_identifier(workflow))
    closure.phase = phases_pb2.WorkflowExecution.FAILED
    closure.error.code, closure.error.message = "USER:ValueError", "One in a hundred of the nodes failed."
    _set(closure, BEGAN, BEGAN, NODES * SECOND // 10)
    return {
        "project": id.project,
        "domain": id.domain,
        "name": id.name,
        "spec": spec.SerializeToString(),
        "closure": closure.SerializeToString(),
        "storage": "file:///nowhere",
        "phase": "FAILED",
        "mode": 0,
        "principal": "",
        "created_at": BEGAN,
        "updated_at": BEGAN + SECOND,
        "started_at": BEGAN,
        "duration": NODES * SECOND // 10,
        "error_kind": "USER",
        "error_code": "USER:ValueError",
        "state": 0,
        "state_changed_by": "",
        "state_changed_at": BEGAN,
        "launch_entity": "launch_plan",
        **{f"launch_plan_{part}": getattr(plan, part) for part in _PARTS},
        **{f"workflow_{part}": getattr(workflow, part) for part in _PARTS},
        **{f"task_{part}": "" for part in _PARTS},
    }


def _nodes(number: int, nodes: int) -> list[dict[str, Any]]:
    rows = []
    for at in range(nodes):
        created, took, failed = _times(at)
        closure = node_execution_pb2.NodeExecutionClosure(output_uri=f"file:///nowhere/n{at}/outputs.pb")
        closure.phase = phases_pb2.NodeExecution.FAILED if failed else phases_pb2.NodeExecution.SUCCEEDED
        closure.task_node_metadata.SetInParent()
        _set(closure, created, created + SECOND // 5, took)
        metadata = node_execution_pb2.NodeExecutionMetaData(spec_node_id=f"n{at}")
        rows.append(
            {
                "execution_id": number,
                "node_id": f"n{at}",
                "spec_node_id": f"n{at}",
                "parent_id": "",
                "input_uri": f"file:///nowhere/n{at}/inputs.pb",
                "closure": closure.SerializeToString(),
                "metadata": metadata.SerializeToString(),
                "phase": "FAILED" if failed else "SUCCEEDED",
                **_columns(created, took),
                "error_kind": "",
                "error_code": "",
                "cache_status": "",
            }
        )
    return rows


def _attempts(number: int, nodes: int) -> list[dict[str, Any]]:
    rows = []
    for at in range(nodes):
        created, took, failed = _times(at)
        closure = task_execution_pb2.TaskExecutionClosure(task_type="python-task")
        closure.phase = phases_pb2.TaskExecution.FAILED if failed else phases_pb2.TaskExecution.SUCCEEDED
        _set(closure, created, created + SECOND // 5, took)
        rows.append(
            {
                "execution_id": number,
                "node_id": f"n{at}",
                "retry_attempt": 0,
                "task_project": PROJECT,
                "task_domain": DOMAIN,
                "task_name": "showcase.is_ready",
                "task_version": VERSION,
                "input_uri": f"file:///nowhere/n{at}/inputs.pb",
                "closure": closure.SerializeToString(),
                "phase": "FAILED" if failed else "SUCCEEDED",
                "phase_version": 2,
                **_columns(created, took),
            }
        )
    return rows


def _times(at: int) -> tuple[int, int, bool]:
    """Return when the node was made, how long it ran, and whether it failed."""
    return BEGAN + (at // LANES) * 10 * SECOND + at % LANES * 1000, (3 + at % 7) * SECOND, at % 100 == 99


def _columns(created: int, took: int) -> dict[str, Any]:
    started = created + SECOND // 5
    return {"created_at": created, "updated_at": started + took, "started_at": started, "duration": took}


def _set(closure: Any, created: int, started: int, took: int) -> None:
    closure.created_at.FromMicroseconds(created)
    closure.started_at.FromMicroseconds(started)
    closure.updated_at.FromMicroseconds(started + took)
    closure.duration.FromMicroseconds(took)
