from __future__ import annotations

from dayfly.model import events
from dayfly.model.phases import CacheStatus, FailureKind, NodePhase
from dayfly.model.plan import CacheRules
from tests.property.arbitrary import node, plan_of

CACHED = plan_of(node("n", cache=CacheRules("1")))
ALONE = plan_of(node("n", cache=CacheRules("1", serializable=True)))


def test_a_hit_ends_the_node_without_an_attempt(launch):
    run = launch(CACHED)
    assert run.first == ["look/n/0"]
    assert run.tell(events.CacheHit, "n", b"from") == ["outputs"]
    assert (run.node("n").cache, run.node("n").catalog, run.node("n").attempts) == (CacheStatus.HIT, b"from", ())


def test_after_a_miss_the_result_is_made_and_kept(launch):
    run = launch(CACHED)
    assert run.tell(events.CacheMissed, "n") == ["start/n/0"]
    assert run.succeeds("n") == ["fill/n"]
    assert run.node("n").phase is not NodePhase.SUCCEEDED
    assert run.tell(events.CacheFilled, "n") == ["outputs"]
    assert run.node("n").cache is CacheStatus.POPULATED


def test_to_overwrite_is_not_to_look(launch):
    run = launch(CACHED, overwrite_cache=True)
    assert run.first == ["start/n/0"]
    assert run.node("n").cache is CacheStatus.SKIPPED
    assert run.succeeds("n") == ["fill/n"]


def test_while_another_makes_the_result_the_cache_is_asked_again(launch):
    run = launch(ALONE)
    assert run.tell(events.CacheBusy, "n", 0) == ["timer/cache/n/1"]
    assert run.tell(events.CacheBusy, "n", 0) == []
    assert run.tell(events.TimerFired, "cache/n/1") == ["look/n/1"]
    assert run.tell(events.TimerFired, "cache/n/1") == []
    assert run.tell(events.CacheHit, "n") == ["outputs"]


def test_the_right_to_make_a_result_is_given_up_by_who_fails(launch):
    run = launch(ALONE)
    run.tell(events.CacheMissed, "n")
    assert run.fails("n", recoverable=False) == ["leave/n"]


def test_who_is_stopped_while_it_asks_gives_up_the_right_it_may_get(launch):
    assert launch(ALONE).aborts() == ["leave/n"]
    run = launch(ALONE)
    run.tell(events.CacheBusy, "n", 0)
    assert run.aborts() == ["cancel/cache/n/1", "leave/n"]


def test_inputs_that_cannot_be_put_together_fail_the_node(launch):
    run = launch(CACHED)
    run.tell(events.NodeFailed, "n", FailureKind.USER, "BadInputs", "no such input")
    assert run.node("n").phase is NodePhase.FAILED


def test_a_node_that_waits_for_anothers_result_gives_its_place_up(launch):
    shared = CacheRules("1", serializable=True)
    run = launch(plan_of(node("waiter", cache=shared), node("next")), max_parallelism=1)
    assert run.tell(events.CacheBusy, "waiter", 0) == ["timer/cache/waiter/1", "start/next/0"]
    assert run.tell(events.TimerFired, "cache/waiter/1") == ["timer/cache/waiter/2"]
    assert run.succeeds("next") == []
    assert run.tell(events.TimerFired, "cache/waiter/2") == ["look/waiter/1"]
    assert run.tell(events.CacheHit, "waiter") == ["outputs"]
