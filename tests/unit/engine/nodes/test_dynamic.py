from __future__ import annotations

from dayfly.model import events
from dayfly.model.phases import FailureKind, NodePhase
from dayfly.model.plan import CacheRules, NodeKind
from tests.property.arbitrary import node, plan_of

GROWN = plan_of(node("dn0"), node("dn1", "dn0"), digest="grown")


def test_what_a_task_made_runs_inside_of_it(launch):
    run = launch(plan_of(node("d"), node("after", "d")), max_parallelism=1)
    assert run.succeeds("d", grows=True) == ["grow/d/0"]
    assert run.node("d").phase is NodePhase.DYNAMIC_RUNNING
    assert run.grows("d", GROWN) == ["start/d-0-dn0/0"]
    assert run.succeeds("d-0-dn0") == ["start/d-0-dn1/0"]
    assert run.succeeds("d-0-dn1") == ["outputs/d/0"]
    assert run.writes("d") == ["start/after/0"]


def test_names_and_outputs_go_by_the_attempt_that_made_them(launch):
    run = launch(plan_of(node("d", max_attempts=2)))
    run.fails("d")
    assert run.succeeds("d", 1, grows=True) == ["grow/d/1"]
    assert run.grows("d", GROWN, 1) == ["start/d-1-dn0/0"]
    run.succeeds("d-1-dn0")
    assert run.succeeds("d-1-dn1") == ["outputs/d/1"]


def test_what_failed_inside_is_not_repaired_by_another_attempt(launch):
    run = launch(plan_of(node("d", max_attempts=3)))
    run.succeeds("d", grows=True)
    run.grows("d", GROWN)
    assert run.fails("d-0-dn0", recoverable=False) == []
    assert (run.node("d").phase, run.node("d").failure.node) == (NodePhase.FAILED, "d-0-dn0")


def test_what_cannot_be_compiled_fails_the_node(launch):
    run = launch(plan_of(node("d", max_attempts=3)))
    run.succeeds("d", grows=True)
    run.tell(events.NodeFailed, "d", FailureKind.USER, "DynamicWorkflowBuildFailed", "a circle")
    assert run.node("d").failure.code == "DynamicWorkflowBuildFailed"


def test_a_plan_that_is_not_known_is_ignored(launch):
    run = launch(plan_of(node("d")))
    run.succeeds("d", grows=True)
    assert run.tell(events.Grown, "d", 0, "unknown") == []
    assert run.node("d").inner is None


def test_its_deadline_goes_on_while_its_nodes_run(launch):
    run = launch(plan_of(node("d", active_deadline_seconds=9.0)))
    run.succeeds("d", grows=True)
    run.grows("d", GROWN)
    assert run.tell(events.TimerFired, "node/d") == ["stop/d-0-dn0/0"]
    run.stops("d-0-dn0")
    assert run.phases() == {"d": "TIMED_OUT", "d-0-dn0": "ABORTED"}


def test_its_result_is_kept_once_its_nodes_are_done(launch):
    run = launch(plan_of(node("d", cache=CacheRules("1"))))
    run.tell(events.CacheMissed, "d")
    assert run.succeeds("d", grows=True) == ["grow/d/0"]
    assert run.grows("d", plan_of(digest="empty")) == ["outputs/d/0"]
    assert run.writes("d") == ["fill/d"]
    assert run.tell(events.CacheFilled, "d") == ["outputs"]


def test_what_makes_a_result_that_others_wait_for_goes_on_though_they_hold_all_places(launch):
    shared = CacheRules("1", serializable=True)
    run = launch(plan_of(node("d", cache=shared), node("child", kind=NodeKind.LAUNCH_PLAN)), max_parallelism=1)
    run.tell(events.CacheMissed, "d")
    # Its place is free while its nodes are compiled; the child, in which somebody waits for `d`, keeps it.
    assert run.succeeds("d", grows=True) == ["grow/d/0", "prepare/child"]
    assert run.grows("d", plan_of(node("dn0"), node("dn1"), digest="two")) == ["start/d-0-dn0/0"]
    assert run.succeeds("d-0-dn0") == ["start/d-0-dn1/0"]
    assert run.succeeds("d-0-dn1") == ["outputs/d/0"]


def test_whose_result_nobody_waits_for_waits_for_room(launch):
    child = node("child", kind=NodeKind.LAUNCH_PLAN)
    run = launch(plan_of(node("d", cache=CacheRules("1")), child), max_parallelism=1)
    run.tell(events.CacheMissed, "d")
    run.succeeds("d", grows=True)
    assert run.grows("d", GROWN) == []


def test_inside_of_it_a_node_that_waited_for_the_cache_goes_on_likewise(launch):
    shared = CacheRules("1", serializable=True)
    run = launch(plan_of(node("d", cache=shared), node("child", kind=NodeKind.LAUNCH_PLAN)), max_parallelism=1)
    run.tell(events.CacheMissed, "d")
    run.succeeds("d", grows=True)
    assert run.grows("d", plan_of(node("dn0", cache=shared), digest="one")) == ["look/d-0-dn0/0"]
    assert run.tell(events.CacheBusy, "d-0-dn0", 0) == ["timer/cache/d-0-dn0/1"]
    assert run.tell(events.TimerFired, "cache/d-0-dn0/1") == ["look/d-0-dn0/1"]
