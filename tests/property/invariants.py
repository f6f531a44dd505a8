"""What must hold of every execution, whatever the world does: said without the engine's own rules or tables.

`check_step` looks at one step, `check_state` at a state, `check_history` at all that was ever commanded. They raise
AssertionError, so that the property tests, the unit tests' fixture and the planted bugs use the same words.
"""

from __future__ import annotations

import itertools
from collections import Counter

from dayfly.engine.step import Step, step
from dayfly.model import run
from dayfly.model.commands import CancelTimer, Command, SetTimer, StartAttempt, StopAttempt, WriteOutputs
from dayfly.model.events import Event, TimerFired
from dayfly.model.identifiers import START_NODE, NodeId
from dayfly.model.phases import TERMINAL_NODE, AttemptPhase, ExecutionPhase, FailureKind, FailurePolicy, NodePhase
from dayfly.model.plan import Plan
from dayfly.model.run import AttemptState, NodeState, RunState

WAITING = {AttemptPhase.QUEUED, AttemptPhase.WAITING_FOR_RESOURCES, AttemptPhase.INITIALIZING}
ENDING = {ExecutionPhase.FAILING, ExecutionPhase.ABORTING}


def check_step(plan: Plan, before: RunState, event: Event, after: Step) -> None:
    """Check one step against the state it started from."""
    if before.ended:
        assert after.state == before, "a terminal state changed"
        assert not after.commands, "a terminal execution gave commands"
    if after.state is before:
        assert not after.commands, "an ignored event gave commands"
        return
    check_state(plan, after.state)
    check_starts(plan, before, after)
    check_stops(before, after)
    check_kept(before, after.state)
    again = step(plan, after.state, event)
    assert again.state == after.state, "the same event again changed something"
    assert not again.commands, "the same event again gave commands"


def check_starts(plan: Plan, before: RunState, after: Step) -> None:
    """New attempts and start commands are one; only nodes that may start do, in a running execution."""
    new = {
        (node, attempt.number)
        for node, state in after.state.nodes.items()
        for attempt in state.attempts[len(before.nodes[node].attempts) if node in before.nodes else 0 :]
    }
    commanded = [(c.node, c.attempt) for c in after.commands if isinstance(c, StartAttempt)]
    assert len(commanded) == len(set(commanded)), "an attempt was issued twice in one step"
    assert set(commanded) == new, "starts and new attempts differ"
    if before.phase in ENDING or before.abort or after.state.abort:
        assert not new, "something new started while the execution was ending"
    for node, _ in new:
        for upstream in plan.nodes[node].upstream:
            if upstream != START_NODE:
                found = after.state.nodes.get(upstream)
                assert found and found.phase is NodePhase.SUCCEEDED, f"{node} started before {upstream} succeeded"


def check_stops(before: RunState, after: Step) -> None:
    """Each attempt is told to stop at most once, and whoever must stop was told."""
    stops = [(c.node, c.attempt) for c in after.commands if isinstance(c, StopAttempt)]
    told = {
        (node, state.attempts[-1].number)
        for node, state in after.state.nodes.items()
        if state.attempts[-1].stopping and not _was_stopping(before, node, state.attempts[-1].number)
    }
    assert sorted(stops) == sorted(told), "stops differ from the attempts that became stopping"
    if after.state.phase in ENDING:
        for node, state in after.state.nodes.items():
            last = state.attempts[-1]
            assert not last.live or last.stopping, f"{node} goes on although the execution is ending"


def check_kept(before: RunState, after: RunState) -> None:
    """What is over does not change, time does not run back, running does not become waiting."""
    assert after.updated_at >= before.updated_at
    assert before.launched_at in (None, after.launched_at)
    assert before.started_at in (None, after.started_at)
    for node, old in before.nodes.items():
        new = after.nodes[node]
        if old.phase in TERMINAL_NODE:
            assert new == old, f"terminal node {node} changed"
        assert len(new.attempts) >= len(old.attempts)
        for was, now in zip(old.attempts, new.attempts, strict=False):
            if not was.live:
                assert now == was, f"terminal attempt {node}/{was.number} changed"
            if was.phase is AttemptPhase.RUNNING:
                assert now.phase not in WAITING, f"{node}/{was.number} went back from RUNNING"


