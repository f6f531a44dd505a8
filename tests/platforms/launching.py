"""Launch registered launch plans on a test server and wait for them, without flytekit in between."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from flyteidl.core import identifier_pb2, literals_pb2

from dayfly.base import errors
from dayfly.client import connecting, watching
from dayfly.model import plain_values
from dayfly.model.identifiers import EntityId, ExecutionId
from tests.platforms.server import Server

PROJECT, DOMAIN, VERSION = "flytesnacks", "development", "v1"

PATIENCE_SECONDS = float(os.environ.get("DAYFLY_TEST_PATIENCE_SECONDS", "60"))
"""How long is waited for what takes a moment. On a real Kubernetes more: the Dask operator tries again after 60 s where
a connection was lost, and an old kubelet takes 90 s to end a pod that is deleted while its container starts."""


def launch(server: Server, workflow: str, **inputs: str) -> ExecutionId:
    """Create an execution of a launch plan, whose inputs are all texts."""
    return _launch(server, EntityId(identifier_pb2.LAUNCH_PLAN, PROJECT, DOMAIN, workflow, VERSION), inputs)


def launch_task(server: Server, task: str, **inputs: str) -> ExecutionId:
    """Create an execution of one task, whose inputs are all texts."""
    return _launch(server, EntityId(identifier_pb2.TASK, PROJECT, DOMAIN, task, VERSION), inputs)


def _launch(server: Server, target: EntityId, inputs: Mapping[str, str]) -> ExecutionId:
    literals = {
        name: literals_pb2.Literal(scalar={"primitive": {"string_value": text}}) for name, text in inputs.items()
    }

    async def call() -> ExecutionId:
        async with connecting.open(server.address) as client:
            return await client.create_execution(PROJECT, DOMAIN, target, literals_pb2.LiteralMap(literals=literals))

    return asyncio.run(call())


def wait(
    server: Server, execution: ExecutionId, seconds: float = 2 * PATIENCE_SECONDS
) -> tuple[watching.Snapshot, dict[str, Any]]:
    """Return how it ended, and its outputs as plain values."""

    async def call() -> tuple[watching.Snapshot, dict[str, Any]]:
        async with connecting.open(server.address) as client:
            ended = await asyncio.wait_for(watching.wait_until_ended(client, execution, interval_seconds=0.1), seconds)
            outputs = (await client.get_execution_data(execution)).full_outputs.literals
            return ended, {name: plain_values.to_plain(literal) for name, literal in outputs.items()}

    return asyncio.run(call())


def look(server: Server, execution: ExecutionId) -> watching.Snapshot:
    """Return the execution as it is now."""

    async def call() -> watching.Snapshot:
        async with connecting.open(server.address) as client:
            return await watching.snapshot(client, execution)

    return asyncio.run(call())


def abort(server: Server, execution: ExecutionId, cause: str) -> None:
    """Ask for its end."""

    async def call() -> None:
        async with connecting.open(server.address) as client:
            await client.terminate_execution(execution, cause)

    asyncio.run(call())


def abort_all(server: Server) -> None:
    """Have all that goes on ended."""

    async def call() -> list[Any]:
        async with connecting.open(server.address) as client:
            return await client.list_executions_where(PROJECT, DOMAIN, "value_in(phase,QUEUED;RUNNING)")

    for one in asyncio.run(call()):
        with contextlib.suppress(errors.DayflyError):  # It has ended meanwhile.
            abort(server, ExecutionId(PROJECT, DOMAIN, one.id.name), "its test has failed")


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once `condition` holds; fail, naming `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)
