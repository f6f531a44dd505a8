"""Connectors that do nothing: tests say when each task is over. Served over gRPC, as real ones are."""

from __future__ import annotations

from types import TracebackType

import grpc
from flyteidl.admin import agent_pb2
from flyteidl.core import execution_pb2
from flyteidl.service import agent_pb2_grpc

_PHASE = execution_pb2.TaskExecution


class FakeConnectors(agent_pb2_grpc.AsyncAgentServiceServicer, agent_pb2_grpc.AgentMetadataServiceServicer):
    """One connector for one type of tasks, which run until `done` names them. It outlives the platform."""

    def __init__(self, task_type: str) -> None:
        self._task_type = task_type
        self.created: list[str] = []
        self.done: set[str] = set()
        self.deleted: list[str] = []
        """Tasks, by the address that their outputs go to."""
        self.address = ""

    async def __aenter__(self) -> FakeConnectors:
        self._server = grpc.aio.server()
        agent_pb2_grpc.add_AsyncAgentServiceServicer_to_server(self, self._server)
        agent_pb2_grpc.add_AgentMetadataServiceServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.stop(None)

    async def ListAgents(
        self, request: agent_pb2.ListAgentsRequest, context: grpc.aio.ServicerContext
    ) -> agent_pb2.ListAgentsResponse:
        category = agent_pb2.TaskCategory(name=self._task_type)
        return agent_pb2.ListAgentsResponse(agents=[agent_pb2.Agent(name="fake", supported_task_categories=[category])])

    async def CreateTask(
        self, request: agent_pb2.CreateTaskRequest, context: grpc.aio.ServicerContext
    ) -> agent_pb2.CreateTaskResponse:
        self.created.append(request.output_prefix)
        self.done.discard(request.output_prefix)
        return agent_pb2.CreateTaskResponse(resource_meta=request.output_prefix.encode())

    async def GetTask(
        self, request: agent_pb2.GetTaskRequest, context: grpc.aio.ServicerContext
    ) -> agent_pb2.GetTaskResponse:
        name = request.resource_meta.decode()
        phase = _PHASE.SUCCEEDED if name in self.done else _PHASE.RUNNING
        return agent_pb2.GetTaskResponse(resource=agent_pb2.Resource(phase=phase))

    async def DeleteTask(
        self, request: agent_pb2.DeleteTaskRequest, context: grpc.aio.ServicerContext
    ) -> agent_pb2.DeleteTaskResponse:
        self.deleted.append(request.resource_meta.decode())
        return agent_pb2.DeleteTaskResponse()
