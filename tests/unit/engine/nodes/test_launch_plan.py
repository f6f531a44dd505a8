from __future__ import annotations

import pytest

from dayfly.model import events
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase, FailureKind, NodePhase
from dayfly.model.plan import NodeKind
from tests.property.arbitrary import node, plan_of

CHILD = ExecutionId("p", "d", "child")
PLAN = plan_of(node("l", kind=NodeKind.LAUNCH_PLAN))


def test_it_ends_as_its_child_does(launch):
    run = launch(PLAN)
    assert run.first == ["prepare/l"]
    assert run.tell(events.ChildLaunched, "l", CHILD) == []
    assert (run.node("l").phase, run.node("l").child) == (NodePhase.RUNNING, CHILD)
    assert run.tell(events.ChildEnded, "l", ExecutionPhase.SUCCEEDED) == ["outputs/l/0"]
    assert run.writes("l") == ["outputs"]


def test_an_end_that_is_told_first_counts(launch):
    run = launch(PLAN)
    assert run.tell(events.ChildEnded, "l", ExecutionPhase.SUCCEEDED, child=CHILD) == ["outputs/l/0"]
    assert run.node("l").child == CHILD
    assert run.tell(events.ChildLaunched, "l", CHILD) == []


@pytest.mark.parametrize(
    ("phase", "code", "expected"),
    [
        (ExecutionPhase.FAILED, "Boom", ("Boom", "execution p/d/child failed: why")),
        (ExecutionPhase.ABORTED, "", ("RemoteChildWorkflowExecutionFailed", "execution p/d/child was aborted: why")),
    ],
)
def test_it_fails_with_its_childs_error(launch, phase, code, expected):
    run = launch(PLAN)
    run.tell(events.ChildLaunched, "l", CHILD)
    run.tell(events.ChildEnded, "l", phase, FailureKind.USER, code, "why", CHILD)
    assert (run.node("l").failure.code, run.node("l").failure.message) == expected


def test_its_child_is_stopped_once_and_waited_for(launch):
    run = launch(PLAN)
    run.tell(events.ChildLaunched, "l", CHILD)
    assert run.aborts() == ["stop-child/l"]
    assert run.aborts() == []
    run.tell(events.ChildEnded, "l", ExecutionPhase.SUCCEEDED)
    assert run.node("l").phase is NodePhase.ABORTED


def test_one_that_is_being_launched_is_stopped_too(launch):
    run = launch(PLAN)
    assert run.aborts() == ["stop-child/l"]
    run.tell(events.ChildLaunched, "l", CHILD)
    assert run.node("l").phase is NodePhase.RUNNING
    run.tell(events.ChildEnded, "l", ExecutionPhase.ABORTED)
    assert run.node("l").phase is NodePhase.ABORTED


def test_one_that_could_not_be_launched_while_it_is_stopped_is_stopped(launch):
    run = launch(PLAN)
    run.aborts()
    run.tell(events.NodeFailed, "l", FailureKind.USER, "BadInputs", "no such input")
    assert run.state.phase is ExecutionPhase.ABORTED
