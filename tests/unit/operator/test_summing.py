"""An execution as a status."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.core import literals_pb2

from dayfly.operator import summing
from dayfly.operator.summing import Nodes
from tests.unit.operator.making import execution

ALWAYS = {
    "executionId": {"project": "flytesnacks", "domain": "development", "name": "x1"},
    "workflow": "flows.fit",
    "launchPlan": "flows.fit",
    "console": "http://here/x1",
}

STARTED = "2026-11-26T10:00:01.250Z"

CASES = [
    ("just made", execution("UNDEFINED"), None, {"phase": "QUEUED"}),
    (
        "running",
        execution("RUNNING", started_at=STARTED),
        Nodes(1, 3),
        {
            "phase": "RUNNING",
            "startedAt": "2026-11-26T10:00:01Z",
            "nodes": {"done": 1, "total": 3},
            "progress": "1/3",
        },
    ),
    (
        "succeeded",
        execution("SUCCEEDED", started_at=STARTED, duration="61.9s", outputs={"uri": "s3://b/outputs.pb"}),
        None,
        {
            "phase": "SUCCEEDED",
            "startedAt": "2026-11-26T10:00:01Z",
            "endedAt": "2026-11-26T10:01:03Z",
            "outputsUri": "s3://b/outputs.pb",
        },
    ),
    (
        "failed before it started",
        execution("FAILED", error={"code": "C", "kind": "USER", "message": "\n\n  Trace:\n  more"}),
        None,
        {
            "phase": "FAILED",
            "endedAt": "2026-11-26T10:00:00Z",
            "message": "Trace:",
            "error": {"code": "C", "kind": "USER", "message": "\n\n  Trace:\n  more"},
        },
    ),
    (
        "aborting",
        execution("ABORTING", abort_metadata={"cause": "enough"}),
        None,
        {"phase": "ABORTING", "message": "enough"},
    ),
]


@pytest.mark.parametrize(("message", "nodes", "status"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_execution_is_summed_up(message: Any, nodes: Nodes | None, status: dict[str, Any]) -> None:
    assert summing.of_execution(message, nodes, "http://here/x1") == {**ALWAYS, **status}


def test_a_single_tasks_execution_has_no_launch_plan() -> None:
    message = execution("RUNNING")
    message.spec.launch_plan.resource_type = 1
    assert "launchPlan" not in summing.of_execution(message, None, "")
    assert set(summing.spec_of(message)) == {"task", "workflow"}
    assert set(summing.spec_of(execution("RUNNING"))) == {"launchPlan", "workflow"}


def test_long_messages_are_cut() -> None:
    long = execution("FAILED", error={"code": "C", "kind": "SYSTEM", "message": "x" * 10_000})
    status = summing.of_execution(long, None, "")
    assert (len(status["message"]), len(status["error"]["message"])) == (160, 4000)


def test_small_outputs_are_told_and_large_ones_are_not() -> None:
    def text(value: str) -> literals_pb2.Literal:
        return literals_pb2.Literal(scalar={"primitive": {"string_value": value}})

    outputs = literals_pb2.LiteralMap(
        literals={
            "a": text("small"),
            "b": text("x" * 3000),
            "c": literals_pb2.Literal(scalar={"primitive": {"float_value": float("inf")}}),
            **{f"d{number}": text("y" * 2000) for number in range(10)},
        }
    )
    told = summing.small(outputs)
    assert (told["a"], told["c"]) == ("small", "inf")
    assert "b" not in told
    assert len([name for name in told if name.startswith("d")]) == 8
    assert "outputs" not in summing.of_execution(execution("FAILED"), None, "", outputs)
    assert "outputs" in summing.of_execution(execution("SUCCEEDED"), None, "", outputs)


def test_nodes_that_were_not_counted_are_as_they_were() -> None:
    before = {"phase": "QUEUED", "nodes": {"done": 1, "total": 3}, "progress": "1/3"}
    told = summing.with_nodes_of(before, summing.of_execution(execution("RUNNING"), None, ""))
    assert (told["phase"], told["nodes"], told["progress"]) == ("RUNNING", {"done": 1, "total": 3}, "1/3")
    assert "nodes" not in summing.with_nodes_of({}, {"phase": "RUNNING"})
