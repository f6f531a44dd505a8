from __future__ import annotations

from dayfly.model.identifiers import EntityId
from dayfly.model.phases import ExecutionPhase, FailurePolicy, NodePhase
from dayfly.model.plan import NodeKind
from tests.property.arbitrary import graph_of, node, plan_of

INNER = EntityId(2, "p", "d", "inner", "v1")
HANDLED = plan_of(node("a"), node("b"), failure_node=node("efn"))


def test_the_failure_node_runs_when_all_others_are_stopped(launch):
    run = launch(HANDLED)
    assert run.fails("a", recoverable=False) == ["stop/b/0"]
    assert run.stops("b") == ["start/efn/0"]
    assert run.state.phase is ExecutionPhase.FAILING
    run.succeeds("efn")
    assert (run.state.phase, run.state.failure.node) == (ExecutionPhase.FAILED, "a")


def test_its_own_failure_takes_the_place_of_the_first(launch):
    run = launch(HANDLED)
    run.fails("a", recoverable=False)
    run.stops("b")
    run.fails("efn", recoverable=False)
    assert (run.state.phase, run.state.failure.node) == (ExecutionPhase.FAILED, "efn")


def test_an_abort_runs_no_failure_node_and_stops_one_that_runs(launch):
    run = launch(HANDLED)
    run.aborts()
    run.stops("a")
    assert run.stops("b") == []
    run = launch(HANDLED)
    run.fails("a", recoverable=False)
    run.stops("b")
    assert run.aborts() == ["stop/efn/0"]
    run.stops("efn")
    assert run.state.phase is ExecutionPhase.ABORTED


def test_a_failure_node_waits_for_room(launch):
    sub = node("s", kind=NodeKind.SUB_WORKFLOW, target=INNER)
    inner = graph_of(node("n0"), failure_node=node("efn"))
    later = FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
    nodes = (sub, node("a"), node("b"), node("d", "b"), node("e", "b"))
    run = launch(plan_of(*nodes, subs={str(INNER): inner}, on_failure=later), max_parallelism=2)
    run.prepares("s")
    assert run.succeeds("a") == ["start/s-0-n0/0"]
    assert run.succeeds("b") == ["start/d/0"]
    assert run.fails("s-0-n0", recoverable=False) == ["start/e/0"]
    assert run.succeeds("d") == ["start/s-0-efn/0"]
    run.succeeds("s-0-efn")
    assert run.node("s").phase is NodePhase.FAILED
    run.succeeds("e")
    assert (run.state.phase, run.state.failure.node) == (ExecutionPhase.FAILED, "s-0-n0")
