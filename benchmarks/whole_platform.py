"""A whole `dayfly up`: time to ready, idle memory, a chain of fifty tasks, a Dask task end to end."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from flyteidl.core import identifier_pb2, literals_pb2
from tests.platforms.server import Server

from dayfly.client import connecting, watching
from dayfly.model.identifiers import EntityId
from dayfly.model.phases import ExecutionPhase

HERE = Path(__file__).parent / "programs"
STARTS = 5
CHAINS = 5
POLL_SECONDS = 0.2
"""How often the waiting client looks: each look costs the server a few milliseconds."""

SETTLE_SECONDS = 2.0
"""After start, before idle memory is read."""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(Path(scratch) / "data")
        starts = []
        for _ in range(STARTS):
            began = time.monotonic()
            server.start()
            starts.append(time.monotonic() - began)
            server.stop()
        server.start()
        time.sleep(SETTLE_SECONDS)
        tell("server start to ready", statistics.median(starts), "s", "target 3 s")
        tell("server idle memory", memory(server), "MB", "RSS, target 150 MB")
        done = server.pyflyte("register", "--version", "v1", HERE / "chain.py", cwd=HERE)
        assert done.returncode == 0, done.stdout + done.stderr
        times = [asyncio.run(chain(server, number)) for number in range(CHAINS + 1)]
        median = statistics.median(times[1:])
        told = f"target 3 s; {median / 50 * 1000:.0f} ms a task, the first run {times[0]:.2f} s"
        tell("chain of 50 no-op tasks", median, "s", told)
        tell("all fork servers, idle", fork_server_memory(server), "MB", "PSS, target 120 MB")
        server.stop()


def tell(what: str, value: float, unit: str, beside: str) -> None:
    print(f"{what:<28} {value:8.2f} {unit:<3} {beside}")


async def chain(server: Server, number: int) -> float:
    target = EntityId(identifier_pb2.LAUNCH_PLAN, "flytesnacks", "development", "chain.chain", "v1")
    async with connecting.open(server.address) as client:
        began = time.monotonic()
        execution = await client.create_execution(
            "flytesnacks", "development", target, literals_pb2.LiteralMap(), name=f"chain{number}"
        )
        ended = await watching.wait_until_ended(client, execution, interval_seconds=POLL_SECONDS)
        assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
        return time.monotonic() - began


def memory(server: Server) -> float:
    assert server.process is not None
    return psutil.Process(server.process.pid).memory_info().rss / 1e6


def fork_server_memory(server: Server) -> float:
    assert server.process is not None
    others = [int(line.split(":")[0]) for line in server.leftovers()]
    return sum(psutil.Process(pid).memory_full_info().pss for pid in others if pid != server.process.pid) / 1e6


if __name__ == "__main__":
    main()
