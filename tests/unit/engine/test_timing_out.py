from __future__ import annotations

from dayfly.model import events
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase
from tests.property.arbitrary import node, plan_of

SLOW = plan_of(node("n", max_attempts=2, attempt_timeout_seconds=5.0))
DEADLINE = plan_of(node("n", max_attempts=3, attempt_timeout_seconds=5.0, active_deadline_seconds=8.0))


def test_an_attempt_has_its_time_from_running(launch):
    run = launch(SLOW)
    assert run.first == ["start/n/0"]
    assert run.runs("n") == ["timer/attempt/n/0"]
    assert run.commands[-1].due_at == 7_000_000
    assert run.tell(events.TimerFired, "attempt/n/0", at=7) == ["stop/n/0"]
    assert run.stops("n") == ["start/n/1"]
    assert run.node("n").attempts[0].failure.code == "TimeoutExpired"
    run.runs("n", 1)
    run.tell(events.TimerFired, "attempt/n/1")
    run.fails("n", 1, system=True, recoverable=False)
    assert run.node("n").failure.code == "RetriesExhausted|TimeoutExpired"
    assert "longer than its timeout of 5 s" in run.state.failure.message


def test_what_it_was_at_is_told_after_the_limit_that_it_passed(launch):
    run = launch(SLOW)
    run.runs("n")
    run.tell(events.TimerFired, "attempt/n/0")
    run.stops("n", told="It was asleep.")
    assert run.node("n").attempts[0].failure.message.endswith("ran longer than its timeout of 5 s. It was asleep.")
    run = launch(DEADLINE)
    run.runs("n")
    run.tell(events.TimerFired, "node/n")
    run.stops("n", told="It was asleep.")
    assert run.state.failure.message.endswith("of being queued, over 1 attempt(s). It was asleep.")


def test_what_it_was_at_is_no_matter_of_an_abort(launch):
    run = launch(SLOW)
    run.runs("n")
    run.tell(events.TimerFired, "attempt/n/0")
    run.aborts()
    run.stops("n", told="It was asleep.")
    assert "asleep" not in run.last("n").failure.message


def test_the_timer_goes_with_the_attempt(launch):
    run = launch(SLOW)
    run.runs("n")
    assert run.fails("n") == ["cancel/attempt/n/0", "start/n/1"]
    run.runs("n", 1)
    assert run.succeeds("n", 1) == ["cancel/attempt/n/1", "outputs"]
    assert run.tell(events.TimerFired, "attempt/n/1") == []


def test_success_wins_over_a_timeout(launch):
    run = launch(SLOW)
    run.runs("n")
    run.tell(events.TimerFired, "attempt/n/0")
    assert run.succeeds("n") == ["outputs"]
    assert (run.last("n").phase, run.node("n").phase) == (AttemptPhase.SUCCEEDED, NodePhase.SUCCEEDED)


def test_a_node_has_its_deadline_from_its_first_queued(launch):
    run = launch(DEADLINE)
    assert run.first == ["timer/node/n", "start/n/0"]
    assert run.commands[0].due_at == 9_000_000
    run.fails("n")
    run.runs("n", 1)
    assert run.tell(events.TimerFired, "node/n") == ["cancel/attempt/n/1", "stop/n/1"]
    assert run.stops("n", 1) == []
    assert run.node("n").phase is NodePhase.TIMED_OUT
    assert (run.state.phase, run.state.failure.code) == (ExecutionPhase.FAILED, "Timeout")


def test_the_deadline_is_stronger_than_the_timeout_and_stops_no_second_time(launch):
    run = launch(DEADLINE)
    run.runs("n")
    assert run.tell(events.TimerFired, "attempt/n/0") == ["stop/n/0"]
    assert run.tell(events.TimerFired, "node/n") == []
    run.stops("n")
    assert run.node("n").phase is NodePhase.TIMED_OUT
