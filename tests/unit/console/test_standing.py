"""How a run or node stands, in a sentence."""

from __future__ import annotations

from typing import Any, cast

import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import catalog_pb2
from flyteidl.core import execution_pb2 as phases_pb2

from dayfly.console.run import standing
from dayfly.console.run.subject import Subject
from dayfly.console.site import View
from dayfly.model.identifiers import ExecutionId

RUN, NODE, TASK = phases_pb2.WorkflowExecution, phases_pb2.NodeExecution, phases_pb2.TaskExecution


def attempt(phase: int, reason: str = "", number: int = 0) -> Any:
    return task_execution_pb2.TaskExecution(
        id={"retry_attempt": number, "task_id": {"name": "flows.fit"}}, closure={"phase": phase, "reason": reason}
    )


def subject(*, run: int = RUN.RUNNING, node: Any = None, attempts: tuple[Any, ...] = (), **closure: Any) -> Subject:
    execution = execution_pb2.Execution(closure={"phase": run, **closure})
    last = attempts[-1] if attempts else None
    return Subject(cast("View", None), ExecutionId("p", "d", "e"), execution, node, attempts, last)


def node(phase: int, **closure: Any) -> Any:
    return node_execution_pb2.NodeExecution(closure={"phase": phase, **closure})


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (attempt(TASK.QUEUED), "Waits for its turn."),
        (attempt(TASK.WAITING_FOR_RESOURCES, "2 of 4 CPUs"), "Waits for room: 2 of 4 CPUs"),
        (attempt(TASK.INITIALIZING, "building", 1), "Gets its environment ready (attempt 1): building"),
        (attempt(TASK.RUNNING), "Runs."),
    ],
)
def test_a_node_that_waits_says_for_what(last: Any, expected: str) -> None:
    assert standing.tell(subject(node=node(NODE.RUNNING), attempts=(last,)))[1] == expected


def test_what_has_ended_says_how() -> None:
    span = {"started_at": {"seconds": 10}, "duration": {"seconds": 65}}
    assert standing.tell(subject(run=RUN.SUCCEEDED, **span)) == ("SUCCEEDED", "Succeeded in 1 min 05 s.")
    aborted = {"abort_metadata": {"cause": "too slow.", "principal": "ada"}}
    assert standing.tell(subject(run=RUN.ABORTED, **aborted))[1] == "Was aborted by ada: too slow."
    hit = node(NODE.SUCCEEDED, task_node_metadata={"cache_status": catalog_pb2.CACHE_HIT})
    assert "outputs were in the cache" in standing.tell(subject(node=hit))[1]


def test_a_run_waits_only_where_all_that_goes_on_does() -> None:
    waiting, running = attempt(TASK.WAITING_FOR_RESOURCES, "2 CPUs"), attempt(TASK.RUNNING)
    assert standing.of_nodes(1, [waiting]) == "fit: Waits for room: 2 CPUs"
    assert standing.of_nodes(2, [waiting, running]) == "Runs: 2 nodes go on."
    assert standing.of_nodes(9, [waiting]) == "Runs: 9 nodes go on."


@pytest.mark.parametrize("phase", [one for one in NODE.Phase.values() if one != NODE.UNDEFINED])
def test_every_phase_has_a_sentence(phase: int) -> None:
    assert standing.tell(subject(node=node(phase)))[1].endswith(".")
