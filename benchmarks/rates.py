"""How many registrations and how many CreateExecution calls a second one `dayfly up` takes, over gRPC.

    python -m benchmarks.rates [versions] [executions]

The client is flytekit's own, in a process of its own with several threads, on the same cores; what it takes of them is
told beside. A registration is one call of CreateTask, CreateWorkflow or CreateLaunchPlan; a version has four. What is
launched is a workflow with one task of type `echo`, which takes no process. The engine drives it while calls come in,
and that is part of the figure: it is told how many had ended with the last call, and how many end a second.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from flyteidl.admin import common_pb2
from flytekit.clients.raw import RawSynchronousFlyteClient
from flytekit.configuration import PlatformConfig
from tests.platforms.server import Server

CLIENT = Path(__file__).parent / "programs" / "rates_client.py"
POLL_SECONDS = 0.2
"""How often it is looked whether executions have ended: each look costs the server some milliseconds."""


def main(versions: int = 500, executions: int = 1000) -> None:
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as scratch, Server(Path(scratch) / "data") as server:
        _run(server, "register", 10)  # statements are compiled and modules loaded once
        _tell("registrations", _run(server, "register", versions), "target 500 a second")
        figures = _run(server, "launch", executions)
        ended = _count(server, "SUCCEEDED", executions)
        while _count(server, "SUCCEEDED", executions) < executions:
            time.sleep(POLL_SECONDS)
        took = time.time() - figures["began"]
        _tell("CreateExecution", figures, "target 200 a second")
        print(f"  {ended} had ended with the last call; all after {took:.1f} s, {executions / took:.0f} a second")


def _run(server: Server, what: str, count: int) -> dict[str, Any]:
    """Let the client make its calls; return what it tells, and the processor's seconds that both sides took."""
    assert server.process is not None
    platform = psutil.Process(server.process.pid)
    before = platform.cpu_times()
    words = [sys.executable, str(CLIENT), server.address, what, str(count)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE)
    after = platform.cpu_times()
    figures: dict[str, Any] = json.loads(done.stdout)
    figures["server"] = after.user + after.system - before.user - before.system
    return figures


def _tell(what: str, figures: dict[str, Any], beside: str) -> None:
    took, seconds = figures["milliseconds"], figures["seconds"]
    calls = len(took)
    print(f"{what:<28}{calls / seconds:>8.0f} a second ({calls} calls), {beside}")
    worst = statistics.quantiles(took, n=100, method="inclusive")[98]
    print(f"  a call {statistics.median(took):.1f} ms, p99 {worst:.1f} ms", end="")
    print(f"; processor for each: server {1000 * figures['server'] / calls:.2f} ms", end="")
    print(f", client {1000 * figures['processor'] / calls:.2f} ms")


def _count(server: Server, phase: str, limit: int) -> int:
    client = RawSynchronousFlyteClient(PlatformConfig(endpoint=server.address, insecure=True))
    scope = common_pb2.NamedEntityIdentifier(project="flytesnacks", domain="development")
    request = common_pb2.ResourceListRequest(id=scope, limit=limit, filters=f"eq(phase,{phase})")
    return len(client.list_executions_paginated(request).executions)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
