from __future__ import annotations

from dayfly.model import events
from dayfly.model.phases import ExecutionPhase, NodePhase
from dayfly.model.plan import NodeKind
from tests.property.arbitrary import node, plan_of


def gate(name: str, **rules: object):
    return node(name, kind=NodeKind.GATE, **rules)


def test_it_opens_with_its_signal(launch):
    run = launch(plan_of(gate("g", signal="go"), gate("h", signal="stay")))
    assert run.first == ["prepare/g", "prepare/h"]
    assert run.tell(events.GateOpened, "g") == []
    run.tell(events.GateOpened, "h")
    assert run.tell(events.SignalSet, "go") == ["outputs/g/0"]
    assert run.tell(events.SignalSet, "go") == []
    run.writes("g")
    assert run.phases() == {"g": "SUCCEEDED", "h": "RUNNING"}


def test_a_signal_that_came_first_counts(launch):
    run = launch(plan_of(gate("g", signal="go")))
    assert run.tell(events.SignalSet, "go") == []
    assert run.tell(events.GateOpened, "g") == ["outputs/g/0"]


def test_one_signal_opens_all_that_wait_for_it(launch):
    run = launch(plan_of(gate("g", signal="go"), gate("h", signal="go")))
    run.tell(events.GateOpened, "g")
    run.tell(events.GateOpened, "h")
    assert run.tell(events.SignalSet, "go") == ["outputs/g/0", "outputs/h/0"]


def test_it_sleeps_its_time(launch):
    run = launch(plan_of(gate("g", sleep_seconds=3.0)))
    assert run.first == ["timer/gate/g"]
    assert run.commands[0].due_at == 4_000_000
    assert run.tell(events.TimerFired, "gate/g") == ["outputs/g/0"]
    assert run.tell(events.TimerFired, "gate/g") == []


def test_a_sleeper_that_is_stopped_leaves_no_timer(launch):
    run = launch(plan_of(gate("g", sleep_seconds=3.0)))
    assert run.aborts() == ["cancel/gate/g"]
    assert run.state.phase is ExecutionPhase.ABORTED


def test_one_that_waits_too_long_times_out(launch):
    run = launch(plan_of(gate("g", signal="go", attempt_timeout_seconds=5.0)))
    run.tell(events.GateOpened, "g")
    run.tell(events.TimerFired, "node/g")
    assert run.node("g").phase is NodePhase.TIMED_OUT
