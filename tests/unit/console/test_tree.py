"""Tests for reading the nodes of several runs on all levels."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2

from dayfly.base import errors
from dayfly.console.run import flows, tree
from dayfly.console.run.flows import Flow, Part
from dayfly.console.run.tree import Row, Trees

_addresses = itertools.count()


class FakeClient:
    """Tells of runs whose nodes are given by the ids of those around them; of no dynamic node is known what it made."""

    def __init__(self, **runs: Mapping[str, list[Any]]) -> None:
        self.address = f"fake-{next(_addresses)}"  # Flows are kept by it.
        self.admin = self
        self.ListNodeExecutions, self.GetDynamicNodeWorkflow = "nodes", "dynamic"
        self.asked: list[str] = []
        self._runs = runs

    async def list_nodes(self, execution: Any) -> list[Any]:
        return list(self._runs[execution.name][""])

    async def call(self, method: str, request: Any) -> Any:
        self.asked.append(method)
        if method != "nodes":
            raise errors.NotFound("nothing is known of it")
        found = self._runs[request.workflow_execution_id.name].get(request.unique_parent_id, [])
        more = "more" if len(found) > request.limit else ""
        return node_execution_pb2.NodeExecutionList(node_executions=found[: request.limit], token=more)


def node(id: str, *, parent: bool = False, spec: str = "", round: int = 0) -> node_execution_pb2.NodeExecution:
    made = node_execution_pb2.NodeExecution(id={"node_id": id})
    made.metadata.spec_node_id, made.metadata.is_parent_node = spec or id.rsplit("/", 1)[-1], parent
    made.metadata.retry_group = str(round)
    return made


async def read(client: FakeClient, most: int = 100, *, by_id: bool = True, flow: Flow = flows.NOTHING) -> Trees:
    runs = [(execution_pb2.Execution(id={"name": name}), flow) for name in client._runs]
    return await tree.read(client, runs, most, by_id=by_id)  # type: ignore[arg-type]


def keys(rows: list[Row]) -> list[str]:
    return [".".join(row.key) for row in rows]


async def test_what_is_inside_of_nodes_is_read_too() -> None:
    inner = {"b": [node("b/x", parent=True), node("b/y")], "b/x": [node("b/x/deep")]}
    client = FakeClient(one={"": [node("start-node"), node("a"), node("b", parent=True)], **inner})
    (rows,), closed = await read(client)
    assert keys(rows) == ["a", "b", "b.x", "b.y", "b.x.deep"]
    assert (rows[-1].around, rows[-1].spec, closed) == (("b", "x"), "deep", 0)


async def test_of_both_runs_or_of_none() -> None:
    """However the nodes of each run come: nothing seems to lack that was only not read."""
    insides = {f"n{at}": [node(f"n{at}/x")] for at in range(6)}
    tops = [node(f"n{at}", parent=True) for at in range(6)]
    client = FakeClient(one={"": tops, **insides}, two={"": tops[::-1], **insides})
    (one, two), closed = await read(client, most=9)
    assert set(keys(one)) == set(keys(two))
    assert (len(one), closed) == (9, 3)


async def test_a_level_that_is_too_large_in_one_run_is_read_in_none() -> None:
    many = [node(f"a/{at}") for at in range(40)]
    tops = [node("a", parent=True), node("b", parent=True)]
    small = {"b": [node("b/x")]}
    client = FakeClient(one={"": tops, "a": many, **small}, two={"": tops, "a": many[:2], **small})
    (one, two), closed = await read(client, most=20)
    assert keys(one) == keys(two) == ["a", "b", "b.x"]
    assert closed == 1


async def test_the_top_level_is_whole_and_nothing_else_is_asked_for_where_it_fills_the_page() -> None:
    client = FakeClient(one={"": [node(f"n{at}", parent=True) for at in range(50)]})
    (rows,), closed = await read(client, most=20)
    assert (len(rows), closed) == (50, 50)
    assert client.asked == []


async def test_of_a_node_that_was_tried_again_the_last_attempt_is_read() -> None:
    first = [node(f"a-0-{at}", spec=f"dn{at}") for at in range(5)]
    last = [node(f"a-1-{at}", spec=f"dn{at}", round=1) for at in range(2)]
    (rows,), _ = await read(FakeClient(one={"": [node("a", parent=True)], "a": [*first, *last]}))
    assert [row.node.id.node_id for row in rows] == ["a", "a-1-0", "a-1-1"]


async def test_by_name_two_nodes_of_one_name_stay_two() -> None:
    flow = Flow({"n0": Part("load", "task"), "n1": Part("load", "task")})
    # Nodes come as they were begun; they are numbered as they were written.
    client = FakeClient(one={"": [node("n1"), node("n0")]}, two={"": [node("n0")]})
    (one, two), _ = await read(client, by_id=False, flow=flow)
    assert [(row.spec, row.name) for row in one] == [("n0", "load"), ("n1", "load")]
    assert keys(two) == keys(one)[:1] != keys(one)[1:]
