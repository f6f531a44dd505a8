"""Task executions, one an attempt: reading them."""

from __future__ import annotations

from flyteidl.admin import task_execution_pb2
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.model import identifiers
from dayfly.ports.runs import AttemptRow, Runs
from dayfly.services import flyte_urls, naming, node_executions, paging
from dayfly.services.execution_data import DataReader

ARRAY_TYPE = "container_array"
"""Task type of what stands for all elements of an array."""


class TaskExecutions:
    """GetTaskExecution, ListTaskExecutions, GetTaskExecutionData."""

    def __init__(self, runs: Runs, data: DataReader) -> None:
        self._runs = runs
        self._data = data

    async def get(self, request: task_execution_pb2.TaskExecutionGetRequest) -> task_execution_pb2.TaskExecution:
        """Return one attempt. NOT_FOUND."""
        row = await self._find(request.id)
        return await self._with_elements(to_message(row), row)

    async def list(self, request: task_execution_pb2.TaskExecutionListRequest) -> task_execution_pb2.TaskExecutionList:
        """Return the attempts of a node, first one first."""
        execution, node = node_executions.read_id(request.node_execution_id)
        page = paging.read(request, sort_key="")
        found = await self._runs.list_attempts(execution, node, page)
        return task_execution_pb2.TaskExecutionList(
            task_executions=[await self._with_elements(to_message(row), row) for row in found],
            token=paging.next_token(page, found),
        )

    async def get_data(
        self, request: task_execution_pb2.TaskExecutionGetDataRequest
    ) -> task_execution_pb2.TaskExecutionGetDataResponse:
        """Return inputs and outputs of an attempt. NOT_FOUND."""
        row = await self._find(request.id)
        closure = task_execution_pb2.TaskExecutionClosure.FromString(row.closure)
        inputs, outputs = await self._data.read(row.input_uri, closure.output_uri)
        return task_execution_pb2.TaskExecutionGetDataResponse(
            inputs=inputs.blob,
            outputs=outputs.blob,
            full_inputs=inputs.full,
            full_outputs=outputs.full,
            flyte_urls=flyte_urls.build(row.execution, row.node, row.attempt),
        )

    async def _with_elements(
        self, message: task_execution_pb2.TaskExecution, row: AttemptRow
    ) -> task_execution_pb2.TaskExecution:
        """Add what the elements of an array came to: a map task is one task execution to clients."""
        if message.closure.task_type == ARRAY_TYPE:
            for element in await self._runs.list_elements(row.execution, row.node):
                message.closure.metadata.external_resources.add().MergeFromString(element.resource)
        return message

    async def _find(self, message: identifier_pb2.TaskExecutionIdentifier) -> AttemptRow:
        naming.entity(message.task_id, identifier_pb2.TASK)
        execution, node = node_executions.read_id(message.node_execution_id)
        row = await self._runs.find_attempt(execution, node, message.retry_attempt)
        if row is None:
            raise errors.NotFound(f"Node {node!r} of execution {execution} has no attempt {message.retry_attempt}.")
        return row


def to_message(row: AttemptRow) -> task_execution_pb2.TaskExecution:
    """Convert to the message."""
    return task_execution_pb2.TaskExecution(
        id=identifier_pb2.TaskExecutionIdentifier(
            task_id=identifiers.to_identifier(row.task),
            node_execution_id=node_executions.to_identifier(row.execution, row.node),
            retry_attempt=row.attempt,
        ),
        input_uri=row.input_uri,
        closure=task_execution_pb2.TaskExecutionClosure.FromString(row.closure),
    )
