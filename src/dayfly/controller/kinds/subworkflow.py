"""Sub-workflows: their start node's outputs are the node's inputs, their end node's inputs its outputs.

What a dynamic task made ends like a sub-workflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.model import events, placing

if TYPE_CHECKING:
    from flyteidl.core import literals_pb2

    from dayfly.base.clock import Clock
    from dayfly.controller.resolving import Resolver
    from dayfly.model.identifiers import NodeId
    from dayfly.ports.runs import Run


class SubWorkflows:
    """A `Kind`."""

    def __init__(self, resolver: Resolver, clock: Clock) -> None:
        self._resolver, self._clock = resolver, clock

    async def prepare(self, run: Run, node: NodeId) -> events.Event:
        """Store the inputs that its first nodes begin with."""
        await self._resolver.store_inputs(run, node)
        return events.InputsPrepared(self._clock.now(), node)

    async def outputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        """Return what its end node is bound to."""
        return await self._resolver.resolve(run, node, placing.graph_of(run, node).end_document)
