"""Which runs are beside ours, and which nodes of another version stand for ours."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import execution_pb2

from dayfly.console.run import history
from dayfly.console.run.flows import Flow, Part


def flow(**names: str) -> Flow:
    return Flow({spec: Part(name, "task") for spec, name in names.items()})


def test_nodes_of_the_same_id_and_name_stand_for_each_other() -> None:
    ours, theirs = flow(n0="load", n1="fit"), flow(n0="load", n1="draw")
    assert history.alike(ours, theirs, ["n0", "n1"]) == {"n0": "n0"}


def test_a_node_that_has_moved_is_found_by_its_name() -> None:
    ours, theirs = flow(n0="load", n1="clean", n2="fit"), flow(n0="load", n1="fit")
    assert history.alike(ours, theirs, ["n0", "n1", "n2"]) == {"n0": "n0", "n1": "n2"}


def test_a_name_that_several_nodes_have_says_nothing() -> None:
    ours, theirs = flow(n0="fit", n1="load"), flow(n0="load", n1="fit", n2="fit")
    assert history.alike(ours, theirs, ["n0", "n1"]) == {"n0": "n1"}
    assert history.alike(flow(n0="a", n3="fit", n4="fit"), flow(n1="fit"), ["n3", "n4"]) == {}


def test_what_is_gone_stands_for_nothing() -> None:
    assert history.alike(flow(n0="load"), Flow(), ["n0"]) == {}


class Lists:
    """A client whose lists of runs are empty; keeps the filters."""

    ListExecutions = None

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.admin = self

    async def call(self, _: Any, request: Any) -> Any:
        self.asked.append(request.filters)
        return execution_pb2.ExecutionList()


async def test_a_workflow_of_any_name_has_runs_beside_it() -> None:
    client: Any = Lists()
    await history.read(client, execution_pb2.Execution(closure={"workflow_id": {"name": "my+wf;x"}}))
    assert [one.partition("+lte(")[0] for one in client.asked] == [r"eq(workflow.name,my\+wf\;x)"] * 2
