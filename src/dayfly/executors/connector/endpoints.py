"""Who knows a task type: endpoints that are named in the settings first, then the connectors' process of our own."""

from __future__ import annotations

import grpc
import msgspec
from flyteidl.admin import agent_pb2
from flyteidl.service import agent_pb2_grpc

from dayfly.base import errors, logs
from dayfly.executors.connector import hosting

OWN = ""
"""The address of our own process: it is another after each start."""

_log = logs.get("connectors")


class Endpoint(msgspec.Struct, frozen=True):
    """Where one task type is done."""

    address: str
    """`host:port`, or `OWN`."""
    is_sync: bool


class Endpoints:
    """All connectors, of which each task type has one."""

    def __init__(self, host: hosting.Host, addresses: tuple[str, ...], *, call_seconds: float) -> None:
        self._host, self._addresses, self._call_seconds = host, addresses, call_seconds
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._types: dict[str, Endpoint] = {}

    async def knows(self, task_type: str) -> bool:
        """Say whether a connector does tasks of this type."""
        return await self.find(task_type) is not None

    async def find(self, task_type: str) -> Endpoint | None:
        """Return where tasks of this type are done, None if nowhere. Endpoints that do not answer are told of."""
        if task_type not in self._types:
            for address in (*self._addresses, OWN):
                try:
                    await self._ask(address)
                except errors.ExecutorUnavailable as error:
                    _log.warning("connectors cannot be reached", address=address or "own process", error=str(error))
                if task_type in self._types:
                    break
        return self._types.get(task_type)

    async def channel(self, address: str) -> grpc.aio.Channel:
        """Return the channel to an endpoint. Raise `ExecutorUnavailable`."""
        if address == OWN:
            return await self._host.channel()
        if address not in self._channels:
            self._channels[address] = grpc.aio.insecure_channel(address)
        return self._channels[address]

    async def close(self) -> None:
        """Let go of all."""
        for channel in self._channels.values():
            await channel.close(None)
        await self._host.close()

    async def _ask(self, address: str) -> None:
        stub = agent_pb2_grpc.AgentMetadataServiceStub(await self.channel(address))
        try:
            told = await stub.ListAgents(agent_pb2.ListAgentsRequest(), timeout=self._call_seconds)
        except grpc.aio.AioRpcError as error:
            raise errors.ExecutorUnavailable(f"{error.code().name}: {error.details()}") from error
        for agent in told.agents:
            names = [category.name for category in agent.supported_task_categories] or agent.supported_task_types
            for name in names:
                self._types.setdefault(name, Endpoint(address, agent.is_sync))
