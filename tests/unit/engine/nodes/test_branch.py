from __future__ import annotations

from dayfly.model import events
from dayfly.model.phases import ExecutionPhase, NodePhase
from dayfly.model.plan import NodeKind
from tests.property.arbitrary import node, plan_of

INNER = node("deep", kind=NodeKind.BRANCH, cases=(node("x"), node("y")))
BRANCH = node("b", kind=NodeKind.BRANCH, cases=(node("yes"), node("no"), INNER))


def test_the_chosen_case_runs_inside_of_it(launch):
    run = launch(plan_of(BRANCH, node("after", "b")))
    assert run.first == ["prepare/b"]
    assert run.tell(events.BranchChosen, "b", 1) == ["start/b-0-no/0"]
    assert run.succeeds("b-0-no") == ["outputs/b/0"]
    assert run.writes("b") == ["start/after/0"]
    assert "b-0-yes" not in run.state.nodes


def test_a_branch_in_a_branch(launch):
    run = launch(plan_of(BRANCH))
    assert run.tell(events.BranchChosen, "b", 2) == ["prepare/b-0-deep"]
    assert run.tell(events.BranchChosen, "b-0-deep", 0) == ["start/b-0-deep-0-x/0"]
    assert run.succeeds("b-0-deep-0-x") == ["outputs/b-0-deep/0"]
    assert run.writes("b-0-deep") == ["outputs/b/0"]


def test_it_fails_as_its_case_does(launch):
    run = launch(plan_of(BRANCH))
    run.tell(events.BranchChosen, "b", 0)
    run.fails("b-0-yes", recoverable=False)
    assert (run.node("b").phase, run.node("b").failure.node) == (NodePhase.FAILED, "b-0-yes")
    assert run.state.failure.node == "b-0-yes"


def test_a_case_that_is_not_there_and_a_second_choice_are_ignored(launch):
    run = launch(plan_of(BRANCH))
    assert run.tell(events.BranchChosen, "b", 3) == []
    run.tell(events.BranchChosen, "b", 0)
    assert run.tell(events.BranchChosen, "b", 1) == []
    assert run.node("b").chosen == 0


def test_its_case_waits_for_room(launch):
    run = launch(plan_of(node("a"), BRANCH), max_parallelism=1)
    assert run.first == ["prepare/b", "start/a/0"]
    assert run.tell(events.BranchChosen, "b", 0) == []
    assert run.succeeds("a") == ["start/b-0-yes/0"]


def test_one_whose_case_still_waits_for_room_ends_at_once(launch):
    run = launch(plan_of(node("a"), BRANCH), max_parallelism=1)
    run.tell(events.BranchChosen, "b", 0)
    assert run.aborts() == ["stop/a/0"]
    assert run.node("b").phase is NodePhase.ABORTED
    run.stops("a")
    assert run.state.phase is ExecutionPhase.ABORTED
