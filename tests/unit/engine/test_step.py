"""Whole executions, told event by event."""

from __future__ import annotations

from dayfly.engine import indexing
from dayfly.engine.step import step
from dayfly.model import events
from dayfly.model.phases import AttemptPhase, ExecutionPhase, FailureKind, FailurePolicy
from dayfly.model.run import RECENT_EVENTS, RunOptions, RunState
from tests.property.arbitrary import node, plan_of

CHAIN = plan_of(node("n0"), node("n1", "n0"))


def test_a_chain_from_launch_to_end(launch):
    run = launch(CHAIN)
    assert run.first == ["start/n0/0"]
    assert run.runs("n0") == []
    assert run.succeeds("n0") == ["start/n1/0"]
    run.runs("n1")
    assert run.succeeds("n1") == ["outputs"]
    assert run.state.phase is ExecutionPhase.SUCCEEDING
    assert run.tell(events.OutputsWritten) == []
    assert run.state.phase is ExecutionPhase.SUCCEEDED
    assert (run.state.started_at, run.state.ended_at) == (1_000_000, 6_000_000)
    assert (run.node("n1").queued_at, run.node("n1").started_at, run.node("n1").ended_at) == (3e6, 4e6, 5e6)


def test_a_plan_without_nodes_writes_its_outputs_at_once(launch):
    run = launch(plan_of())
    assert run.first == ["outputs"]
    run.tell(events.OutputsRejected, FailureKind.USER, "BadOutputs", "no such output")
    assert run.state.phase is ExecutionPhase.FAILED
    assert run.state.failure.code == "BadOutputs"


def test_parallelism_holds_back_in_registered_order_and_a_retry_keeps_its_place(launch):
    run = launch(plan_of(*(node(name, max_attempts=2) for name in "dacb")), max_parallelism=2)
    assert run.first == ["start/d/0", "start/a/0"]
    assert run.fails("d") == ["start/d/1"]
    assert run.succeeds("a") == ["start/c/0"]
    assert run.succeeds("d", 1) == ["start/b/0"]


def test_no_parallelism_limit_starts_everything(launch):
    run = launch(plan_of(*(node(f"n{place}") for place in range(40))), max_parallelism=0)
    assert len(run.first) == 40


def test_a_node_waits_for_all_its_upstreams(launch):
    run = launch(plan_of(node("a"), node("b"), node("c", "a", "b")))
    assert run.succeeds("b") == []
    assert run.succeeds("a") == ["start/c/0"]


def test_late_unknown_and_misplaced_events_change_nothing(launch):
    run = launch(CHAIN)
    run.runs("n0")
    before = run.state
    for ignored in (
        lambda: run.tell(events.AttemptProgressed, "n0", 0, AttemptPhase.INITIALIZING, at=1.5),
        lambda: run.tell(events.AttemptProgressed, "n0", 0, AttemptPhase.SUCCEEDED),
        lambda: run.succeeds("n0", 1),
        lambda: run.succeeds("n1"),
        lambda: run.fails("elsewhere"),
        lambda: run.tell(events.OutputsWritten),
        lambda: run.tell(events.TimerFired, "attempt/n0/0"),
        lambda: run.tell(events.TimerFired, "node/n0"),
        lambda: run.tell(events.Launched, RunOptions(max_parallelism=1)),
    ):
        assert ignored() == []
        assert run.state is before


def test_reports_merge_reasons_and_logs(launch):
    run = launch(CHAIN)
    link = events.LogLink
    waiting = AttemptPhase.WAITING_FOR_RESOURCES
    run.tell(events.AttemptProgressed, "n0", 0, waiting, "no room", (link("driver", "1"),))
    run.tell(events.AttemptProgressed, "n0", 0, waiting, "no room", (link("driver", "2"), link("worker", "3")))
    run.tell(events.AttemptProgressed, "n0", 0, AttemptPhase.RUNNING, "started", (), b"info")
    attempt = run.last("n0")
    assert [reason.message for reason in attempt.reasons] == ["no room", "started"]
    assert attempt.logs == (link("driver", "2"), link("worker", "3"))
    assert (attempt.custom_info, attempt.updates, attempt.phase) == (b"info", 3, AttemptPhase.RUNNING)


def test_an_executor_with_a_slow_clock_is_heard(launch):
    run = launch(CHAIN)
    run.tell(events.AttemptProgressed, "n0", 0, AttemptPhase.INITIALIZING, "pulling", at=0.1)
    run.tell(events.AttemptProgressed, "n0", 0, AttemptPhase.RUNNING, "running", at=0.2)
    run.tell(events.AttemptProgressed, "n0", 0, AttemptPhase.RUNNING, "half done", at=0.3)
    assert [reason.message for reason in run.last("n0").reasons] == ["pulling", "running", "half done"]
    assert run.last("n0").started_at == run.last("n0").queued_at


def test_the_story_is_short_and_without_heartbeats(launch):
    run = launch(plan_of(*(node(f"n{place}") for place in range(20))), max_parallelism=0)
    for place in range(20):
        run.runs(f"n{place}")
        run.tell(events.AttemptProgressed, f"n{place}", 0, AttemptPhase.RUNNING, "still")
    assert len(run.state.recent) == RECENT_EVENTS
    assert run.state.recent[-1] == "AttemptProgressed n19/0 RUNNING"


def test_a_plan_that_cannot_be_finished_fails_instead_of_hanging():
    for policy in FailurePolicy:
        plan = plan_of(node("a"), node("b", "c"), node("c", "b"), on_failure=policy)
        state = RunState()
        for event in (events.Launched(1, RunOptions()), events.AttemptSucceeded(2, "a", 0)):
            state = step(plan, state, event).state
        assert (state.phase, state.failure.code) == (ExecutionPhase.FAILED, "NodesUnreachable")


def test_the_index_is_kept_per_graph_object():
    assert indexing.of_graph(CHAIN) is indexing.of_graph(CHAIN)
    assert indexing.of_graph(plan_of(node("n0"))) is not indexing.of_graph(plan_of(node("n0")))
