"""Where the time of an execution went: a tree of spans, from the times that executions, nodes and attempts carry.

Rules: flyteadmin/pkg/manager/impl/metrics_manager.go in flyteorg/flyte: into sub-workflows, branches, what dynamic
tasks made, and executions that launch plans made; the elements of an array have no spans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

MAX_DEPTH = 50
"""Levels that are gone into, whatever is asked for."""

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
        span = await self._execution(row, min(request.depth, MAX_DEPTH))
        return execution_pb2.WorkflowExecutionGetMetricsResponse(span=span)

    async def _execution(self, row: ExecutionRow, depth: int) -> Span:
        closure = execution_pb2.ExecutionClosure.FromString(row.closure)
        span = Span(start_time=closure.created_at, end_time=closure.updated_at)
        span.workflow_id.CopyFrom(identifiers.to_execution_identifier(row.id))
        if depth > 0:
            span.spans.extend(await self._inside(row, closure, depth - 1))
        return span

    async def _inside(self, row: ExecutionRow, closure: execution_pb2.ExecutionClosure, depth: int) -> list[Span]:
        rows = await self._runs.list_nodes(row.id, None, Page(MAX_NODES, sort_key=""))
        if not rows:
            return [_operation("WORKFLOW_SETUP", closure.created_at, closure.updated_at)]
        nodes = {one.spec_node_id: node_executions.to_message(one) for one in rows}
        spans = []
        if START_NODE in nodes:
            spans.append(_operation("WORKFLOW_SETUP", closure.created_at, nodes[START_NODE].closure.updated_at))
        spans += await self._nodes(rows, await self._upstream(closure.workflow_id), depth)
        last = max((node.closure.updated_at for node in nodes.values()), key=_order)
        return [*spans, _operation("WORKFLOW_TEARDOWN", last, closure.updated_at)]

    async def _nodes(self, rows: Sequence[NodeRow], upstream: Mapping[str, Sequence[str]], depth: int) -> list[Span]:
        """Return the spans of nodes side by side, and of the moves from one to the next."""
        nodes = {one.spec_node_id: node_executions.to_message(one) for one in rows}
        spans = []
        for one in rows:
            before = [nodes[name] for name in upstream.get(one.spec_node_id, ()) if name in nodes]
            if before:
                last = max((node.closure.updated_at for node in before), key=_order)
                spans.append(_operation("NODE_TRANSITION", last, nodes[one.spec_node_id].closure.created_at))
            if one.spec_node_id not in (START_NODE, END_NODE):
                spans.append(await self._node(one, nodes[one.spec_node_id], depth))
        return spans

    async def _node(self, row: NodeRow, node: node_execution_pb2.NodeExecution, depth: int) -> Span:
        span = Span(start_time=node.closure.created_at, end_time=node.closure.updated_at, node_id=node.id)
        if depth <= 0:
            return span
        rows = await self._runs.list_attempts(row.execution, row.node, Page(MAX_ATTEMPTS, sort_key=""))
        attempts = [task_executions.to_message(one) for one in rows]
        inside = await self._runs.list_nodes(row.execution, row.node, Page(MAX_NODES, sort_key=""))
        launched = node.closure.workflow_node_metadata if node.closure.HasField("workflow_node_metadata") else None
        if launched is not None:
            child = await self._runs.find_execution(identifiers.from_execution_identifier(launched.executionId))
            inner = [] if child is None else [await self._execution(child, depth - 1)]
            span.spans.extend(_around(node, inner))
        elif inside:
            span.spans.extend(_attempts(node, attempts, depth - 1)[:-1])
            # What one node made at run time is in no document here: its own nodes follow each other as they came.
            inner = await self._nodes(inside, {}, depth - 1)
            span.spans.extend(inner if attempts else _around(node, inner))
        elif attempts:
            span.spans.extend(_attempts(node, attempts, depth - 1))
        elif node.closure.HasField("started_at"):
            span.spans.append(_operation("NODE_IDLE", node.closure.created_at, node.closure.updated_at))
        return span

    async def _upstream(self, workflow: identifier_pb2.Identifier) -> dict[str, Sequence[str]]:
        found = await self._definitions.find(identifiers.from_identifier(workflow))
        if found is None:
            return {}
        primary = workflow_pb2.WorkflowClosure.FromString(found.document).compiled_workflow.primary
        return {name: tuple(ids.ids) for name, ids in primary.connections.upstream.items()}


def _around(node: node_execution_pb2.NodeExecution, inner: Sequence[Span]) -> list[Span]:
    """Return what is inside a node, with the time before and after it."""
    first = min((one.start_time for one in inner), key=_order, default=node.closure.updated_at)
    last = max((one.end_time for one in inner), key=_order, default=node.closure.updated_at)
    return [
        _operation("NODE_SETUP", node.closure.created_at, first),
        *inner,
        _operation("NODE_TEARDOWN", last, node.closure.updated_at),
    ]


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