def check_state(plan: Plan, state: RunState) -> None:
    """Check everything a state says against everything else it says."""
    assert run.decode(run.encode(state)) == state, "the state does not survive being stored"
    assert set(state.nodes) <= set(plan.nodes)
    for node, node_state in state.nodes.items():
        _check_node(plan, state, node, node_state)
    live = sum(1 for node in state.nodes.values() if node.attempts[-1].live)
    assert state.live == live, "live nodes are miscounted"
    assert len(state.recent) <= run.RECENT_EVENTS
    limit = state.options.max_parallelism
    if limit > 0:
        assert live <= limit, "more nodes are live than allowed"
    if state.phase is ExecutionPhase.RUNNING:
        waiting = list(waiting_in(plan, state.root))
        assert waiting == _ready(plan, state), "waiting is not what is ready"
        assert not waiting or live == limit, "there is room, but something waits"
        assert live, "a running execution has nothing to wait for"
    if state.phase in ENDING:
        assert live, "an ending execution has nothing to wait for"
    _check_policy(plan, state)
    if state.ended:
        _check_end(plan, state)


def check_history(plan: Plan, state: RunState, commands: list[Command], fired: list[TimerFired]) -> None:
    """Check all commands ever given for one execution."""
    keys = Counter(command.key for command in commands)
    twice = [key for key, count in keys.items() if count > 1]
    assert not twice, f"issued twice: {twice}"
    assert len(commands) <= most_commands(plan, state), "more commands than the plan's size allows"
    timers = {c.timer for c in commands if isinstance(c, SetTimer)}
    cancelled = {c.timer for c in commands if isinstance(c, CancelTimer)}
    assert cancelled <= timers, "a timer was cancelled that never was set"
    if state.ended:
        left = timers - cancelled - {event.timer for event in fired}
        assert not left, f"timers left over: {left}"
    stopped = {(c.node, c.attempt) for c in commands if isinstance(c, StopAttempt)}
    for node, node_state in state.nodes.items():
        for attempt in node_state.attempts:
            assert ((node, attempt.number) in stopped) == (attempt.stopping is not None)
    if any(isinstance(command, WriteOutputs) for command in commands):
        assert all(state.nodes[node].phase is NodePhase.SUCCEEDED for node in plan.nodes)


def most_commands(plan: Plan, state: RunState) -> int:
    """Return how many commands an execution of the plan can take: start, stop and two for a timer per attempt."""
    attempts = sum(node.max_attempts + state.options.system_retries for node in plan.nodes.values())
    return 4 * attempts + 2 * len(plan.nodes) + 1


def waiting_in(plan, scope):
    order = {name: place for place, name in enumerate(plan.nodes)}
    roots = [name for name, node in plan.nodes.items() if set(node.upstream) <= {START_NODE} and node.takes_place]
    return sorted([*roots[scope.cursor :], *scope.ready], key=order.__getitem__)


def _was_stopping(before: RunState, node: NodeId, number: int) -> bool:
    attempts = before.nodes[node].attempts if node in before.nodes else ()
    return number < len(attempts) and attempts[number].stopping is not None


def _ready(plan: Plan, state: RunState) -> list[NodeId]:
    done = {START_NODE} | {name for name, node in state.nodes.items() if node.phase is NodePhase.SUCCEEDED}
    return [name for name, node in plan.nodes.items() if name not in state.nodes and done.issuperset(node.upstream)]


