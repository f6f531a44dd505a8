"""Gates: what they sleep, wait or ask for, and what they let through.

Rules: flytepropeller/pkg/controller/nodes/gate/handler.go in flyteorg/flyte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.core import literals_pb2, types_pb2, workflow_pb2

from dayfly.base import errors
from dayfly.model import events, paths, placing

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.controller.resolving import Resolver
    from dayfly.model.identifiers import NodeId
    from dayfly.ports.runs import Run
    from dayfly.ports.signals import Signals

REJECTED = "ReceivedRejectSignal"
"""Code of a gate whose approval was refused."""


class Gates:
    """A `Kind`."""

    def __init__(self, resolver: Resolver, signals: Signals, clock: Clock) -> None:
        self._resolver, self._signals, self._clock = resolver, signals, clock

    async def prepare(self, run: Run, node: NodeId) -> events.Event:
        """Store the inputs and make the signal known; from now on clients can set it."""
        await self._resolver.store_inputs(run, node)
        gate = _gate(run, node)
        declared = gate.signal.type if gate.HasField("signal") else types_pb2.LiteralType(simple=types_pb2.BOOLEAN)
        name = placing.rules_of(run, node).signal
        await self._signals.get_or_create(run.id, name, declared.SerializeToString(deterministic=True))
        return events.GateOpened(self._clock.now(), node)

    async def outputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        """Return the signal's value, or what was approved. Raises `paths.BadPromise` for what was refused."""
        gate = _gate(run, node)
        if gate.HasField("sleep"):
            return literals_pb2.LiteralMap()
        value = await self._value(run, node)
        if gate.HasField("signal"):
            return literals_pb2.LiteralMap(literals={gate.signal.output_variable_name: value})
        if not value.scalar.primitive.boolean:
            name = placing.rules_of(run, node).signal
            raise paths.BadPromise(REJECTED, f"the approval {name!r} that node {node} waited for was refused")
        return await self._resolver.stored_inputs(run, node)

    async def _value(self, run: Run, node: NodeId) -> literals_pb2.Literal:
        name = placing.rules_of(run, node).signal
        found = await self._signals.find(run.id, name)
        if found is None or found.value is None:
            raise errors.StoreUnavailable(f"the value of signal {name!r} of execution {run.id} is not in the database.")
        return literals_pb2.Literal.FromString(found.value)


def _gate(run: Run, node: NodeId) -> workflow_pb2.GateNode:
    return workflow_pb2.Node.FromString(placing.rules_of(run, node).document).gate_node
