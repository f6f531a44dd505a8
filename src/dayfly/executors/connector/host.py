"""The process that hosts flytekit's connectors: serves their protocol on a socket until its standard input ends.

Started by `hosting`, with the socket's path and further modules to load as arguments. Whoever has started it holds the
other end of its input, so that it ends with its owner, however that ends.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import sys
from typing import Any


def main() -> None:
    """Serve."""
    sys.path.pop(0)  # this very folder, whose modules are not for anybody to import
    asyncio.run(_serve(sys.argv[1], sys.argv[2:]))


async def _serve(socket: str, modules: list[str]) -> None:
    import grpc
    from flyteidl.service import agent_pb2_grpc
    from flytekit.extend.backend import connector_service

    # flytekit itself loads every installed plugin; these it has on board.
    for module in ("flytekit.sensor.sensor_engine", "flytekit.extras.webhook", *modules):
        importlib.import_module(module)
    server: Any = grpc.aio.server()
    agent_pb2_grpc.add_AsyncAgentServiceServicer_to_server(connector_service.AsyncConnectorService(), server)
    agent_pb2_grpc.add_SyncAgentServiceServicer_to_server(connector_service.SyncConnectorService(), server)
    agent_pb2_grpc.add_AgentMetadataServiceServicer_to_server(connector_service.ConnectorMetadataService(), server)
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await server.stop(0)
    shutil.rmtree(os.path.dirname(socket), ignore_errors=True)
    os._exit(0)  # connectors may have left threads behind


if __name__ == "__main__":
    main()
