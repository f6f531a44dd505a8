"""Signals to gate nodes. No gate node has run yet in any execution, so there is none to list or set."""

from __future__ import annotations

from flyteidl.admin import signal_pb2

from dayfly.base import errors
from dayfly.ports.runs import Runs
from dayfly.services import executions_found, naming, paging


class Signals:
    """ListSignals, SetSignal."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def list(self, request: signal_pb2.SignalListRequest) -> signal_pb2.SignalList:
        """Return the signals of an execution. NOT_FOUND for an unknown one."""
        await executions_found.get(self._runs, naming.execution(request.workflow_execution_id))
        paging.read(request)
        return signal_pb2.SignalList()

    async def set(self, request: signal_pb2.SignalSetRequest) -> signal_pb2.SignalSetResponse:
        """Refuse, as upstream does before the gate node started: INVALID_ARGUMENT, which clients take for "later"."""
        execution = naming.execution(request.id.execution_id)
        naming.text(request.id.signal_id, "signal id")
        raise errors.InvalidArgument(
            f"signal {request.id.signal_id!r} of execution {execution} does not exist.",
            remedy="It exists once the gate node that waits for it has started.",
        )
