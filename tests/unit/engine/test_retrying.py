from __future__ import annotations

import pytest

from dayfly.engine import retrying
from dayfly.model.phases import ExecutionPhase, FailureKind, NodePhase
from dayfly.model.run import Failure, NodeState, RunOptions
from tests.property.arbitrary import node, plan_of

USER, SYSTEM = FailureKind.USER, FailureKind.SYSTEM


@pytest.mark.parametrize(
    ("kind", "recoverable", "attempts", "user_failures", "system_failures", "code", "message"),
    [
        (USER, True, 3, 0, 0, None, None),
        (USER, True, 3, 1, 3, None, None),
        (USER, True, 3, 2, 0, "RetriesExhausted|X", "[3/3] currentAttempt done. Last Error: USER::no"),
        (USER, True, 1, 0, 0, "RetriesExhausted|X", "[1/1] currentAttempt done. Last Error: USER::no"),
        (USER, False, 3, 0, 0, "X", "no"),
        (SYSTEM, True, 1, 0, 2, None, None),
        (SYSTEM, True, 1, 0, 3, "RetriesExhausted|X", "[3/3] currentAttempt done. Last Error: SYSTEM::no"),
        (SYSTEM, False, 1, 0, 0, "X", "no"),
        (FailureKind.UNKNOWN, True, 2, 0, 0, None, None),
    ],
)
def test_two_budgets(kind, recoverable, attempts, user_failures, system_failures, code, message):
    before = NodeState(NodePhase.RUNNING, 0, user_failures=user_failures, system_failures=system_failures)
    final = retrying.find_final_failure(
        node("n", max_attempts=attempts), RunOptions(), before, Failure(kind, "X", "no", 0), recoverable=recoverable
    )
    assert (final and final.code, final and final.message) == (code, message)
    if code and code != "X":
        assert final.kind is USER


def test_system_failures_do_not_use_up_the_users_attempts(launch):
    run = launch(plan_of(node("n", max_attempts=2)), system_retries=2)
    assert run.fails("n", 0, system=True) == ["start/n/1"]
    assert run.fails("n", 1) == ["start/n/2"]
    assert run.fails("n", 2, system=True) == ["start/n/3"]
    assert run.fails("n", 3, system=True) == []
    assert run.node("n").failure.code == "RetriesExhausted|Boom"
    assert (run.state.phase, run.state.failure.node) == (ExecutionPhase.FAILED, "n")


def test_the_last_system_attempt_is_not_interruptible(launch):
    run = launch(plan_of(node("n", interruptible=True)), system_retries=1)
    run.fails("n", 0, system=True)
    assert [attempt.interruptible for attempt in run.node("n").attempts] == [True, False]


@pytest.mark.parametrize(
    ("of_node", "of_run", "of_workflow", "expected"),
    [(None, None, True, True), (None, False, True, False), (True, False, False, True), (False, True, True, False)],
)
def test_who_says_whether_a_node_may_be_interrupted(of_node, of_run, of_workflow, expected):
    rules = node("n", interruptible=of_node)
    plan = plan_of(rules, interruptible=of_workflow)
    assert retrying.interruptible(plan, rules, RunOptions(interruptible=of_run), 0) is expected


def test_the_node_stays_running_over_its_attempts_and_an_attempt_ended_from_outside_is_free(launch):
    run = launch(plan_of(node("n")))
    run.runs("n")
    assert run.stops("n") == ["start/n/1"]
    assert run.node("n").phase is NodePhase.RUNNING
    assert run.node("n").attempts[0].failure.kind is SYSTEM


def test_an_attempt_says_which_budget_pays_for_it_and_what_is_left(launch):
    run = launch(plan_of(node("n", max_attempts=3, interruptible=True)), system_retries=1)
    run.fails("n", 0)
    run.fails("n", 1, system=True)
    run.fails("n", 2, recoverable=False)
    first, second, third = run.node("n").attempts
    assert first.reasons[-1].message == "USER failure Boom: retry 1 of 2 of the task's own retries, 1 left"
    assert second.reasons[0].message == first.reasons[-1].message
    assert third.reasons[0].message == (
        "SYSTEM failure Boom: retry 1 of 1 of the platform's retries, 0 left; "
        "it runs where nobody interrupts it, since it is the last of these"
    )
    assert "not retried though 1 of the task's own retries are left" in third.reasons[-1].message
    assert "FlyteRecoverableException" in third.reasons[-1].message


def test_used_up_budgets_are_told(launch):
    run = launch(plan_of(node("n", max_attempts=2)))
    run.fails("n", 0)
    run.fails("n", 1)
    assert run.last("n").reasons[-1].message == (
        "USER failure Boom: not retried, 1 of 1 of the task's own retries are used"
    )
