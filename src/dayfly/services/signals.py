"""Signals: what gate nodes wait for, and how people give it.

Source: flyteadmin/pkg/manager/impl/signal_manager.go in flyteorg/flyte.
"""

from __future__ import annotations

from flyteidl.admin import signal_pb2
from flyteidl.core import identifier_pb2, literals_pb2, types_pb2

from dayfly.base import errors
from dayfly.base.clock import Clock
from dayfly.model import identifiers, literals
from dayfly.model.events import SignalSet
from dayfly.ports import signals as ports
from dayfly.ports.runs import Runs
from dayfly.services import executions_found, naming, paging


class Signals:
    """GetOrCreateSignal, ListSignals, SetSignal."""

    def __init__(self, runs: Runs, signals: ports.Signals, now: Clock) -> None:
        self._runs = runs
        self._signals = signals
        self._clock = now

    async def get_or_create(self, request: signal_pb2.SignalGetOrCreateRequest) -> signal_pb2.Signal:
        """Return the signal, made if there was none. NOT_FOUND for an unknown execution."""
        execution = naming.execution(request.id.execution_id)
        signal = naming.text(request.id.signal_id, "signal id")
        if request.type.WhichOneof("type") is None:
            raise errors.InvalidArgument(f"The signal {signal!r} has no type.")
        declared = request.type.SerializeToString(deterministic=True)
        return to_message(await self._signals.get_or_create(execution, signal, declared))

    async def list(self, request: signal_pb2.SignalListRequest) -> signal_pb2.SignalList:
        """Return the signals of an execution, in the order they came up. NOT_FOUND for an unknown one."""
        execution = naming.execution(request.workflow_execution_id)
        await executions_found.get(self._runs, execution)
        page = paging.read(request, sort_key="")
        found = await self._signals.list(execution, page)
        return signal_pb2.SignalList(signals=[to_message(one) for one in found], token=paging.next_token(page, found))

    async def set(self, request: signal_pb2.SignalSetRequest) -> signal_pb2.SignalSetResponse:
        """Give the value that a gate waits for. INVALID_ARGUMENT while none does, which clients take for "later", and
        for a value of another type."""
        execution = naming.execution(request.id.execution_id)
        name = naming.text(request.id.signal_id, "signal id")
        signal = await self._signals.find(execution, name)
        if signal is None:
            raise errors.InvalidArgument(
                f"signal {name!r} of execution {execution} does not exist.",
                remedy="It exists once the gate node that waits for it has started.",
            )
        wrong = literals.mismatch(request.value, types_pb2.LiteralType.FromString(signal.type))
        if wrong:
            raise errors.InvalidArgument(f"signal {name!r} of execution {execution} has the wrong type: {wrong}.")
        event = SignalSet(at=self._clock.now(), signal_id=name)
        await self._signals.set(execution, name, request.value.SerializeToString(deterministic=True), event)
        return signal_pb2.SignalSetResponse()


def to_message(signal: ports.Signal) -> signal_pb2.Signal:
    """Convert to the message."""
    return signal_pb2.Signal(
        id=identifier_pb2.SignalIdentifier(
            signal_id=signal.id, execution_id=identifiers.to_execution_identifier(signal.execution)
        ),
        type=types_pb2.LiteralType.FromString(signal.type),
        value=literals_pb2.Literal.FromString(signal.value) if signal.value is not None else None,
    )
