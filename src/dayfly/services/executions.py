"""Executions: creating, ending, archiving, reading them."""

from __future__ import annotations

from flyteidl.admin import common_pb2, execution_pb2
from flyteidl.core import literals_pb2

from dayfly.base import errors
from dayfly.base.clock import Clock
from dayfly.model import identifiers, layout
from dayfly.model.events import AbortRequested
from dayfly.model.phases import ExecutionPhase
from dayfly.ports.blobs import Blobs
from dayfly.ports.definitions import Filter
from dayfly.ports.runs import ExecutionRow, Runs
from dayfly.services import execution_spec, executions_found, identity, launching, naming, paging
from dayfly.services.execution_data import DataReader

MAX_LISTED_ERROR = 100
"""Characters of an error's message in a list; reading one execution gives the whole."""


class Executions:
    """CreateExecution and the other RPCs about one execution, ListExecutions."""

    def __init__(self, runs: Runs, blobs: Blobs, launcher: launching.Launcher, data: DataReader, now: Clock) -> None:
        self._runs = runs
        self._blobs = blobs
        self._launcher = launcher
        self._data = data
        self._clock = now

    async def create(self, request: execution_pb2.ExecutionCreateRequest) -> execution_pb2.ExecutionCreateResponse:
        """Launch what the spec names."""
        given = request.inputs if request.HasField("inputs") else request.spec.inputs
        created = await self._launcher.launch(request.project, request.domain, request.name, request.spec, given)
        return launching.to_response(created)

    async def relaunch(self, request: execution_pb2.ExecutionRelaunchRequest) -> execution_pb2.ExecutionCreateResponse:
        """Launch the same again with the inputs that the user gave then, so that new defaults apply."""
        original = await executions_found.get(self._runs, naming.execution(request.id))
        spec = execution_spec.again(original.spec, original.id, execution_pb2.ExecutionMetadata.RELAUNCH)
        spec.overwrite_cache = request.overwrite_cache
        return await self._launch_again(original, request.name, spec)

    async def recover(self, request: execution_pb2.ExecutionRecoverRequest) -> execution_pb2.ExecutionCreateResponse:
        """Launch the same again with the same inputs; what had succeeded is taken over and does not run."""
        original = await executions_found.get(self._runs, naming.execution(request.id))
        spec = execution_spec.again(original.spec, original.id, execution_pb2.ExecutionMetadata.RECOVERED)
        if request.metadata.HasField("parent_node_execution"):
            spec.metadata.parent_node_execution.CopyFrom(request.metadata.parent_node_execution)
        return await self._launch_again(original, request.name, spec)

    async def _launch_again(
        self, original: ExecutionRow, name: str, spec: execution_pb2.ExecutionSpec
    ) -> execution_pb2.ExecutionCreateResponse:
        uri = layout.user_inputs_uri(original.storage, original.id)
        raw = await self._blobs.find(uri)
        if raw is None:
            raise errors.FailedPrecondition(
                f"The inputs of execution {original.id} are gone from {uri}.", remedy="Create a new execution."
            )
        given = literals_pb2.LiteralMap.FromString(raw)
        created = await self._launcher.launch(original.id.project, original.id.domain, name, spec, given)
        return launching.to_response(created)

    async def get(self, request: execution_pb2.WorkflowExecutionGetRequest) -> execution_pb2.Execution:
        """Return one execution. NOT_FOUND."""
        return to_message(await executions_found.get(self._runs, naming.execution(request.id)))

    async def list(self, request: common_pb2.ResourceListRequest) -> execution_pb2.ExecutionList:
        """Return executions, newest first; archived ones only where a filter names `state`."""
        naming.path_part(request.id.project, "project")
        naming.path_part(request.id.domain, "domain")
        page = paging.read(request)
        if request.id.name:
            page = paging.narrowed(page, Filter("execution_name", "eq", (request.id.name,)))
        if not any(one.field.rpartition(".")[2] == "state" for one in page.filters):
            page = paging.narrowed(page, Filter("state", "eq", ("0",)))
        found = await self._runs.list_executions(request.id.project, request.id.domain, page)
        return execution_pb2.ExecutionList(
            executions=[_trimmed(to_message(row)) for row in found], token=paging.next_token(page, found)
        )

    async def terminate(
        self, request: execution_pb2.ExecutionTerminateRequest
    ) -> execution_pb2.ExecutionTerminateResponse:
        """Ask for the end of an execution; it shows ABORTING at once. NOT_FOUND, FAILED_PRECONDITION if ended."""
        asked = AbortRequested(at=self._clock.now(), cause=request.cause, principal=identity.ANONYMOUS)
        await self._runs.request_abort(
            naming.execution(request.id), asked, principal=asked.principal, cause=request.cause
        )
        return execution_pb2.ExecutionTerminateResponse()

    async def update(self, request: execution_pb2.ExecutionUpdateRequest) -> execution_pb2.ExecutionUpdateResponse:
        """Archive an execution or bring it back. NOT_FOUND."""
        if request.state not in execution_pb2.ExecutionState.values():
            raise errors.InvalidArgument(f"There is no execution state {request.state}.")
        await self._runs.set_archived(
            naming.execution(request.id),
            archived=request.state == execution_pb2.EXECUTION_ARCHIVED,
            principal=identity.ANONYMOUS,
            at=self._clock.now(),
        )
        return execution_pb2.ExecutionUpdateResponse()

    async def get_data(
        self, request: execution_pb2.WorkflowExecutionGetDataRequest
    ) -> execution_pb2.WorkflowExecutionGetDataResponse:
        """Return inputs and, once it succeeded, outputs. NOT_FOUND."""
        row = await executions_found.get(self._runs, naming.execution(request.id))
        succeeded = row.phase == ExecutionPhase.SUCCEEDED.name
        inputs, outputs = await self._data.read(
            layout.inputs_uri(row.storage, row.id),
            layout.execution_outputs_uri(row.storage, row.id) if succeeded else "",
        )
        return execution_pb2.WorkflowExecutionGetDataResponse(
            inputs=inputs.blob, outputs=outputs.blob, full_inputs=inputs.full, full_outputs=outputs.full
        )


def to_message(row: ExecutionRow) -> execution_pb2.Execution:
    """Convert to the message."""
    message = execution_pb2.Execution(
        id=identifiers.to_execution_identifier(row.id),
        spec=execution_pb2.ExecutionSpec.FromString(row.spec),
        closure=execution_pb2.ExecutionClosure.FromString(row.closure),
    )
    # Flyte settles at the launch who is told of the end, and shows it in both places.
    message.closure.notifications.extend(message.spec.notifications.notifications)
    return message


def _trimmed(message: execution_pb2.Execution) -> execution_pb2.Execution:
    error = message.closure.error
    if message.closure.HasField("error") and len(error.message) > MAX_LISTED_ERROR:
        error.message = error.message[:MAX_LISTED_ERROR] + "..."
    return message
