from __future__ import annotations

from dayfly.model import events
from dayfly.model.identifiers import EntityId
from dayfly.model.phases import ExecutionPhase, FailureKind, NodePhase
from dayfly.model.plan import NodeKind
from tests.property.arbitrary import graph_of, node, plan_of

INNER = EntityId(2, "p", "d", "inner", "v1")
SUBS = {str(INNER): graph_of(node("n0"), node("n1", "n0"))}


def sub(name: str, *upstream: str, **rules: object):
    return node(name, *upstream, kind=NodeKind.SUB_WORKFLOW, target=INNER, **rules)


def test_its_nodes_run_inside_of_it_and_have_its_name(launch):
    run = launch(plan_of(sub("s"), node("after", "s"), subs=SUBS))
    assert run.first == ["prepare/s"]
    assert run.prepares("s") == ["start/s-0-n0/0"]
    assert run.succeeds("s-0-n0") == ["start/s-0-n1/0"]
    assert run.succeeds("s-0-n1") == ["outputs/s/0"]
    assert run.writes("s") == ["start/after/0"]
    assert run.node("s-0-n1").parent == "s"


def test_another_round_runs_all_its_nodes_anew_while_its_retries_allow(launch):
    run = launch(plan_of(sub("s", max_attempts=2), subs=SUBS))
    run.prepares("s")
    run.succeeds("s-0-n0")
    assert run.fails("s-0-n1", recoverable=False) == ["start/s-1-n0/0"]
    assert run.node("s").phase is NodePhase.RUNNING
    run.fails("s-1-n0", recoverable=False)
    assert (run.node("s").phase, run.node("s").failure.node) == (NodePhase.FAILED, "s-1-n0")
    assert (run.state.phase, run.state.failure.code) == (ExecutionPhase.FAILED, "Boom")


def test_outputs_of_an_earlier_round_are_late(launch):
    run = launch(plan_of(sub("s", max_attempts=2), subs={str(INNER): graph_of(node("n0"))}))
    run.prepares("s")
    assert run.succeeds("s-0-n0") == ["outputs/s/0"]
    reject = (events.OutputsRejected, FailureKind.USER, "BadOutputs", "no such output", "s")
    assert run.tell(*reject, 0) == ["start/s-1-n0/0"]
    assert run.succeeds("s-1-n0") == ["outputs/s/1"]
    assert run.tell(*reject, 0) == []
    assert run.writes("s", 1) == ["outputs"]


def test_one_that_took_too_long_times_out_and_what_is_inside_is_aborted(launch):
    run = launch(plan_of(sub("s", attempt_timeout_seconds=5.0), subs=SUBS))
    assert run.first == ["timer/node/s", "prepare/s"]
    run.prepares("s")
    run.runs("s-0-n0")
    assert run.tell(events.TimerFired, "node/s") == ["stop/s-0-n0/0"]
    run.stops("s-0-n0")
    assert run.phases() == {"s": "TIMED_OUT", "s-0-n0": "ABORTED"}
    assert (run.node("s").failure.code, run.node("s-0-n0").failure.code) == ("Timeout", "NodeAborted")


def test_the_timers_of_what_is_inside_go_when_it_takes_too_long(launch):
    inner = graph_of(node("n0", attempt_timeout_seconds=50.0))
    run = launch(plan_of(sub("s", attempt_timeout_seconds=5.0), subs={str(INNER): inner}))
    run.prepares("s")
    run.runs("s-0-n0")
    assert run.tell(events.TimerFired, "node/s") == ["cancel/attempt/s-0-n0/0", "stop/s-0-n0/0"]


def test_an_abort_reaches_the_innermost_node(launch):
    outer = EntityId(2, "p", "d", "outer", "v1")
    subs = {**SUBS, str(outer): graph_of(sub("deep"))}
    run = launch(plan_of(node("s", kind=NodeKind.SUB_WORKFLOW, target=outer), subs=subs))
    run.prepares("s")
    run.prepares("s-0-deep")
    assert run.aborts() == ["stop/s-0-deep-0-n0/0"]
    run.stops("s-0-deep-0-n0")
    assert set(run.phases().values()) == {"ABORTED"}
    assert run.state.phase is ExecutionPhase.ABORTED


def test_its_nodes_wait_for_room_behind_those_that_came_before(launch):
    plan = plan_of(sub("s"), node("a"), node("b"), subs={str(INNER): graph_of(node("n0"), node("n1"))})
    run = launch(plan, max_parallelism=1)
    assert run.first == ["prepare/s", "start/a/0"]
    assert run.prepares("s") == []
    assert run.succeeds("a") == ["start/b/0"]
    assert run.succeeds("b") == ["start/s-0-n0/0"]
