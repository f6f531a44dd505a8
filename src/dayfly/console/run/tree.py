"""The nodes of several runs on all levels, as they are at one moment, to be laid beside each other.

What is inside of a node is read in all of the runs or in none: else what was not read would seem not to be there.
What the board of a run page shows, and follows, is `feeding`'s.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from flyteidl.admin import node_execution_pb2

from dayfly.client.connecting import Client
from dayfly.console.run import flows
from dayfly.console.run.flows import Flow
from dayfly.model import identifiers
from dayfly.model.identifiers import END_NODE, START_NODE
from dayfly.model.phases import TERMINAL_NODE

AT_ONCE = 8
"""Nodes that are looked into at a time."""

Key = tuple[str, ...]
"""By which nodes of several runs are alike, after those of the nodes around them."""


class Row(NamedTuple):
    """One node of one run."""

    key: Key
    name: str
    """As people call it."""
    around: tuple[str, ...]
    """Names of the nodes that it is inside of, from the top down."""
    spec: str
    """Its id in the workflow that it is part of."""
    node: Any
    """admin.NodeExecution"""


class Trees(NamedTuple):
    """What was read."""

    runs: list[list[Row]]
    """The nodes of each run, those around others before them."""
    closed: int
    """Nodes that were not looked into: there would have been too many."""


class _Inside(NamedTuple):
    """A level of one run: what is inside of a node, or the run itself."""

    run: int
    node: str
    """Empty for the run itself."""
    key: Key
    around: tuple[str, ...]
    flow: Flow | None
    """None where the node makes it once it runs."""
    ended: bool


class _Found(NamedTuple):
    row: Row
    inner: _Inside | None


_Level = list[_Found] | None
"""None where it has too many nodes."""


async def read(client: Client, runs: Sequence[tuple[Any, Flow]], most: int, *, by_id: bool) -> Trees:
    """Return the nodes of each admin.Execution with the flow of its workflow: all of the top level, and of what is
    inside of them whole levels, as long as there are no more than `most` in all. Nodes are alike by their ids in the
    workflow, or by their names."""
    return await _Reading(client, runs, most, by_id=by_id).read()


class _Reading:
    def __init__(self, client: Client, runs: Sequence[tuple[Any, Flow]], most: int, *, by_id: bool) -> None:
        self._client, self._most, self._by_id = client, most, by_id
        self._ids = [identifiers.from_execution_identifier(execution.id) for execution, _ in runs]
        self._tops = [_Inside(at, "", (), (), flow, False) for at, (_, flow) in enumerate(runs)]
        self._runs: list[list[Row]] = [[] for _ in runs]
        self._waiting: deque[list[_Inside]] = deque()

    async def read(self) -> Trees:
        levels = await self._read(self._tops, None)
        self._take(self._tops, levels)
        room, asked, closed = self._most - (_size(levels) or 0), 0, 0
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            if room <= 0 or asked >= self._most:
                closed += len(some)
                continue
            asked += len(some)
            # Each may take all the room there is; the first come first.
            found = await asyncio.gather(*(self._read(sides, room) for sides in some))
            for sides, levels in zip(some, found, strict=True):
                size = _size(levels)
                if size is None or size > room:
                    closed += 1
                else:
                    room -= size
                    self._take(sides, levels)
        return Trees(self._runs, closed)

    async def _read(self, sides: Sequence[_Inside], most: int | None) -> list[_Level]:
        return await asyncio.gather(*(self._level(one, most) for one in sides))

    def _take(self, sides: Sequence[_Inside], levels: Sequence[_Level]) -> None:
        inner: dict[Key, list[_Inside]] = {}
        for side, level in zip(sides, levels, strict=True):
            for found in level or ():
                self._runs[side.run].append(found.row)
                if found.inner is not None:
                    inner.setdefault(found.row.key, []).append(found.inner)
        self._waiting.extend(inner.values())

    async def _level(self, inside: _Inside, most: int | None) -> _Level:
        """Return the nodes of one level in the order in which they were written; None where there are more than
        `most`."""
        nodes = await self._nodes(inside, most)
        if nodes is None:
            return None
        flow = inside.flow
        if flow is None:
            flow = await flows.known.of_dynamic(self._client, self._ids[inside.run], inside.node, ended=inside.ended)
        order = {spec: at for at, spec in enumerate(flow.parts)}
        times: Counter[str] = Counter()
        level = []
        for spec in sorted(nodes, key=lambda one: order.get(one, len(order))):
            part, node = flow.parts.get(spec), nodes[spec]
            name = part.name if part is not None else spec
            times[name] += 1
            row = Row((*inside.key, spec if self._by_id else f"{name}/{times[name]}"), name, inside.around, spec, node)
            below = part.inner if part is not None else None
            has_inner = below is not None or node.metadata.is_parent_node
            around, ended = (*row.around, name), node.closure.phase in TERMINAL_NODE
            inner = _Inside(inside.run, node.id.node_id, row.key, around, below, ended) if has_inner else None
            level.append(_Found(row, inner))
        return level

    async def _nodes(self, inside: _Inside, most: int | None) -> dict[str, Any] | None:
        """Return the nodes by their ids in the workflow; those of the last attempt of the node around them only."""
        if most is None:
            found = await self._client.list_nodes(self._ids[inside.run])
        else:
            request = node_execution_pb2.NodeExecutionListRequest(
                workflow_execution_id=identifiers.to_execution_identifier(self._ids[inside.run]),
                unique_parent_id=inside.node,
                limit=most + 3,  # First and last node are none to people.
            )
            answer = await self._client.call(self._client.admin.ListNodeExecutions, request)
            if answer.token:
                return None
            found = list(answer.node_executions)
        last = max((_round(node) for node in found), default=0)
        specs = {node.metadata.spec_node_id or node.id.node_id: node for node in found if _round(node) == last}
        return {spec: node for spec, node in specs.items() if spec not in (START_NODE, END_NODE)}


def _size(levels: Sequence[_Level]) -> int | None:
    """Return how many different nodes there are; None where one level has too many."""
    if any(level is None for level in levels):
        return None
    return len({found.row.key for level in levels for found in level or ()})


def _round(node: Any) -> int:
    return int(node.metadata.retry_group or 0)
