"""What the operator asks the platform: which executions are under way, how each is, how far its nodes are.

The same calls that every client may make. Answers that hardly change are kept.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flyteidl.admin import common_pb2, workflow_pb2

from dayfly.base import errors
from dayfly.base.clock import SECOND
from dayfly.model import identifiers
from dayfly.model.identifiers import END_NODE, START_NODE, EntityId, ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, TERMINAL_NODE, ExecutionPhase
from dayfly.operator.summing import Nodes

if TYPE_CHECKING:
    from flyteidl.admin import execution_pb2
    from flyteidl.core import literals_pb2

    from dayfly.base.clock import Clock
    from dayfly.client.connecting import Client

PLACES_SECONDS = 30.0
"""How long the list of projects and domains holds."""

COUNT_SECONDS, SLOWEST_COUNT_SECONDS = 2.0, 60.0
"""How often the nodes of an execution are counted: from the one to the other, a twentieth of its age."""

AT_ONCE = 4
"""Lists that are asked for side by side."""

MAX_WORKFLOWS = 500
"""Of how many workflows the number of nodes is kept."""

_UNDER_WAY = ";".join(phase.name for phase in ExecutionPhase if phase not in TERMINAL_EXECUTION)
UNDER_WAY = f"value_in(phase,{_UNDER_WAY})+value_in(state,0;1)"
"""Archived or not."""

ENDED_NODES = f"value_in(phase,{';'.join(sorted(phase.name for phase in TERMINAL_NODE))})"


class Platform:
    """The platform, as the operator asks it. Raises what `client.Client` does."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client, self._clock = client, clock
        self._places: list[tuple[str, str]] = []
        self._places_until = 0.0
        self._counted_until: dict[ExecutionId, float] = {}
        self._totals: dict[EntityId, int] = {}

    async def places(self, *, anew: bool = False) -> list[tuple[str, str]]:
        """Return all projects with each of their domains, asked for `anew` or as they were a moment ago."""
        if anew or self._clock.monotonic() >= self._places_until:
            self._places = await self.client.list_places()
            self._places_until = self._clock.monotonic() + PLACES_SECONDS
        return self._places

    async def under_way(self) -> dict[ExecutionId, execution_pb2.Execution]:
        """Return all executions that have not ended."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def ask(project: str, domain: str) -> list[execution_pb2.Execution]:
            async with slots:
                return await self.client.list_executions_where(project, domain, UNDER_WAY)

        lists = await asyncio.gather(*(ask(*place) for place in await self.places()))
        told = {identifiers.from_execution_identifier(one.id): one for found in lists for one in found}
        self._counted_until = {one: until for one, until in self._counted_until.items() if one in told}
        return told

    async def find(self, execution: ExecutionId) -> execution_pb2.Execution | None:
        """Return an execution; None if there is none."""
        try:
            return await self.client.get_execution(execution)
        except (errors.NotFound, errors.InvalidArgument):  # the latter for what can be no execution's name
            return None

    async def count_nodes(self, message: execution_pb2.Execution, *, at_once: bool) -> Nodes | None:
        """Return how far the nodes of an execution's workflow are; None where that was asked a moment ago, for the
        execution's age, and need not be known `at_once`."""
        workflow = identifiers.from_identifier(message.closure.workflow_id)
        execution = identifiers.from_execution_identifier(message.id)
        now = self._clock.monotonic()
        if now < self._counted_until.get(execution, 0.0) and not at_once:
            return None
        age = (self._clock.now() - message.closure.created_at.ToMicroseconds()) / SECOND
        self._counted_until[execution] = now + min(max(age / 20, COUNT_SECONDS), SLOWEST_COUNT_SECONDS)
        ended = await self.client.list_nodes(execution, filters=ENDED_NODES)
        done = sum(one.id.node_id not in (START_NODE, END_NODE) for one in ended)
        return Nodes(done, max(done, await self._total(workflow)))

    async def outputs(self, execution: ExecutionId) -> literals_pb2.LiteralMap:
        """Return the outputs of an execution; empty where they are too large to be sent."""
        return (await self.client.get_execution_data(execution)).full_outputs

    async def _total(self, workflow: EntityId) -> int:
        """Return how many nodes a workflow has."""
        if workflow not in self._totals:
            request = common_pb2.ObjectGetRequest(id=identifiers.to_identifier(workflow))
            found: workflow_pb2.Workflow = await self.client.call(self.client.admin.GetWorkflow, request)
            nodes = found.closure.compiled_workflow.primary.template.nodes
            while len(self._totals) >= MAX_WORKFLOWS:
                del self._totals[next(iter(self._totals))]
            self._totals[workflow] = sum(node.id not in (START_NODE, END_NODE) for node in nodes)
        return self._totals[workflow]
