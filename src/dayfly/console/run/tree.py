"""The nodes of one run on all levels, as they are at one moment: what is laid beside another run's.

What the board of a run page shows, and follows, is `feeding`'s.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from dayfly.client.connecting import Client
from dayfly.console.run import flows
from dayfly.console.run.flows import Flow
from dayfly.model import identifiers
from dayfly.model.identifiers import END_NODE, START_NODE
from dayfly.model.phases import TERMINAL_NODE


class Row(NamedTuple):
    """One node."""

    path: tuple[str, ...]
    """Its id in its workflow, after those of the nodes around it: the same in every run of the workflow."""
    names: tuple[str, ...]
    """The same in names that people know."""
    node: Any
    """admin.NodeExecution"""


class _Parent(NamedTuple):
    id: str
    path: tuple[str, ...]
    names: tuple[str, ...]
    flow: Flow


async def read(client: Client, execution: Any, most: int) -> list[Row]:
    """Return the nodes of an admin.Execution, level after level; the first `most`, but of the top level all.

    Of nodes that were made again, in another attempt of the one around them, the last ones.
    """
    workflow = identifiers.from_identifier(execution.closure.workflow_id)
    parents = [_Parent("", (), (), await flows.known.of_workflow(client, workflow))]
    rows: list[Row] = []
    while parents and len(rows) < most:
        levels = await asyncio.gather(*(_below(client, execution, parent) for parent in parents[: most - len(rows)]))
        found = [one for level in levels for one in level]
        rows += [row for row, _ in found]
        parents = [inner for _, inner in found if inner is not None]
    return rows


async def _below(client: Client, execution: Any, parent: _Parent) -> list[tuple[Row, _Parent | None]]:
    id = identifiers.from_execution_identifier(execution.id)
    newest: dict[str, Any] = {}
    for node in await client.list_nodes(id, identifiers.NodeId(parent.id) if parent.id else None):
        spec = node.metadata.spec_node_id or node.id.node_id
        before = newest.get(spec)
        if before is None or _round(before) <= _round(node):
            newest[spec] = node
    made = {spec: node for spec, node in newest.items() if spec not in (START_NODE, END_NODE)}
    return list(await asyncio.gather(*(_row(client, id, parent, spec, node) for spec, node in made.items())))


async def _row(
    client: Client, id: identifiers.ExecutionId, parent: _Parent, spec: str, node: Any
) -> tuple[Row, _Parent | None]:
    part = parent.flow.parts.get(spec)
    row = Row((*parent.path, spec), (*parent.names, part.name if part is not None else spec), node)
    inner = part.inner if part is not None else None
    if inner is None and not node.metadata.is_parent_node:
        return row, None
    if inner is None:
        ended = node.closure.phase in TERMINAL_NODE
        inner = await flows.known.of_dynamic(client, id, node.id.node_id, ended=ended)
    return row, _Parent(node.id.node_id, row.path, row.names, inner)


def _round(node: Any) -> int:
    return int(node.metadata.retry_group or 0)
