"""All attempts of an execution, wherever they are: in sub-workflows, in what dynamic tasks made, in elements of arrays.

Executions that launch plans' nodes made are others. What has ended is not asked for again by the same `Walk`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec

from dayfly.client.connecting import Client
from dayfly.client.watching import LogView
from dayfly.model import identifiers
from dayfly.model.identifiers import END_NODE, START_NODE, AttemptKey, ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_EXECUTION, TERMINAL_NODE, ExecutionPhase, NodePhase


class FoundAttempt(msgspec.Struct, frozen=True):
    """One attempt, and where it is."""

    key: AttemptKey
    node: NodeId
    number: int
    name: str
    """The task's name without its module."""
    inside: tuple[str, ...]
    """By what people may call it: id and name of the node and of all nodes that it is inside of."""
    links: tuple[LogView, ...]


class Walk:
    """Walks through one execution, again and again while it runs."""

    def __init__(self, client: Client, execution: ExecutionId) -> None:
        self._client, self._execution = client, execution
        self._over: dict[NodeId, list[FoundAttempt]] = {}

    async def look(self) -> tuple[list[FoundAttempt], bool]:
        """Return all attempts so far, and whether none will be added. Raise `NotFound`."""
        # The execution first: what it shows as ended, its nodes show as ended too.
        execution = await self._client.get_execution(self._execution)
        ended = ExecutionPhase(execution.closure.phase) in TERMINAL_EXECUTION
        return await self._inside(None, ()), ended

    async def _inside(self, parent: NodeId | None, inside: tuple[str, ...]) -> list[FoundAttempt]:
        rows = await self._client.list_nodes(self._execution, parent)
        found = await asyncio.gather(
            *(self._node(row, inside) for row in rows if row.id.node_id not in (START_NODE, END_NODE))
        )
        return [one for several in found for one in several]

    async def _node(self, row: Any, inside: tuple[str, ...]) -> list[FoundAttempt]:
        node = NodeId(row.id.node_id)
        if node in self._over:
            return self._over[node]
        attempts = await self._client.list_attempts(self._execution, node)
        name = attempts[-1].id.task_id.name.rsplit(".", 1)[-1] if attempts else row.metadata.spec_node_id
        inside = (*inside, node, name)
        found = [one for attempt in attempts for one in self._attempts(attempt, node, name, inside)]
        if row.metadata.is_parent_node or not attempts:
            found += await self._inside(node, inside)
        if NodePhase(row.closure.phase) in TERMINAL_NODE:
            self._over[node] = found
        return found

    def _attempts(self, row: Any, node: NodeId, name: str, inside: tuple[str, ...]) -> Iterator[FoundAttempt]:
        """Yield the attempt, or where it stands for an array those of its elements."""
        if not row.closure.metadata.external_resources:
            yield self._found(node, row.id.retry_attempt, name, inside, row.closure.logs)
            return
        for element in row.closure.metadata.external_resources:
            if element.logs:
                one = identifiers.element_id(node, element.index)
                yield self._found(one, element.retry_attempt, name, (*inside, one), element.logs)

    def _found(self, node: NodeId, number: int, name: str, inside: tuple[str, ...], logs: Any) -> FoundAttempt:
        links = tuple(LogView(log.name, log.uri) for log in logs)
        return FoundAttempt(identifiers.attempt_key(self._execution, node, number), node, number, name, inside, links)
