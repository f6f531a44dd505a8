from __future__ import annotations

import pytest

from dayfly.model import events
from dayfly.model.phases import NodePhase
from dayfly.model.plan import NodeKind
from tests.property.arbitrary import node, plan_of


def array(**rules: object):
    element = rules.pop("element", node("one"))
    return node("m", kind=NodeKind.ARRAY, element=element, **rules)


def test_elements_run_side_by_side_and_leave_the_state(launch):
    run = launch(plan_of(array(parallelism=2)))
    assert run.first == ["prepare/m"]
    assert run.tell(events.ArrayMeasured, "m", 3) == ["start/m#0/0", "start/m#1/0"]
    assert run.succeeds("m#1") == ["start/m#2/0"]
    assert set(run.state.nodes) == {"m", "m#0", "m#2"}
    run.succeeds("m#0")
    assert run.succeeds("m#2") == ["outputs/m/0"]
    assert run.writes("m") == ["outputs"]


@pytest.mark.parametrize("size", [0, 7])
def test_elements_take_no_place_beside_their_array(launch, size):
    run = launch(plan_of(array()), max_parallelism=1, elements_at_once=5)
    started = run.tell(events.ArrayMeasured, "m", size)
    assert started == ([f"start/m#{index}/0" for index in range(5)] if size else ["outputs/m/0"])


@pytest.mark.parametrize(
    ("rules", "size", "required"),
    [
        ({}, 3, 3),
        ({"min_success_ratio": 0.5}, 3, 2),
        ({"min_success_ratio": 0.07}, 100, 7),
        ({"min_success_ratio": 0.0}, 4, 0),
        ({"min_successes": 2}, 3, 2),
        ({"min_successes": 5}, 3, 3),
    ],
)
def test_how_many_must_succeed(launch, rules, size, required):
    run = launch(plan_of(array(**rules)), elements_at_once=1)
    run.tell(events.ArrayMeasured, "m", size)
    assert run.node("m").array.required == required


def test_when_too_many_failed_the_rest_is_stopped_and_the_first_error_told(launch):
    run = launch(plan_of(array(min_successes=2)), elements_at_once=3)
    run.tell(events.ArrayMeasured, "m", 4)
    assert run.fails("m#1", recoverable=False) == ["start/m#3/0"]
    assert run.fails("m#0", recoverable=False) == []
    assert run.fails("m#3", recoverable=False) == ["stop/m#2/0"]
    run.stops("m#2")
    failure = run.node("m").failure
    assert (run.node("m").phase, failure.code) == (NodePhase.FAILED, "Boom")
    assert failure.message == "3 of 4 elements failed, 2 must succeed. The first that failed: [1]: it broke"


def test_enough_successes_are_a_success(launch):
    run = launch(plan_of(array(min_success_ratio=0.5)))
    run.tell(events.ArrayMeasured, "m", 2)
    run.fails("m#0", recoverable=False)
    assert run.succeeds("m#1") == ["outputs/m/0"]


def test_elements_are_retried_each_by_itself(launch):
    run = launch(plan_of(array(element=node("one", max_attempts=2))))
    run.tell(events.ArrayMeasured, "m", 2)
    assert run.fails("m#0") == ["start/m#0/1"]
    assert run.fails("m#1") == ["start/m#1/1"]


def test_an_element_that_makes_nodes_fails(launch):
    run = launch(plan_of(array(element=node("one", max_attempts=3))))
    run.tell(events.ArrayMeasured, "m", 1)
    assert run.succeeds("m#0", grows=True) == []
    assert run.node("m").failure.code == "DynamicElement"
    assert "Call the dynamic workflow from a launch plan" in run.node("m").failure.message


def test_an_element_that_makes_nodes_while_it_is_stopped_is_stopped(launch):
    run = launch(plan_of(array(), node("other")))
    run.tell(events.ArrayMeasured, "m", 1)
    run.aborts()
    run.stops("other")
    assert run.succeeds("m#0", grows=True) == []
    assert run.node("m").phase is NodePhase.ABORTED
