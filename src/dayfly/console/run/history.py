"""The last runs of the same workflow, which the grid has beside this one: how they went, node by node.

Of another run no more nodes are asked for than are in sight.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from flyteidl.admin import common_pb2
from flyteidl.core import execution_pb2 as phases_pb2

from dayfly.base import errors
from dayfly.client import filters, watching
from dayfly.client.connecting import Client
from dayfly.console import addresses
from dayfly.console.run import nodes
from dayfly.console.run.flows import Flow
from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_EXECUTION

RUNS = 10
"""Columns of the grid, this run's included."""


class Column(NamedTuple):
    """One run."""

    id: ExecutionId
    phase: str
    created: int
    started: int | None
    ended: int | None
    """Milliseconds since 1970."""
    version: str
    href: str


class Cell(NamedTuple):
    """One node of one run."""

    column: int
    node: str
    """Ours that it stands for."""
    id: str
    """Its own, there."""
    phase: str
    started: int | None
    ended: int | None


async def read(client: Client, execution: Any) -> list[Column]:
    """Return the runs around an admin.Execution, the oldest first: the last ones, or those before it if it is older."""
    of = execution.closure.workflow_id
    same = filters.equal("workflow.name", of.name)
    found = await _list(client, execution, same)
    if not any(one.id.name == execution.id.name for one in found):
        moment = execution.closure.created_at.ToJsonString()
        found = await _list(client, execution, f"{same}+lte(created_at,{moment})")
    return [_column(one) for one in reversed(found)]


async def cells(client: Client, runs: Sequence[tuple[int, ExecutionId, Mapping[str, str]]], parent: str) -> list[Cell]:
    """Return nodes of runs below a parent. Of each run: its column, and which of its ids stands for which of ours."""
    found = await asyncio.gather(*(_nodes(client, id, parent, theirs) for _, id, theirs in runs if theirs))
    asked = [(column, theirs) for column, _, theirs in runs if theirs]
    return [
        Cell(column, theirs[state.id], state.id, state.phase, state.started, state.ended)
        for (column, theirs), messages in zip(asked, found, strict=True)
        for state in (nodes.to_state(message, parent) for message in messages)
        if state.id in theirs
    ]


def alike(ours: Flow, theirs: Flow, wanted: Sequence[str]) -> dict[str, str]:
    """Return which nodes of another version stand for ours: of the same id and name, else the only one of that name."""
    found, named = {}, Counter(part.name for part in theirs.parts.values())
    by_name = {part.name: spec for spec, part in theirs.parts.items()}
    for spec in wanted:
        name = ours.parts[spec].name if spec in ours.parts else ""
        if spec in theirs.parts and theirs.parts[spec].name == name:
            found[spec] = spec
        elif named[name] == 1 and sum(part.name == name for part in ours.parts.values()) == 1:
            found[by_name[name]] = spec
    return found


async def _nodes(client: Client, id: ExecutionId, parent: str, wanted: Iterable[str]) -> list[Any]:
    # A run of another version may not have the parent.
    try:
        return await client.list_nodes(
            id, NodeId(parent) if parent else None, filters=f"value_in(node_id,{';'.join(wanted)})"
        )
    except errors.NotFound:
        return []


async def _list(client: Client, execution: Any, chosen: str) -> list[Any]:
    request = common_pb2.ResourceListRequest(
        id={"project": execution.id.project, "domain": execution.id.domain},
        filters=chosen,
        limit=RUNS,
        sort_by={"key": "created_at", "direction": "DESCENDING"},
    )
    return list((await client.call(client.admin.ListExecutions, request)).executions)


def _column(one: Any) -> Column:
    id = identifiers.from_execution_identifier(one.id)
    started, ended = watching.span(one.closure, one.closure.phase in TERMINAL_EXECUTION)
    return Column(
        id,
        phases_pb2.WorkflowExecution.Phase.Name(one.closure.phase),
        one.closure.created_at.ToMilliseconds(),
        started // 1000 if started is not None else None,
        ended // 1000 if ended is not None else None,
        one.closure.workflow_id.version,
        addresses.run(id),
    )
