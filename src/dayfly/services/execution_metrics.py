"""Where the time of an execution went: a tree of spans, from the times that executions, nodes and attempts carry.

Rules: flyteadmin/pkg/manager/impl/metrics_manager.go in flyteorg/flyte. Nodes of the top level and their attempts;
there are no nested ones to go into yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, metrics_pb2
from google.protobuf import timestamp_pb2

from dayfly.model import identifiers
from dayfly.model.identifiers import END_NODE, START_NODE
from dayfly.ports.definitions import Definitions, Page
from dayfly.ports.runs import ExecutionRow, NodeRow, Runs
from dayfly.services import executions_found, naming, node_executions, task_executions

MAX_NODES = 10_000
MAX_ATTEMPTS = 100

Span: TypeAlias = metrics_pb2.Span
Timestamp: TypeAlias = timestamp_pb2.Timestamp


class ExecutionMetrics:
    """GetExecutionMetrics."""

    def __init__(self, runs: Runs, definitions: Definitions) -> None:
        self._runs = runs
        self._definitions = definitions

    async def get(
        self, request: execution_pb2.WorkflowExecutionGetMetricsRequest
    ) -> execution_pb2.WorkflowExecutionGetMetricsResponse:
        """Return the span tree down to `depth` levels. NOT_FOUND."""
        row = await executions_found.get(self._runs, naming.execution(request.id))
        closure = execution_pb2.ExecutionClosure.FromString(row.closure)
        span = Span(start_time=closure.created_at, end_time=closure.updated_at)
        span.workflow_id.CopyFrom(identifiers.to_execution_identifier(row.id))
        if request.depth > 0:
            span.spans.extend(await self._inside(row, closure, request.depth - 1))
        return execution_pb2.WorkflowExecutionGetMetricsResponse(span=span)

    async def _inside(self, row: ExecutionRow, closure: execution_pb2.ExecutionClosure, depth: int) -> list[Span]:
        rows = await self._runs.list_nodes(row.id, None, Page(MAX_NODES, sort_key=""))
        if not rows:
            return [_operation("WORKFLOW_SETUP", closure.created_at, closure.updated_at)]
        nodes = {one.spec_node_id: node_executions.to_message(one) for one in rows}
        spans = []
        if START_NODE in nodes:
            spans.append(_operation("WORKFLOW_SETUP", closure.created_at, nodes[START_NODE].closure.updated_at))
        upstream = await self._upstream(closure.workflow_id)
        for one in rows:
            before = [nodes[name] for name in upstream.get(one.spec_node_id, ()) if name in nodes]
            if before:
                last = max((node.closure.updated_at for node in before), key=_order)
                spans.append(_operation("NODE_TRANSITION", last, nodes[one.spec_node_id].closure.created_at))
            if one.spec_node_id not in (START_NODE, END_NODE):
                spans.append(await self._node(one, nodes[one.spec_node_id], depth))
        last = max((node.closure.updated_at for node in nodes.values()), key=_order)
        return [*spans, _operation("WORKFLOW_TEARDOWN", last, closure.updated_at)]

    async def _node(self, row: NodeRow, node: node_execution_pb2.NodeExecution, depth: int) -> Span:
        span = Span(start_time=node.closure.created_at, end_time=node.closure.updated_at, node_id=node.id)
        if depth <= 0:
            return span
        page = Page(MAX_ATTEMPTS, sort_key="")
        rows = await self._runs.list_attempts(row.execution, row.node, page)
        span.spans.extend(_attempts(node, [task_executions.to_message(one) for one in rows], depth - 1))
        return span

    async def _upstream(self, workflow: identifier_pb2.Identifier) -> dict[str, Sequence[str]]:
        found = await self._definitions.find(identifiers.from_identifier(workflow))
        if found is None:
            return {}
        primary = workflow_pb2.WorkflowClosure.FromString(found.document).compiled_workflow.primary
        return {name: tuple(ids.ids) for name, ids in primary.connections.upstream.items()}


def _attempts(
    node: node_execution_pb2.NodeExecution, attempts: Sequence[task_execution_pb2.TaskExecution], depth: int
) -> list[Span]:
    spans = []
    before, operation = node.closure.created_at, "NODE_SETUP"
    for attempt in attempts:
        spans.append(_operation(operation, before, attempt.closure.created_at))
        spans.append(_attempt(attempt, depth))
        before, operation = attempt.closure.updated_at, "NODE_RESET"
    if attempts:
        spans.append(_operation("NODE_TEARDOWN", before, node.closure.updated_at))
    return spans


def _attempt(attempt: task_execution_pb2.TaskExecution, depth: int) -> Span:
    closure = attempt.closure
    span = Span(start_time=closure.created_at, end_time=closure.updated_at, task_id=attempt.id)
    if depth < 0:
        return span
    if not closure.HasField("started_at"):
        span.spans.append(_operation("TASK_SETUP", closure.created_at, closure.updated_at))
        return span
    span.spans.append(_operation("TASK_SETUP", closure.created_at, closure.started_at))
    ended = Timestamp()
    ended.FromNanoseconds(closure.started_at.ToNanoseconds() + closure.duration.ToNanoseconds())
    if not closure.duration.ToNanoseconds():
        ended = closure.updated_at
    span.spans.append(_operation("TASK_RUNTIME", closure.started_at, ended))
    if _order(ended) < _order(closure.updated_at):
        span.spans.append(_operation("TASK_TEARDOWN", ended, closure.updated_at))
    return span


def _operation(name: str, start: Timestamp, end: Timestamp) -> Span:
    return Span(operation_id=name, start_time=start, end_time=end)


def _order(at: Timestamp) -> int:
    return int(at.ToNanoseconds())
