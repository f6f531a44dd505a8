from __future__ import annotations

from dayfly.engine.step import step
from dayfly.model import events
from dayfly.model.phases import AttemptPhase, ExecutionPhase, FailurePolicy, NodePhase
from dayfly.model.run import RunOptions, RunState
from tests.property.arbitrary import node, plan_of

TWO = plan_of(node("a"), node("b"), node("c", "a"))
LATER = FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE


def test_an_abort_stops_each_live_attempt_once_and_ends_when_all_have(launch):
    run = launch(TWO)
    assert run.tell(events.AbortRequested, "enough", "ann") == ["stop/a/0", "stop/b/0"]
    assert run.state.phase is ExecutionPhase.ABORTING
    assert run.tell(events.AbortRequested, "really", "bob") == []
    assert run.succeeds("a") == []
    assert run.stops("b") == []
    assert run.state.phase is ExecutionPhase.ABORTED
    assert run.phases() == {"a": "ABORTED", "b": "ABORTED"}
    assert run.last("a").phase is AttemptPhase.ABORTED
    assert (run.state.abort.principal, run.node("a").failure.code) == ("bob", "NodeAborted")


def test_an_abort_with_nothing_live_ends_at_once(launch):
    run = launch(plan_of())
    run.tell(events.AbortRequested, "enough", "ann")
    assert run.state.phase is ExecutionPhase.ABORTED
    run.tell(events.OutputsWritten)
    assert run.state.phase is ExecutionPhase.ABORTED


def test_an_abort_that_comes_first_leaves_nothing_to_launch():
    state = step(TWO, RunState(), events.AbortRequested(1, "enough")).state
    assert state.phase is ExecutionPhase.ABORTED
    assert step(TWO, state, events.Launched(2, RunOptions())).commands == ()


def test_an_abort_takes_the_timers_along(launch):
    run = launch(plan_of(node("a", attempt_timeout_seconds=5.0, active_deadline_seconds=10.0)))
    run.runs("a")
    assert run.tell(events.AbortRequested, "enough", "ann") == ["cancel/attempt/a/0", "cancel/node/a", "stop/a/0"]


def test_a_failure_stops_all_others_and_keeps_its_own_error(launch):
    run = launch(TWO)
    assert run.fails("a", recoverable=False) == ["stop/b/0"]
    assert run.state.phase is ExecutionPhase.FAILING
    run.stops("b")
    assert (run.state.phase, run.state.failure.code, run.state.failure.node) == (ExecutionPhase.FAILED, "Boom", "a")
    assert run.node("b").phase is NodePhase.ABORTED
    assert run.node("b").failure.message == "Some node execution failed, auto-abort."


def test_an_abort_while_failing_ends_aborted_without_a_second_stop(launch):
    run = launch(TWO)
    run.fails("a", recoverable=False)
    assert run.tell(events.AbortRequested, "enough", "ann") == []
    run.stops("b")
    assert run.state.phase is ExecutionPhase.ABORTED


def test_the_patient_policy_runs_what_it_can_and_fails_with_the_last_error(launch):
    run = launch(plan_of(node("a"), node("b"), node("c", "a"), node("d", "b"), on_failure=LATER))
    assert run.fails("a", recoverable=False) == []
    assert run.state.phase is ExecutionPhase.RUNNING
    assert run.succeeds("b") == ["start/d/0"]
    run.fails("d", recoverable=False)
    assert run.phases() == {"a": "FAILED", "b": "SUCCEEDED", "d": "FAILED"}
    assert (run.state.phase, run.state.failure.node) == (ExecutionPhase.FAILED, "d")
