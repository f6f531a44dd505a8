"""The operator as a client of a real platform; the cluster alone is one in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.flyte_workflows import FakeFlyteWorkflows
from tests.platforms import launching, remotes
from tests.platforms.server import Server

from dayfly.base import errors
from dayfly.base.clock import SystemClock
from dayfly.client import connecting
from dayfly.model.identifiers import ExecutionId
from dayfly.operator.driving import Operator, OperatorSettings

PROGRAM = Path(__file__).parent / "programs" / "ordered.py"

NAMESPACE = "flytesnacks-development"

SECONDS = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("ordered") / "data") as server:
        remotes.register(server, PROGRAM)
        yield server


@pytest.fixture
def cluster() -> FakeFlyteWorkflows:
    return FakeFlyteWorkflows()


@pytest.fixture(autouse=True)
async def operator(server: Server, cluster: FakeFlyteWorkflows) -> AsyncIterator[None]:
    async with connecting.open(server.address) as client:
        made = Operator(client, cluster, cluster, OperatorSettings("http://here", 3600.0), SystemClock())
        running = asyncio.create_task(made.run())
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(holds: Callable[[], object]) -> None:
    async def look() -> None:
        while not holds():  # noqa: ASYNC110 — what holds is another's state
            await asyncio.sleep(0.05)

    await asyncio.wait_for(look(), SECONDS)


def status(cluster: FakeFlyteWorkflows, name: str) -> dict[str, Any]:
    return cluster.there.get((NAMESPACE, name), {}).get("status") or {}


def ask_for(cluster: FakeFlyteWorkflows, name: str, *, version: str = "", **inputs: Any) -> None:
    plan = {"name": "ordered.ordered", **({"version": version} if version else {})}
    cluster.apply(NAMESPACE, name, {"launchPlan": plan, "inputs": inputs})


async def test_all_kinds_of_plain_values_reach_the_tasks(cluster: FakeFlyteWorkflows, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("fragile")
    inputs = {
        "order": {"item": "pear", "amounts": [1, 2, 3]},
        "note": str(tmp_path / "note.txt"),
        "size": "large",
        "rates": {"a": 1, "b": 0.5},
        "either": "three",
    }
    ask_for(cluster, "pears", **inputs)
    await until(lambda: status(cluster, "pears").get("phase") in ("SUCCEEDED", "FAILED", "REFUSED"))
    told = status(cluster, "pears")
    assert told.get("outputs") == {"o0": "pear 6 large 1.5 fragile 'three'"}, told
    assert told["nodes"] == {"done": 2, "total": 2}
    assert told["workflow"] == told["launchPlan"] == "ordered.ordered"


async def test_an_execution_is_followed_and_ends_with_its_resource(
    server: Server, cluster: FakeFlyteWorkflows, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").touch()
    order = {"item": "plum", "amounts": []}
    ask_for(cluster, "plums", version="v1", order=order, note=str(tmp_path / "note.txt"), rates={}, until="/never")
    await until(lambda: status(cluster, "plums").get("progress") == "1/2" or "error" in status(cluster, "plums"))
    assert status(cluster, "plums")["phase"] == "RUNNING", status(cluster, "plums")
    assert set(cluster.there) == {(NAMESPACE, "plums")}
    name = status(cluster, "plums")["executionId"]["name"]
    cluster.delete_now(NAMESPACE, "plums")
    await until(lambda: not cluster.there)
    async with connecting.open(server.address) as client:
        ended = await client.get_execution(ExecutionId(launching.PROJECT, launching.DOMAIN, name))
    assert ended.closure.abort_metadata.cause == f"FlyteWorkflow {NAMESPACE}/plums was deleted."


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"size": "huge"}, "spec.inputs.size is the text 'huge', and enum(small, large) is declared"),
        ({"order": [1]}, "spec.inputs.order is a list, and struct(Order) is declared"),
        ({"either": 1.5}, "spec.inputs.either is the number 1.5, and int | str is declared"),
        ({"version": "v7"}, "There is no launch plan 'ordered.ordered'"),
        ({}, "spec.inputs lacks note (file), order (struct(Order)), rates (dict[str, float])."),
    ],
)
async def test_what_is_wrong_is_told(cluster: FakeFlyteWorkflows, inputs: dict[str, Any], said: str) -> None:
    ask_for(cluster, "wrong", **inputs)
    await until(lambda: status(cluster, "wrong"))
    assert status(cluster, "wrong")["error"]["message"].startswith(said)


async def test_a_launch_plan_is_the_active_one_else_the_newest_else_none(server: Server) -> None:
    async with connecting.open(server.address) as client:
        where = (launching.PROJECT, launching.DOMAIN)
        newest = await client.get_launch_plan(*where, "ordered.ordered", "")
        assert newest.id.version == "v1"
        assert (await client.get_launch_plan(*where, "ordered.ordered", "v1")).id == newest.id
        with pytest.raises(errors.NotFound):
            await client.get_launch_plan(*where, "ordered.nothing", "")
        assert where in await client.list_places()
