"""Branches: conditions over the node's inputs choose what runs, whose outputs are the node's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.core import workflow_pb2

from dayfly.model import conditions, events, placing

if TYPE_CHECKING:
    from flyteidl.core import literals_pb2

    from dayfly.base.clock import Clock
    from dayfly.controller.resolving import Resolver
    from dayfly.model.identifiers import NodeId
    from dayfly.ports.runs import Run


class Branches:
    """A `Kind`."""

    def __init__(self, resolver: Resolver, clock: Clock) -> None:
        self._resolver, self._clock = resolver, clock

    async def prepare(self, run: Run, node: NodeId) -> events.Event:
        """Store the inputs and choose. Raises `paths.BadPromise`."""
        inputs = await self._resolver.store_inputs(run, node, whole=True)
        branch = workflow_pb2.Node.FromString(placing.rules_of(run, node).document).branch_node
        return events.BranchChosen(self._clock.now(), node, conditions.choose(branch, inputs))

    async def outputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        """Return what the case gave."""
        chosen = run.state.nodes[node].chosen
        assert chosen is not None, f"branch {node} has chosen nothing"
        case = placing.rules_of(run, node).cases[chosen]
        return await self._resolver.outputs(run, placing.find_child(run, node, case.id))
