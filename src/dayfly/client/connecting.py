"""A connection to a server: typed calls, statuses turned back into `base.errors`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from flyteidl.admin import (
    common_pb2,
    execution_pb2,
    launch_plan_pb2,
    node_execution_pb2,
    project_pb2,
    task_execution_pb2,
    version_pb2,
)
from flyteidl.core import identifier_pb2, literals_pb2
from flyteidl.datacatalog import datacatalog_pb2_grpc
from flyteidl.service import admin_pb2_grpc, dataproxy_pb2_grpc, signal_pb2_grpc

from dayfly.base import errors
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId

CALL_SECONDS = 30.0
"""A call that takes longer has failed."""

PAGE = 500
"""Rows fetched at once where all are wanted."""

OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 32 * 1024),
)

ERRORS: dict[grpc.StatusCode, type[errors.DayflyError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidArgument,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: errors.FailedPrecondition,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.ResourceExhausted,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDenied,
}
"""All others are `PlatformError`."""


def open(address: str) -> Client:
    """Return a client for `host:port`, or `unix:/path` in the same machine. Close it, or use it in `async with`."""
    return Client(address)


class Client:
    """Calls to one server. Every method raises what `ERRORS` says, and `PlatformError` where nobody answers."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self.admin = admin_pb2_grpc.AdminServiceStub(self._channel)
        """Raw stubs, to be used with `call`."""
        self.dataproxy = dataproxy_pb2_grpc.DataProxyServiceStub(self._channel)
        self.signals = signal_pb2_grpc.SignalServiceStub(self._channel)
        self.catalog = datacatalog_pb2_grpc.DataCatalogStub(self._channel)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection."""
        await self._channel.close(None)

    async def wait_until_connected(self, seconds: float) -> None:
        """Return once the server answers. Raise `PlatformError` after `seconds`."""
        try:
            await asyncio.wait_for(self._channel.channel_ready(), seconds)
        except (asyncio.TimeoutError, TimeoutError) as error:
            raise errors.PlatformError(
                f"No server answers at {self.address}.", remedy="Start one with `dayfly up`, or name another address."
            ) from error

    async def call(self, method: Any, request: Any, *, seconds: float = CALL_SECONDS) -> Any:
        """Call one stub method."""
        try:
            return await method(request, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error

    # -- what the CLI and the console need ------------------------------------------------------------------------
    async def get_version(self) -> str:
        """Return the server's version."""
        answer = await self.call(self.admin.GetVersion, version_pb2.GetVersionRequest())
        return str(answer.control_plane_version.Version)

    async def get_execution(self, execution: ExecutionId) -> execution_pb2.Execution:
        """Return one execution."""
        request = execution_pb2.WorkflowExecutionGetRequest(id=identifiers.to_execution_identifier(execution))
        return await self.call(self.admin.GetExecution, request)

    async def get_execution_data(self, execution: ExecutionId) -> execution_pb2.WorkflowExecutionGetDataResponse:
        """Return inputs and outputs."""
        request = execution_pb2.WorkflowExecutionGetDataRequest(id=identifiers.to_execution_identifier(execution))
        return await self.call(self.admin.GetExecutionData, request)

    async def create_execution(
        self,
        project: str,
        domain: str,
        target: EntityId,
        inputs: literals_pb2.LiteralMap,
        *,
        name: str = "",
        spec: execution_pb2.ExecutionSpec | None = None,
    ) -> ExecutionId:
        """Launch a launch plan or a task; `spec` may say more."""
        asked = execution_pb2.ExecutionSpec()
        if spec is not None:
            asked.CopyFrom(spec)
        asked.launch_plan.CopyFrom(identifiers.to_identifier(target))
        request = execution_pb2.ExecutionCreateRequest(
            project=project, domain=domain, name=name, spec=asked, inputs=inputs
        )
        answer = await self.call(self.admin.CreateExecution, request)
        return identifiers.from_execution_identifier(answer.id)

    async def terminate_execution(self, execution: ExecutionId, cause: str) -> None:
        """Ask for the end of an execution."""
        request = execution_pb2.ExecutionTerminateRequest(
            id=identifiers.to_execution_identifier(execution), cause=cause
        )
        await self.call(self.admin.TerminateExecution, request)

    async def list_executions(self, project: str, domain: str, *, limit: int = 20) -> list[execution_pb2.Execution]:
        """Return the newest executions."""
        request = common_pb2.ResourceListRequest(id={"project": project, "domain": domain}, limit=limit)
        return list((await self.call(self.admin.ListExecutions, request)).executions)

    async def list_executions_where(self, project: str, domain: str, filters: str) -> list[execution_pb2.Execution]:
        """Return all executions that meet conditions in Flyte's filter language; errors are cut short in lists."""
        request = common_pb2.ResourceListRequest(id={"project": project, "domain": domain}, filters=filters)
        return [one async for one in self._all(self.admin.ListExecutions, request, "executions")]

    async def list_places(self) -> list[tuple[str, str]]:
        """Return all projects with each of their domains."""
        request = project_pb2.ProjectListRequest()
        found = [one async for one in self._all(self.admin.ListProjects, request, "projects")]
        return [(project.id, domain.id) for project in found for domain in project.domains]

    async def get_launch_plan(self, project: str, domain: str, name: str, version: str) -> launch_plan_pb2.LaunchPlan:
        """Return a launch plan; without a version the active one, else the one that was registered last."""
        if version:
            told = EntityId(identifier_pb2.LAUNCH_PLAN, project, domain, name, version)
            one = common_pb2.ObjectGetRequest(id=identifiers.to_identifier(told))
            return await self.call(self.admin.GetLaunchPlan, one)
        named = common_pb2.NamedEntityIdentifier(project=project, domain=domain, name=name)
        try:
            return await self.call(self.admin.GetActiveLaunchPlan, launch_plan_pb2.ActiveLaunchPlanRequest(id=named))
        except errors.NotFound:
            newest = common_pb2.ResourceListRequest(id=named, limit=1)
            found = (await self.call(self.admin.ListLaunchPlans, newest)).launch_plans
            if not found:
                raise
            return found[0]

    async def list_nodes(self, execution: ExecutionId, parent: NodeId | None = None, *, filters: str = "") -> list[Any]:
        """Return all node executions directly below `parent`, top-level ones for None."""
        request = node_execution_pb2.NodeExecutionListRequest(
            workflow_execution_id=identifiers.to_execution_identifier(execution),
            unique_parent_id=parent or "",
            filters=filters,
        )
        return [one async for one in self._all(self.admin.ListNodeExecutions, request, "node_executions")]

    async def list_attempts(self, execution: ExecutionId, node: NodeId) -> list[Any]:
        """Return all task executions of a node, first attempt first."""
        request = task_execution_pb2.TaskExecutionListRequest(
            node_execution_id=identifier_pb2.NodeExecutionIdentifier(
                node_id=node, execution_id=identifiers.to_execution_identifier(execution)
            )
        )
        return [one async for one in self._all(self.admin.ListTaskExecutions, request, "task_executions")]

    async def _all(self, method: Any, request: Any, field: str) -> AsyncIterator[Any]:
        request.limit = PAGE
        while True:
            answer = await self.call(method, request)
            for one in getattr(answer, field):
                yield one
            if not answer.token:
                return
            request.token = answer.token

    def _translated(self, error: grpc.aio.AioRpcError) -> errors.DayflyError:
        told = error.details() or error.code().name
        if error.code() == grpc.StatusCode.UNAVAILABLE and "failed to connect" in told.lower():
            return errors.PlatformError(
                f"No server answers at {self.address}.", remedy="Start one with `dayfly up`, or name another address."
            )
        return ERRORS.get(error.code(), errors.PlatformError)(told)