def _check_node(plan: Plan, state: RunState, name: NodeId, node: NodeState) -> None:
    rules, retries = plan.nodes[name], state.options.system_retries
    assert [attempt.number for attempt in node.attempts] == list(range(len(node.attempts)))
    assert not any(attempt.live for attempt in node.attempts[:-1]), f"{name} has two live attempts"
    last = node.attempts[-1]
    assert last.live == (node.phase not in TERMINAL_NODE), f"{name} and its last attempt disagree"
    assert len(node.attempts) <= rules.max_attempts + retries, f"{name} had more attempts than its policy allows"
    failures = [a.failure for a in node.attempts if a.phase is AttemptPhase.FAILED and a.failure]
    if node.phase is NodePhase.TIMED_OUT:
        failures.pop()
    system = sum(failure.kind is FailureKind.SYSTEM for failure in failures)
    assert (node.system_failures, node.user_failures) == (system, len(failures) - system)
    assert node.user_failures <= rules.max_attempts
    assert node.system_failures <= retries + 1
    assert (node.failure is not None) == (node.phase in TERMINAL_NODE - {NodePhase.SUCCEEDED})
    assert (node.ended_at is not None) == (node.phase in TERMINAL_NODE)
    ends = {NodePhase.SUCCEEDED: AttemptPhase.SUCCEEDED, NodePhase.ABORTED: AttemptPhase.ABORTED}
    if node.phase in TERMINAL_NODE:
        assert last.phase is ends.get(node.phase, AttemptPhase.FAILED), f"{name} ended otherwise than its attempt"
    _check_times(node.queued_at, node.started_at, node.ended_at)
    for attempt in node.attempts:
        _check_attempt(plan, state, name, attempt)


def _check_attempt(plan: Plan, state: RunState, name: NodeId, attempt: AttemptState) -> None:
    assert (attempt.ended_at is not None) == (not attempt.live)
    assert (attempt.failure is not None) == (attempt.phase in (AttemptPhase.FAILED, AttemptPhase.ABORTED))
    assert attempt.started_at is not None or attempt.phase not in (AttemptPhase.RUNNING, AttemptPhase.SUCCEEDED)
    _check_times(attempt.queued_at, attempt.started_at, attempt.ended_at)
    texts = [reason.message for reason in attempt.reasons]
    assert all(one != two for one, two in itertools.pairwise(texts)), "a reason is repeated"
    assert len({link.name for link in attempt.logs}) == len(attempt.logs), "a log is named twice"
    earlier = state.nodes[name].attempts[: attempt.number]
    system = sum(a.failure is not None and a.failure.kind is FailureKind.SYSTEM for a in earlier)
    wishes = (plan.nodes[name].interruptible, state.options.interruptible, plan.interruptible)
    wish = next(wish for wish in wishes if wish is not None)
    assert attempt.interruptible == (wish and system < state.options.system_retries), "wrongly interruptible"


def _check_policy(plan: Plan, state: RunState) -> None:
    failed = {name for name, node in state.nodes.items() if node.phase in (NodePhase.FAILED, NodePhase.TIMED_OUT)}
    if not failed or state.abort:
        return
    assert state.failure is not None, "a node failed and the execution does not know"
    assert state.failure.node in failed
    assert state.failure.code == state.nodes[state.failure.node].failure.code
    if plan.on_failure is FailurePolicy.FAIL_IMMEDIATELY:
        assert state.phase in (ExecutionPhase.FAILING, ExecutionPhase.FAILED), "a node failed and the execution goes on"


def _check_times(queued: int, started: int | None, ended: int | None) -> None:
    times = [time for time in (queued, started, ended) if time is not None]
    assert times == sorted(times), "time runs backwards"


def _check_end(plan: Plan, state: RunState) -> None:
    assert state.live == 0, "something is live after the end"
    assert state.ended_at is not None
    assert (state.phase is ExecutionPhase.FAILED) == (state.failure is not None)
    assert (state.phase is ExecutionPhase.ABORTED) == (state.abort is not None)
    assert True
    if state.phase is ExecutionPhase.SUCCEEDED:
        assert all(state.nodes[node].phase is NodePhase.SUCCEEDED for node in plan.nodes)
