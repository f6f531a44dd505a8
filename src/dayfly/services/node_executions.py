"""Node executions: reading them."""

from __future__ import annotations

from flyteidl.admin import node_execution_pb2
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.ports.runs import NodeRow, Runs
from dayfly.services import flyte_urls, naming, paging
from dayfly.services.dynamic_workflows import DynamicWorkflows
from dayfly.services.execution_data import DataReader


class NodeExecutions:
    """GetNodeExecution, ListNodeExecutions, ListNodeExecutionsForTask, GetNodeExecutionData, GetDynamicNodeWorkflow."""

    def __init__(self, runs: Runs, data: DataReader, dynamic: DynamicWorkflows) -> None:
        self._runs = runs
        self._data = data
        self._dynamic = dynamic

    async def get(self, request: node_execution_pb2.NodeExecutionGetRequest) -> node_execution_pb2.NodeExecution:
        """Return one node execution. NOT_FOUND."""
        return to_message(await find(self._runs, request.id))

    async def list(self, request: node_execution_pb2.NodeExecutionListRequest) -> node_execution_pb2.NodeExecutionList:
        """Return top-level node executions, or the children of one; in the order they appeared."""
        execution = naming.execution(request.workflow_execution_id)
        page = paging.read(request, sort_key="")
        parent = NodeId(request.unique_parent_id) if request.unique_parent_id else None
        if parent is not None and await self._runs.find_node(execution, parent) is None:
            raise errors.NotFound(f"Execution {execution} has no node {parent!r}.")
        found = await self._runs.list_nodes(execution, parent, page)
        return node_execution_pb2.NodeExecutionList(
            node_executions=[to_message(row) for row in found], token=paging.next_token(page, found)
        )

    async def list_for_task(
        self, _: node_execution_pb2.NodeExecutionForTaskListRequest
    ) -> node_execution_pb2.NodeExecutionList:
        """Return nothing: only workflows of before 2020 had nodes below tasks."""
        return node_execution_pb2.NodeExecutionList()

    async def get_data(
        self, request: node_execution_pb2.NodeExecutionGetDataRequest
    ) -> node_execution_pb2.NodeExecutionGetDataResponse:
        """Return inputs and outputs of a node. NOT_FOUND."""
        row = await find(self._runs, request.id)
        closure = node_execution_pb2.NodeExecutionClosure.FromString(row.closure)
        inputs, outputs = await self._data.read(row.input_uri, closure.output_uri)
        made = await self._dynamic.find(row, closure)
        return node_execution_pb2.NodeExecutionGetDataResponse(
            dynamic_workflow=None
            if made is None
            else node_execution_pb2.DynamicWorkflowNodeMetadata(
                id=made.primary.template.id,
                compiled_workflow=made,
                dynamic_job_spec_uri=closure.dynamic_job_spec_uri,
            ),
            inputs=inputs.blob,
            outputs=outputs.blob,
            full_inputs=inputs.full,
            full_outputs=outputs.full,
            flyte_urls=flyte_urls.build(row.execution, row.node, deck=bool(closure.deck_uri)),
        )

    async def get_dynamic_workflow(
        self, request: node_execution_pb2.GetDynamicNodeWorkflowRequest
    ) -> node_execution_pb2.DynamicNodeWorkflowResponse:
        """Return what a dynamic node compiled at run time. NOT_FOUND for every other node."""
        row = await find(self._runs, request.id)
        closure = node_execution_pb2.NodeExecutionClosure.FromString(row.closure)
        made = await self._dynamic.find(row, closure)
        if made is None:
            raise errors.NotFound(
                f"Node {row.node!r} of execution {row.execution} is not a dynamic node, or has made no workflow yet."
            )
        return node_execution_pb2.DynamicNodeWorkflowResponse(compiled_workflow=made)


async def find(runs: Runs, message: identifier_pb2.NodeExecutionIdentifier) -> NodeRow:
    """Return the row of a node execution. Raise `NotFound`."""
    execution, node = read_id(message)
    row = await runs.find_node(execution, node)
    if row is None:
        raise errors.NotFound(f"Execution {execution} has no node {node!r}.")
    return row


def read_id(message: identifier_pb2.NodeExecutionIdentifier) -> tuple[ExecutionId, NodeId]:
    """Return execution and node, checked. Raise `InvalidArgument`."""
    what = "node id of the node execution identifier"
    node = naming.text(message.node_id, what)
    if not identifiers.is_node_id(node):
        raise errors.InvalidArgument(
            f"The {what}, {node[:80]!r}, is malformed.", remedy="Use letters, digits, dots, dashes and underscores."
        )
    return naming.execution(message.execution_id), NodeId(node)


def to_identifier(execution: ExecutionId, node: NodeId) -> identifier_pb2.NodeExecutionIdentifier:
    """Convert to the message."""
    return identifier_pb2.NodeExecutionIdentifier(
        node_id=node, execution_id=identifiers.to_execution_identifier(execution)
    )


def to_message(row: NodeRow) -> node_execution_pb2.NodeExecution:
    """Convert to the message."""
    return node_execution_pb2.NodeExecution(
        id=to_identifier(row.execution, row.node),
        input_uri=row.input_uri,
        closure=node_execution_pb2.NodeExecutionClosure.FromString(row.closure),
        metadata=node_execution_pb2.NodeExecutionMetaData.FromString(row.metadata),
    )
