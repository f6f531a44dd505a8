from __future__ import annotations

from dayfly.model import events
from dayfly.model.identifiers import EntityId
from dayfly.model.phases import ExecutionPhase, NodePhase
from dayfly.model.plan import NodeKind
from tests.property.arbitrary import graph_of, node, plan_of

INNER = EntityId(2, "p", "d", "inner", "v1")


def test_each_node_asks_first_and_runs_only_if_it_had_not_succeeded(launch):
    run = launch(plan_of(node("a"), node("b", "a")), recovers=True)
    assert run.first == ["recover/a"]
    assert run.tell(events.NodeRecovered, "a", True) == ["recover/b"]
    assert (run.node("a").phase, run.node("a").has_deck) == (NodePhase.RECOVERED, True)
    assert run.tell(events.NothingRecovered, "b", "checkpoints") == ["start/b/0"]
    assert run.node("b").recovered_from == "checkpoints"
    assert run.tell(events.NodeRecovered, "b") == []


def test_a_dynamic_task_goes_on_with_what_it_had_made(launch):
    run = launch(plan_of(node("d")), recovers=True)
    assert run.tell(events.NothingRecovered, "d", "", 2) == ["grow/d/2"]
    assert run.grows("d", plan_of(node("dn0"), digest="grown"), 2) == ["recover/d-2-dn0"]


def test_a_slow_clock_does_not_let_a_node_start_before_it_was_queued(launch):
    run = launch(plan_of(node("a")), recovers=True)
    run.tell(events.NodeRecovered, "a", at=0.2)
    assert run.node("a").started_at == run.node("a").queued_at == 1_000_000


def test_one_that_still_asks_has_begun_nothing_that_must_be_stopped(launch):
    plan = plan_of(
        node("l", kind=NodeKind.LAUNCH_PLAN),
        node("g", kind=NodeKind.GATE, sleep_seconds=3.0),
        node("m", max_attempts=2),
    )
    run = launch(plan, recovers=True)
    assert run.aborts() == []
    assert run.state.phase is ExecutionPhase.ABORTED
    assert run.tell(events.NothingRecovered, "l") == []


def test_what_is_told_of_one_that_still_asks_is_ignored(launch):
    run = launch(
        plan_of(node("s", kind=NodeKind.SUB_WORKFLOW, target=INNER), subs={str(INNER): graph_of()}), recovers=True
    )
    assert run.prepares("s") == []
    run.tell(events.NodeRecovered, "s")
    assert run.node("s").phase is NodePhase.RECOVERED


def test_nothing_of_a_failure_node_is_recovered(launch):
    handler = node("efn", kind=NodeKind.SUB_WORKFLOW, target=INNER)
    run = launch(plan_of(node("a"), failure_node=handler, subs={str(INNER): graph_of(node("n0"))}), recovers=True)
    run.tell(events.NothingRecovered, "a")
    assert run.fails("a", recoverable=False) == ["prepare/efn"]
    assert run.prepares("efn") == ["start/efn-0-n0/0"]
