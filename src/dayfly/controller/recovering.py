"""Takes over what a node came to in the execution that is recovered: its outputs, or what there is to go on from.

Rules: flytepropeller/pkg/controller/nodes/executor.go (attemptRecovery) in flyteorg/flyte; beyond them, the elements of
arrays are taken over one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.admin import execution_pb2, node_execution_pb2

from dayfly.base import errors
from dayfly.model import events, identifiers, layout
from dayfly.model.phases import NodePhase
from dayfly.model.plan import NodeKind
from dayfly.ports.definitions import Page

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import NodeId
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.runs import ExecutionRow, NodeRow, Run, Runs

_DONE = (NodePhase.SUCCEEDED, NodePhase.RECOVERED)


class Recovering:
    """Looks into the execution that a run recovers."""

    def __init__(self, runs: Runs, blobs: Blobs, clock: Clock) -> None:
        self._runs, self._blobs, self._clock = runs, blobs, clock

    async def recover(self, run: Run, node: NodeId) -> events.Event:
        """Return `NodeRecovered` after storing inputs and outputs as the node's own, else `NothingRecovered`."""
        spec = execution_pb2.ExecutionSpec.FromString(run.spec)
        before = await self._runs.find_execution(
            identifiers.from_execution_identifier(spec.metadata.reference_execution)
        )
        if before is None:
            return events.NothingRecovered(self._clock.now(), node)
        if identifiers.parse_element(node) is not None:
            return await self._element(run, before, node)
        row = await self._runs.find_node(before.id, node)
        if row is None:
            return events.NothingRecovered(self._clock.now(), node)
        closure = node_execution_pb2.NodeExecutionClosure.FromString(row.closure)
        if closure.phase in _DONE and await self._take_over(run, node, row, closure):
            return events.NodeRecovered(self._clock.now(), node, has_deck=bool(closure.deck_uri))
        return await self._rest(run, before, node, closure)

    async def _element(self, run: Run, before: ExecutionRow, node: NodeId) -> events.Event:
        row = await self._runs.find_element(before.id, node)
        if row is None:
            return events.NothingRecovered(self._clock.now(), node)
        if row.ended and row.succeeded:
            source = layout.outputs_uri(before.storage, before.id, node, row.attempt)
            if await self._copy(source, layout.outputs_uri(run.storage, run.id, node)):
                return events.NodeRecovered(self._clock.now(), node)
        return events.NothingRecovered(self._clock.now(), node, _checkpoints(before, node, row.attempt))

    async def _take_over(
        self, run: Run, node: NodeId, row: NodeRow, closure: node_execution_pb2.NodeExecutionClosure
    ) -> bool:
        if not await self._copy(closure.output_uri, layout.outputs_uri(run.storage, run.id, node)):
            return False
        await self._copy(row.input_uri, layout.node_inputs_uri(run.storage, run.id, node))
        if closure.deck_uri:
            await self._copy(closure.deck_uri, f"{layout.output_prefix(run.storage, run.id, node, 0)}/deck.html")
        return True

    async def _rest(
        self, run: Run, before: ExecutionRow, node: NodeId, closure: node_execution_pb2.NodeExecutionClosure
    ) -> events.Event:
        """Return what a task that had not succeeded leaves to the next: checkpoints, or the nodes that it had made."""
        at = self._clock.now()
        if run.state.nodes[node].kind is not NodeKind.TASK:
            return events.NothingRecovered(at, node)
        page = Page(1, sort_key="retry_attempt", descending=True)
        attempts = await self._runs.list_attempts(before.id, node, page)
        last = attempts[0].attempt if attempts else 0
        if closure.dynamic_job_spec_uri:
            # The nodes it made have its attempt in their names, by which they are found again.
            grew = int(closure.dynamic_job_spec_uri.rsplit("/", 2)[-2])
            target = layout.futures_uri(run.storage, run.id, node, grew)
            if await self._copy(closure.dynamic_job_spec_uri, target):
                await self._copy(
                    layout.node_inputs_uri(before.storage, before.id, node),
                    layout.node_inputs_uri(run.storage, run.id, node),
                )
                return events.NothingRecovered(at, node, grew=grew)
        return events.NothingRecovered(at, node, _checkpoints(before, node, last) if attempts else "")

    async def _copy(self, source: str, target: str) -> bool:
        try:
            await self._blobs.copy(source, target)
        except errors.NotFound:
            return False
        return True


def _checkpoints(before: ExecutionRow, node: NodeId, attempt: int) -> str:
    spec = execution_pb2.ExecutionSpec.FromString(before.spec)
    prefix = spec.raw_output_data_config.output_location_prefix or f"{before.storage}/data"
    raw = layout.raw_output_prefix(layout.without_file_scheme(prefix), before.id, node, attempt)
    return f"{raw}/_flytecheckpoints"
