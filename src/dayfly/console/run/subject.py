"""What the right side of the run page is about: a run, and the chosen node and attempt in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flyteidl.admin import node_execution_pb2, signal_pb2
from flyteidl.core import execution_pb2 as phases_pb2

from dayfly.console.run import element_subjects
from dayfly.console.site import View
from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId, NodeId

MOST_SIGNALS = 200
"""Signals of one run that are shown."""


@dataclass(frozen=True)
class Choice:
    """What the address says is chosen; empty for the run itself."""

    node: str = ""
    attempt: int | None = None
    """None for the last one."""


def choice(asked: Mapping[str, str]) -> Choice:
    """Return what a query says is chosen; the last attempt where it names none that can be."""
    told = asked.get("attempt", "")
    return Choice(asked.get("node", ""), int(told) if element_subjects.is_number(told) else None)


@dataclass(frozen=True)
class Subject:
    """A run at one moment, with what is chosen. Messages are the API's, flyteidl.admin."""

    view: View
    id: ExecutionId
    execution: Any
    """admin.Execution"""
    node: Any = None
    """admin.NodeExecution; None for the run itself."""
    attempts: tuple[Any, ...] = ()
    """admin.TaskExecution, the first attempt first; empty for nodes that run no task."""
    attempt: Any = None
    """The one that is chosen, the last one if none is; None where there is none."""
    signals: tuple[Any, ...] = ()
    """admin.Signal: what the run's gates wait for or have got, in the order they came up."""

    @property
    def phase(self) -> str:
        """Return the name of the phase of what is chosen."""
        if self.node is not None:
            return str(phases_pb2.NodeExecution.Phase.Name(self.node.closure.phase))
        return str(phases_pb2.WorkflowExecution.Phase.Name(self.execution.closure.phase))

    @property
    def array(self) -> str:
        """Return the id of the map task that what is chosen is an element of; empty for all else."""
        array, sign, _ = ("" if self.node is None else self.node.id.node_id).partition("#")
        return str(array) if sign else ""

    @property
    def attempt_path(self) -> str:
        """Return the path of the attempt in Dayfly's own HTTP API, below its prefix: docs/http-api.md."""
        id, at = self.id, self.attempt.id
        node = quote(at.node_execution_id.node_id, safe="")
        return f"/executions/{id.project}/{id.domain}/{id.name}/nodes/{node}/attempts/{at.retry_attempt}"


async def read(view: View, id: ExecutionId, choice: Choice) -> Subject:
    """Return what is chosen as it is now. Raise `NotFound`."""
    if not choice.node:
        whole, signals = await asyncio.gather(view.client.get_execution(id), list_signals(view, id))
        return Subject(view, id, whole, signals=signals)
    of = choice.node.partition("#")[0]  # Of an element of a map task: the whole map.
    request = node_execution_pb2.NodeExecutionGetRequest(
        id={"node_id": of, "execution_id": identifiers.to_execution_identifier(id)}
    )
    execution, node, attempts, signals = await asyncio.gather(
        view.client.get_execution(id),
        view.client.call(view.client.admin.GetNodeExecution, request),
        view.client.list_attempts(id, NodeId(of)),
        list_signals(view, id),
    )
    if of != choice.node:
        node, attempts = element_subjects.build(choice.node, node, attempts)
    numbered = {one.id.retry_attempt: one for one in attempts}
    last = attempts[-1] if attempts else None
    chosen = last if choice.attempt is None else numbered.get(choice.attempt, last)
    return Subject(view, id, execution, node, tuple(attempts), chosen, signals)


async def list_signals(view: View, id: ExecutionId) -> tuple[Any, ...]:
    """Return what the run's gates wait for or have got."""
    request = signal_pb2.SignalListRequest(
        workflow_execution_id=identifiers.to_execution_identifier(id), limit=MOST_SIGNALS
    )
    return tuple((await view.client.call(view.client.signals.ListSignals, request)).signals)
