"""A run's nodes: read once, then only what changed; and how they go to the browser."""

from __future__ import annotations

import asyncio
from typing import Any

from flyteidl.admin import node_execution_pb2
from flyteidl.core import catalog_pb2
from flyteidl.core import execution_pb2 as phases_pb2
from flyteidl.event import event_pb2

from dayfly.base.clock import SECOND, ManualClock
from dayfly.console.run import board, elements, nodes
from dayfly.console.run.elements import Elements
from dayfly.console.run.nodes import Nodes, State
from dayfly.model.identifiers import ExecutionId

RUN = ExecutionId("p", "d", "run")


def node(id: str, phase: str = "SUCCEEDED", *, at: int = 1000, spec: str = "", group: str = "") -> Any:
    message = node_execution_pb2.NodeExecution(metadata={"spec_node_id": spec or id, "retry_group": group})
    message.id.node_id, message.closure.phase = id, phases_pb2.NodeExecution.Phase.Value(phase)
    for name in ("created_at", "started_at", "updated_at"):
        getattr(message.closure, name).FromMicroseconds(at * SECOND)
    if phase == "SUCCEEDED":
        message.closure.duration.FromMicroseconds(2 * SECOND)
    return message


class FakeClient:
    """Answers with pages, and keeps what was asked."""

    address = "here"

    def __init__(self, *pages: list[Any]) -> None:
        self.pages = list(pages)
        self.asked: list[Any] = []
        self.admin = self
        self.ListNodeExecutions = "ListNodeExecutions"

    async def call(self, _: Any, request: Any) -> Any:
        asked = node_execution_pb2.NodeExecutionListRequest()
        asked.CopyFrom(request)
        self.asked.append(asked)
        more = "more" if len(self.pages) > 1 and request.limit and not request.filters else ""
        return node_execution_pb2.NodeExecutionList(node_executions=self.pages.pop(0), token=more)


def test_the_first_page_is_there_at_once_and_the_others_later() -> None:
    async def run() -> None:
        client = FakeClient([node("start-node"), node("n0")], [node("n1"), node("end-node")])
        found = Nodes(client, RUN, ManualClock())  # type: ignore[arg-type]
        await found.open("")
        assert (list(found.states), found.complete) == (["n0"], False)
        await found.open("")  # It is being read already.
        await found.wait()
        assert (list(found.states), found.complete) == (["n0", "n1"], True)
        assert [one.token for one in client.asked] == ["", "more"]

    asyncio.run(run())


def test_only_what_changed_is_asked_for_and_told() -> None:
    async def run() -> None:
        clock = ManualClock()
        client = FakeClient([node("n0"), node("n1", "RUNNING", at=2000)])
        found = Nodes(client, RUN, clock)  # type: ignore[arg-type]
        await found.open("")
        version = found.version
        client.pages = [[node("n0"), node("n1", at=2005)]]
        await found.refresh()
        assert client.asked[-1].filters == "gte(updated_at,1970-01-01T00:33:10.000000Z)"
        assert [one.id for one in found.changed_since(version)] == ["n1"]
        assert found.changed_since(found.version) == []
        await found.refresh()  # Another page of the same run asked just now.
        assert len(client.asked) == 2
        client.pages = [[node("n0"), node("n1", at=2005)]]
        await found.refresh(fully=True)
        assert client.asked[-1].filters == ""
        await found.refresh(fully=True)  # Nothing changes after the end.
        assert len(client.asked) == 3

    asyncio.run(run())


def test_what_an_earlier_attempt_made_inside_a_node_is_left_out() -> None:
    async def run() -> None:
        client = FakeClient([node("n0-1-a", spec="a", group="1"), node("n0-0-a", spec="a", group="0")])
        found = Nodes(client, RUN, ManualClock())  # type: ignore[arg-type]
        await found.open("n0")
        assert list(found.states) == ["n0-1-a"]
        assert found.find("n0", "a") is found.states["n0-1-a"]

    asyncio.run(run())


def test_a_message_as_the_board_has_it() -> None:
    message = node("n2", spec="n2")
    message.metadata.is_array = True
    message.closure.task_node_metadata.cache_status = catalog_pb2.CACHE_HIT
    assert nodes.to_state(message, "") == State(
        "n2", "", "n2", "SUCCEEDED", 1_000_000, 1_000_000, 1_002_000, True, "map", ""
    )


def test_nodes_go_over_as_short_lists() -> None:
    states = [
        State("n0", "", "n0", "SUCCEEDED", 1000, 1200, 4200, False, "", ""),
        State("n1", "", "n1", "QUEUED", 1500, None, None, False, "", ""),
        State("n2-0-n0", "n2", "n0", "FAILED", 1500, None, 1700, True, "", ""),
    ]
    assert board.packed(states, 1000) == {
        "": [["n0", 3, 0, 200, 3000], ["n1", 1, 500, None, None]],
        "n2": [["n0", 5, 500, None, 200, 1, "", "", "n2-0-n0"]],
    }


def test_elements_are_letters_of_their_last_attempts() -> None:
    def element(index: int, phase: int, attempt: int = 0, *, hit: bool = False) -> Any:
        status = catalog_pb2.CACHE_HIT if hit else catalog_pb2.CACHE_DISABLED
        return event_pb2.ExternalResourceInfo(index=index, phase=phase, retry_attempt=attempt, cache_status=status)

    told = [element(0, 3), element(1, 5), element(1, 2, 1), element(3, 3, hit=True), element(4, 5)]
    assert elements.summed(told) == Elements("SR.HF", {1: 1})
    assert elements.summed([]) == Elements("", {})
