"""Feeds the board of one page: what it shows at first, what has changed since, and what somebody wants to see of it.

Called by the run page. What it reads of nodes and flows is shared with all other pages of the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from flyteidl.core import execution_pb2 as phases_pb2

from dayfly.client import watching
from dayfly.console.run import board, elements, flows, history, layout, nodes
from dayfly.console.run.flows import Flow
from dayfly.console.run.history import Cell, Column
from dayfly.console.run.layout import Level
from dayfly.console.run.nodes import Nodes, State
from dayfly.console.site import View
from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_ATTEMPT, TERMINAL_EXECUTION

MOST_OPENED = 40
"""Nodes that are looked into for one that an address names."""

MOST_COMPARED = 1000
"""Nodes of a workflow whose other versions are read, to know which of their nodes stand for which of ours."""


async def begin(view: View, execution: Any, node: str) -> Feed:
    """Return the feed of an admin.Execution, with what is around the chosen node."""
    id = identifiers.from_execution_identifier(execution.id)
    found = nodes.shared(view.client, id, view.site.clock)
    known = bool(found.opened)
    workflow = identifiers.from_identifier(execution.closure.workflow_id)
    flow, columns, _ = await asyncio.gather(
        flows.known.of_workflow(view.client, workflow), history.read(view.client, execution), found.open("")
    )
    feed = Feed(view, id, execution, found, flow, columns)
    if known:  # Another page has read them, some time ago.
        await found.refresh(fully=feed.over)
    found.final = found.final or feed.over
    await feed.reveal(node)
    return feed


class Feed:
    """What one page's board knows."""

    def __init__(
        self, view: View, id: ExecutionId, execution: Any, found: Nodes, flow: Flow, columns: Sequence[Column]
    ) -> None:
        self.nodes, self.execution = found, execution
        self._view, self._id, self._columns = view, id, columns
        self._flows: dict[str, Flow] = {"": flow}
        self._told = 0
        self._base = execution.closure.created_at.ToMilliseconds()
        self._board: board.Board | None = None
        self._strips: dict[str, State] = {}
        """Maps whose elements were told, as the maps were then."""
        self._attempts: dict[str, State] = {}
        """Nodes whose attempts were told, likewise."""
        self._last: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Say whether the run has ended."""
        return self.execution.closure.phase in TERMINAL_EXECUTION

    def name_of(self, node: str) -> str:
        """Return what people call a node that may not have started yet: by its id, or its owner's and its own."""
        owner, _, spec = node.rpartition("/")
        part = self._flows.get(owner, flows.NOTHING).parts.get(spec)
        return part.name if part is not None else node

    def start(self, choice: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the board begins with; `choice` is what the address says."""
        return {
            **choice,
            "base": self._base,
            "title": self.execution.closure.workflow_id.name,
            "columns": [_column(one, self._id) for one in self._columns],
            "flows": {owner: board.named(flow) for owner, flow in self._flows.items()},
            **self._changes(),
        }

    def show(self, shown: board.Board) -> None:
        """Have a board on the page told from now on."""
        self._board = shown

    async def refresh(self, execution: Any) -> bool:
        """Tell what has changed, of the run at a later moment; return whether nothing will change any more."""
        self.execution = execution
        await self.nodes.refresh(fully=self.over)
        await self._learn_flows()
        self._tell_changes()
        for id, state in list(self._strips.items()):
            if self.nodes.states[id] != state or state.ended is None:
                await self._tell_strip(id)
        await self._tell_attempts([id for id, state in self._attempts.items() if self.nodes.states[id] != state])
        return self.over

    async def go_on(self) -> bool:
        """Tell what was read behind the first page; return whether that is all."""
        complete = self.nodes.complete
        self._tell_changes()
        return complete

    # -- what the browser asks for ------------------------------------------------------------------------------------
    async def unfold(self, id: str) -> None:
        """Tell what a node consists of."""
        state = self.nodes.states.get(id)
        if state is not None and state.kind == "map" and id not in self._strips:
            await self._tell_strip(id)
        await self._open(id)
        news = {"flows": {id: board.named(self._flows[id])}} if id in self._flows else {}
        self._tell({**news, **self._changes()})
        if self.over and not self.nodes.complete:
            await self.nodes.wait()
            self._tell(self._changes())

    async def see(self, view: str, ids: Mapping[str, Sequence[str]]) -> None:
        """Tell what is in sight beyond the nodes themselves: other runs' cells, attempts, elements of maps."""
        every = [id for some in ids.values() for id in some if id in self.nodes.states]
        maps = [id for id in every if self.nodes.states[id].kind == "map" and id not in self._strips]
        await asyncio.gather(*(self._tell_strip(id) for id in maps))
        if view == "timeline":
            await self._tell_attempts([id for id in every if id not in self._attempts])
            return
        found = await asyncio.gather(*(self._cells(parent, some) for parent, some in ids.items() if some))
        self._tell({"cells": [list(cell) for some in found for cell in some]})

    async def graph(self, unfolded: Sequence[str]) -> None:
        """Tell where boxes and lines are, with these nodes unfolded."""
        for id in unfolded:
            await self._open(id)
        level = self._level("", frozenset(unfolded))
        picture = await asyncio.to_thread(layout.arrange, level)
        self._tell(
            {
                "graph": board.drawn(picture),
                "flows": {id: board.named(self._flows[id]) for id in unfolded if id in self._flows},
                **self._changes(),
            }
        )

    async def reveal(self, node: str) -> None:
        """Read what is around a node, which may be deep inside of others."""
        wanted, looked = node.partition("#")[0], 0
        waiting = [""]
        while wanted and wanted not in self.nodes.states and wanted not in self._flows[""].parts and waiting:
            owner = waiting.pop(0)
            inner = [one for one in self.nodes.states.values() if one.parent == owner and self._has_inner(one)]
            # Ids begin with that of the node around them, unless they would be too long.
            inner.sort(key=lambda one: not wanted.startswith(f"{one.id}-"))
            for one in inner:
                looked += 1
                if looked > MOST_OPENED or wanted in self.nodes.states:
                    break
                await self._open(one.id)
                waiting.append(one.id)
        for owner in self._around(wanted):
            await self._open(owner)

    def _around(self, id: str) -> list[str]:
        """Return the nodes around one that was read, the outermost first."""
        found: list[str] = []
        while id in self.nodes.states and (id := self.nodes.states[id].parent):
            found.insert(0, id)
        return found

    async def _cells(self, parent: str, ids: Sequence[str]) -> list[Cell]:
        known = [id for id in ids if id in self.nodes.states]
        runs = [
            (at, one.id, await self._alike(one, known) if not parent else {id: id for id in known})
            for at, one in enumerate(self._columns)
            if one.id != self._id
        ]
        return await history.cells(self._view.client, runs, parent)

    async def _alike(self, column: Column, ids: Sequence[str]) -> dict[str, str]:
        """Return which top-level nodes of another run stand for which of ours."""
        workflow = identifiers.from_identifier(self.execution.closure.workflow_id)
        ours = self._flows[""]
        if column.version == workflow.version or len(ours.parts) > MOST_COMPARED:
            return {id: id for id in ids}
        other = msgspec.structs.replace(workflow, version=column.version)
        return history.alike(ours, await flows.known.of_workflow(self._view.client, other), ids)

    # -- reading and telling ------------------------------------------------------------------------------------------
    def _has_inner(self, state: State) -> bool:
        part = self._flows[state.parent].parts.get(state.spec) if state.parent in self._flows else None
        return state.kind in ("dynamic", "workflow") or (part is not None and part.inner is not None)

    async def _open(self, id: str) -> None:
        state = self.nodes.states.get(id)
        if state is None or not self._has_inner(state):
            return
        await asyncio.gather(self._learn_flow(state), self.nodes.open(id))

    async def _learn_flow(self, state: State) -> None:
        part = self._flows[state.parent].parts.get(state.spec) if state.parent in self._flows else None
        if part is not None and part.inner is not None:
            self._flows[state.id] = part.inner
        elif not self._flows.get(state.id, flows.NOTHING).parts:
            ended = state.ended is not None
            self._flows[state.id] = await flows.known.of_dynamic(self._view.client, self._id, state.id, ended=ended)

    async def _learn_flows(self) -> None:
        """Ask once more what dynamic nodes have made that had made nothing yet."""
        for id in [id for id, flow in self._flows.items() if id and not flow.parts]:
            await self._learn_flow(self.nodes.states[id])
            if self._flows[id].parts:
                self._tell({"flows": {id: board.named(self._flows[id])}})

    def _level(self, owner: str, unfolded: frozenset[str]) -> Level:
        flow, inner = self._flows[owner], {}
        for spec in flow.parts:
            state = self.nodes.find(owner, spec)
            if state is not None and state.id in unfolded and state.id in self._flows:
                inner[spec] = self._level(state.id, unfolded)
        return Level(flow, owner, inner)

    async def _tell_strip(self, id: str) -> None:
        self._strips[id] = self.nodes.states[id]
        found = await elements.read(self._view.client, self._id, id)
        self._tell({"elements": {id: [found.letters, {str(at): number for at, number in found.again.items()}]}})

    async def _tell_attempts(self, ids: Sequence[str]) -> None:
        tasks = [id for id in ids if not self._has_inner(self.nodes.states[id]) and self.nodes.states[id].kind != "map"]
        self._attempts.update((id, self.nodes.states[id]) for id in ids)
        found = await asyncio.gather(*(self._view.client.list_attempts(self._id, NodeId(id)) for id in tasks))
        several = {id: [_attempt(one) for one in some] for id, some in zip(tasks, found, strict=True) if len(some) > 1}
        if several:
            self._tell({"attempts": several})

    def _tell_changes(self) -> None:
        changes = self._changes()
        if changes != self._last:
            self._tell(changes)
        self._last = {**changes, "states": {}}

    def _changes(self) -> dict[str, Any]:
        changed, self._told = self.nodes.changed_since(self._told), self.nodes.version
        closure = self.execution.closure
        started, ended = watching.span(closure, self.over)
        return {
            "run": [
                phases_pb2.WorkflowExecution.Phase.Name(closure.phase),
                started // 1000 if started is not None else None,
                ended // 1000 if ended is not None else None,
            ],
            "states": board.packed(changed, self._base),
            "complete": self.nodes.complete,
        }

    def _tell(self, news: Mapping[str, Any]) -> None:
        if self._board is not None:
            self._board.tell(news)


def _column(one: Column, id: ExecutionId) -> list[Any]:
    return [one.id.name, one.phase, one.created, one.started, one.ended, one.version, one.href, int(one.id == id)]


def _attempt(one: Any) -> list[Any]:
    closure = one.closure
    started, ended = watching.span(closure, closure.phase in TERMINAL_ATTEMPT)
    return [
        one.id.retry_attempt,
        phases_pb2.TaskExecution.Phase.Name(closure.phase),
        closure.created_at.ToMilliseconds(),
        started // 1000 if started is not None else None,
        ended // 1000 if ended is not None else None,
    ]
