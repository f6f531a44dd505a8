"""`kill -9` of the server at random moments of a workflow of 30 nodes: everything goes on to its right end, once.

`DAYFLY_KILL_ROUNDS` sets the number of rounds, `DAYFLY_KILL_SEED` the first seed; every round prints its own.
"""

from __future__ import annotations

import asyncio
import collections
import os
import random
import time
from pathlib import Path

import pytest
from flyteidl.core import identifier_pb2, literals_pb2

from dayfly.client import connecting, watching
from dayfly.model.identifiers import EntityId, ExecutionId
from dayfly.model.phases import ExecutionPhase
from tests.platforms.server import Server

ROUNDS = int(os.environ.get("DAYFLY_KILL_ROUNDS", "5"))
FIRST_SEED = int(os.environ.get("DAYFLY_KILL_SEED", "1"))
PROGRAMS = Path(__file__).parent / "programs"
LATEST_KILL_SECONDS = 2.5
"""A little more than the workflow takes, so that kills fall everywhere in it and just after it."""

EXPECTED = 4 * 7 + sum(x * x for x in range(50))
TARGET = EntityId(identifier_pb2.LAUNCH_PLAN, "flytesnacks", "development", "thirty.thirty", "v1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("killed") / "data") as server:
        done = server.pyflyte("register", "--version", "v1", PROGRAMS / "thirty.py", cwd=PROGRAMS)
        assert done.returncode == 0, done.stdout + done.stderr
        yield server


async def launch(server: Server, name: str, marks: Path) -> ExecutionId:
    inputs = literals_pb2.LiteralMap(
        literals={"marks": literals_pb2.Literal(scalar={"primitive": {"string_value": str(marks)}})}
    )
    async with connecting.open(server.address) as client:
        return await client.create_execution("flytesnacks", "development", TARGET, inputs, name=name)


async def wait_for(server: Server, execution: ExecutionId) -> tuple[watching.Snapshot, int]:
    async with connecting.open(server.address) as client:
        ended = await asyncio.wait_for(watching.wait_until_ended(client, execution, interval_seconds=0.1), 120)
        data = await client.get_execution_data(execution)
        return ended, data.full_outputs.literals["o0"].scalar.primitive.integer


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + ROUNDS))
def test_every_node_runs_once_to_the_right_end(server: Server, tmp_path: Path, seed: int) -> None:
    moment = random.Random(seed).uniform(0, LATEST_KILL_SECONDS)
    print(f"seed {seed}: kill -9 after {moment:.3f} s", flush=True)
    marks = tmp_path / "marks"
    execution = asyncio.run(launch(server, f"kill{seed}", marks))
    time.sleep(moment)
    server.kill()
    server.start()
    ended, outputs = asyncio.run(wait_for(server, execution))
    assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
    assert outputs == EXPECTED
    assert [len(node.attempts) for node in ended.nodes] == [1] * 30
    counted = collections.Counter(tuple(line.split()[:2]) for line in marks.read_text().splitlines())
    assert counted == {(what, str(index)): 1 for what in ("start", "end") for index in range(30)}
