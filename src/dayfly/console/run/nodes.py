"""The nodes of one run, as far as somebody has looked at them: small, shared by all pages of the run, kept up to date.

The first page of the top level is read at once, the others behind it, what is inside a node when it is unfolded. Later
only what changed since is asked for, never all nodes again, but once at the end.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from flyteidl.admin import node_execution_pb2
from flyteidl.core import catalog_pb2
from flyteidl.core import execution_pb2 as phases_pb2

from dayfly.base.clock import Clock
from dayfly.client import watching
from dayfly.client.connecting import Client
from dayfly.console import addresses
from dayfly.model import identifiers
from dayfly.model.identifiers import END_NODE, START_NODE, ExecutionId
from dayfly.model.phases import TERMINAL_NODE

PAGE = 1000
"""Nodes read at once."""

OVERLAP_SECONDS = 10
"""What changed so long before the newest change that was seen is asked for again: commits come in another order."""

OFTEN_SECONDS = 0.5
"""Several pages of one run ask once in this time, together."""

HITS = (catalog_pb2.CACHE_HIT,)


class State(NamedTuple):
    """How one node stands. Times are milliseconds since 1970."""

    id: str
    parent: str
    """Empty at the top."""
    spec: str
    """Its id in the workflow that it is part of."""
    phase: str
    created: int | None
    started: int | None
    ended: int | None
    hit: bool
    """Whether its outputs came from the cache."""
    kind: str
    """dynamic, map or workflow, where that is known from the run; else empty."""
    href: str
    """Page of the run that it has started; empty for nodes that start none."""


class Nodes:
    """The nodes of a run. `shared` makes them."""

    def __init__(self, client: Client, id: ExecutionId, clock: Clock) -> None:
        self.id = id
        self.version = 0
        """Goes up with each change."""
        self.states: dict[str, State] = {}
        self.opened: set[str] = set()
        """Parents whose nodes were read, or are being read."""
        self.final = False
        """Whether they were read after the run's end: nothing changes any more."""
        self._client, self._clock = client, clock
        self._changes: dict[str, int] = {}
        self._ids: dict[tuple[str, str], tuple[int, str]] = {}
        self._newest = 0
        self._asked = float("-inf")
        self._lock = asyncio.Lock()
        self._rest: dict[str, asyncio.Task[None]] = {}

    async def open(self, parent: str) -> None:
        """Read the first nodes below a parent, and go on with the others. Raise `NotFound`."""
        if parent in self.opened:
            return
        self.opened.add(parent)
        try:
            token = await self._read(parent, "", "")
        except BaseException:
            self.opened.discard(parent)
            raise
        if token:
            self._rest[parent] = asyncio.create_task(self._go_on(parent, token))

    def find(self, parent: str, spec: str) -> State | None:
        """Return the node of a flow below a parent, None where it has not started yet or is not read."""
        return self.states.get(self._ids.get((parent, spec), (0, ""))[1])

    @property
    def complete(self) -> bool:
        """Say whether all nodes of what is opened have been read."""
        return all(task.done() for task in self._rest.values())

    async def wait(self) -> None:
        """Return once all nodes of what is opened have been read. Raise where that failed."""
        await asyncio.gather(*self._rest.values())

    def changed_since(self, version: int) -> list[State]:
        """Return what changed after `version` of this."""
        # The newest changes are last; so this costs what it returns.
        found = []
        for id, at in reversed(self._changes.items()):
            if at <= version:
                break
            found.append(self.states[id])
        return found[::-1]

    async def refresh(self, *, fully: bool = False) -> None:
        """Read what changed; `fully` all there is, at the end of a run."""
        async with self._lock:
            now = self._clock.monotonic()
            if self.final or (not fully and now - self._asked < OFTEN_SECONDS):
                return
            self._asked = now
            since = "" if fully or not self._newest else f"gte(updated_at,{_moment(self._newest)})"
            await asyncio.gather(
                *(self._refresh(parent, since) for parent in sorted(self.opened) if self._moves(parent))
            )
            self.final = fully

    def _moves(self, parent: str) -> bool:
        """Say whether anything below a parent may change: not once it has ended and its end was seen."""
        state = self.states.get(parent)
        return state is None or state.ended is None or self._newest - state.ended < 2 * OVERLAP_SECONDS * 1000

    async def _refresh(self, parent: str, filters: str) -> None:
        rest = self._rest.get(parent)
        if rest is not None and rest.done() and rest.exception() is not None:
            filters = ""  # The server was lost meanwhile.
            del self._rest[parent]
        token = await self._read(parent, "", filters)
        while token:
            token = await self._read(parent, token, filters)

    async def _go_on(self, parent: str, token: str) -> None:
        while token:
            token = await self._read(parent, token, "")

    async def _read(self, parent: str, token: str, filters: str) -> str:
        request = node_execution_pb2.NodeExecutionListRequest(
            workflow_execution_id=identifiers.to_execution_identifier(self.id),
            unique_parent_id=parent,
            filters=filters,
            limit=PAGE,
            token=token,
        )
        answer = await self._client.call(self._client.admin.ListNodeExecutions, request)
        self._take(parent, answer.node_executions)
        return str(answer.token)

    def _take(self, parent: str, messages: Any) -> None:
        version = self.version + 1
        for message in messages:
            spec = message.metadata.spec_node_id or message.id.node_id
            if spec in (START_NODE, END_NODE):
                continue
            round = int(message.metadata.retry_group or 0)
            if round < self._ids.get((parent, spec), (0, ""))[0]:
                continue  # Of an earlier attempt of the node around it.
            self._ids[parent, spec] = round, message.id.node_id
            state = to_state(message, parent)
            self._newest = max(self._newest, message.closure.updated_at.ToMilliseconds())
            if self.states.get(state.id) != state:
                self.states[state.id] = state
                self._changes.pop(state.id, None)
                self._changes[state.id] = self.version = version


def to_state(message: Any, parent: str) -> State:
    """Return an admin.NodeExecution as the board has it."""
    closure, metadata = message.closure, message.metadata
    started, ended = watching.span(closure, closure.phase in TERMINAL_NODE)
    child = closure.workflow_node_metadata.executionId if closure.HasField("workflow_node_metadata") else None
    kind = "dynamic" if metadata.is_dynamic else "map" if metadata.is_array else ""
    return State(
        id=message.id.node_id,
        parent=parent,
        spec=metadata.spec_node_id or message.id.node_id,
        phase=phases_pb2.NodeExecution.Phase.Name(closure.phase),
        created=closure.created_at.ToMilliseconds() if closure.HasField("created_at") else None,
        started=started // 1000 if started is not None else None,
        ended=ended // 1000 if ended is not None else None,
        hit=closure.task_node_metadata.cache_status in HITS,
        kind=kind or ("workflow" if metadata.is_parent_node else ""),
        href=addresses.run(identifiers.from_execution_identifier(child)) if child is not None and child.name else "",
    )


_shared: WeakValueDictionary[tuple[str, ExecutionId], Nodes] = WeakValueDictionary()


def shared(client: Client, id: ExecutionId, clock: Clock) -> Nodes:
    """Return the nodes of a run; the same to all who hold them."""
    key = client.address, id
    found = _shared.get(key)
    if found is None:
        found = _shared[key] = Nodes(client, id, clock)
    return found


def _moment(milliseconds: int) -> str:
    seconds = milliseconds / 1000 - OVERLAP_SECONDS
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
