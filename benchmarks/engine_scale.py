"""What the platform takes for each task when there are many: wide, mapped, and in many executions at once.

    python -m benchmarks.engine_scale

Every task is a process of its own, forked, which runs flytekit's entrypoint and does nothing. Beside the rate it is
told what the server's own process takes of the processor for each task, and how much the run's state weighs at its end.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
from flyteidl.core import identifier_pb2, literals_pb2
from tests.platforms.server import Server

from dayfly.client import connecting
from dayfly.client.connecting import Client
from dayfly.model.identifiers import EntityId, ExecutionId
from dayfly.model.phases import ExecutionPhase

HERE = Path(__file__).parent / "programs"
WIDE = 1_000
MAPPED = (100, 1_000, 10_000)
EXECUTIONS = 200
TARGET = 40
"""Tasks a second on two cores."""

POLL_SECONDS = 0.5
"""How often the waiting client looks: each look costs the server a few milliseconds."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as scratch, Server(Path(scratch) / "data") as server:
        done = server.pyflyte("register", "--version", "v1", HERE / "wide.py", cwd=HERE)
        assert done.returncode == 0, done.stdout + done.stderr
        _tell(server, "warm", 10, lambda client: _run(client, "wide", "warm", 10))
        _tell(server, f"fan-out of {WIDE:,}", WIDE, lambda client: _run(client, "wide", "wide", WIDE))
        for size in MAPPED:
            name = f"mapped{size}"
            _tell(server, f"map of {size:,} elements", size, lambda c, n=name, s=size: _run(c, "mapped", n, s))
            print(f"  state of the run at its end: {_state_bytes(server, name) / 1024:.1f} KiB")
        _tell(server, f"{EXECUTIONS} executions of 5 tasks", EXECUTIONS * 5, _many)
        print(f"  resident at the end: {_memory(server):.0f} MB")


async def _run(client: Client, workflow: str, name: str, n: int) -> None:
    inputs = {"n": literals_pb2.Literal(scalar={"primitive": {"integer": n}})}
    execution = await _launch(client, workflow, name, literals_pb2.LiteralMap(literals=inputs))
    await _succeeded(client, execution)


async def _many(client: Client) -> None:
    launched = [
        await _launch(client, "five", f"five{number}", literals_pb2.LiteralMap()) for number in range(EXECUTIONS)
    ]
    for execution in launched:
        await _succeeded(client, execution)


async def _launch(client: Client, workflow: str, name: str, inputs: literals_pb2.LiteralMap) -> ExecutionId:
    target = EntityId(identifier_pb2.LAUNCH_PLAN, "flytesnacks", "development", f"wide.{workflow}", "v1")
    return await client.create_execution("flytesnacks", "development", target, inputs, name=name)


async def _succeeded(client: Client, execution: ExecutionId) -> None:
    while True:
        found = await client.get_execution(execution)
        if found.closure.phase in (ExecutionPhase.SUCCEEDED, ExecutionPhase.FAILED, ExecutionPhase.ABORTED):
            assert found.closure.phase == ExecutionPhase.SUCCEEDED, found.closure.error
            return
        await asyncio.sleep(POLL_SECONDS)


def _tell(server: Server, what: str, tasks: int, work: Callable[[Client], Awaitable[None]]) -> None:
    async def call() -> None:
        async with connecting.open(server.address) as client:
            await work(client)

    assert server.process is not None
    platform = psutil.Process(server.process.pid)
    before, began = platform.cpu_times(), time.monotonic()
    asyncio.run(call())
    took, after = time.monotonic() - began, platform.cpu_times()
    spent = after.user + after.system - before.user - before.system
    told = f"{tasks / took:6.1f} tasks/s, target {TARGET}; the server itself {spent / tasks * 1000:.1f} ms a task"
    print(f"{what:<28} {took:8.2f} s   {told}", flush=True)


def _state_bytes(server: Server, name: str) -> int:
    """Return how many bytes of state are stored of a run: its own and its nodes'."""
    with sqlite3.connect(f"file:{server.folder / 'dayfly.db'}?mode=ro", uri=True) as database:
        [(number,)] = database.execute("SELECT id FROM executions WHERE name = ?", (name,))
        [(whole,)] = database.execute("SELECT length(state) FROM runs WHERE execution_id = ?", (number,))
        [(nodes,)] = database.execute("SELECT sum(length(state)) FROM run_nodes WHERE execution_id = ?", (number,))
    return int(whole) + int(nodes or 0)


def _memory(server: Server) -> float:
    assert server.process is not None
    return psutil.Process(server.process.pid).memory_info().rss / 1e6


if __name__ == "__main__":
    main()
