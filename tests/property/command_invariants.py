"""What must hold of the commands of one step, and of all commands ever: called by `invariants`.

A command and what changed in the state are two sides of one thing: for each kind of command, what must be commanded is
worked out from the states before and after, and must be what was.
"""

from __future__ import annotations

from collections.abc import Iterator

from dayfly.base.clock import SECOND
from dayfly.engine.step import Step
from dayfly.model.commands import CancelTimer, SetTimer
from dayfly.model.events import Event, NothingRecovered
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import TERMINAL_NODE, NodePhase, ScopePhase
from dayfly.model.plan import NodeKind
from dayfly.model.run import NodeState, RunState
from tests.property import node_invariants
from tests.property.watch import Watch, timer_node

PREPARED = (NodeKind.SUB_WORKFLOW, NodeKind.BRANCH, NodeKind.LAUNCH_PLAN, NodeKind.ARRAY)


def check_step(
    watch: Watch, before: RunState, known: dict[NodeId, NodeState], event: Event, after: Step, changed: list[NodeId]
) -> None:
    """Check that what changed was commanded, and nothing else; `known` are all nodes as they were."""
    wanted = {key for name in changed for key in _wanted(watch, known.get(name), name, event)}
    if watch.state.root.phase is ScopePhase.WRITING and before.root.phase is not ScopePhase.WRITING:
        wanted.add("outputs")
    given = [command.key for command in after.commands if not isinstance(command, (SetTimer, CancelTimer))]
    assert sorted(given) == sorted(wanted), "what was commanded is not what changed"
    for command in after.commands:
        assert watch.keys[command.key] == 1, f"issued twice: {command.key}"
        if isinstance(command, SetTimer):
            _check_due(watch, event, command)
        elif isinstance(command, CancelTimer):
            assert watch.keys[f"timer/{command.timer}"], "a timer was cancelled that never was set"


def check_history(watch: Watch) -> None:
    """Check all commands ever given: each once, and no more of them than the plan's size allows."""
    twice = [key for key, count in watch.keys.items() if count > 1]
    assert not twice, f"issued twice: {twice}"
    assert len(watch.keys) <= most_commands(watch), "more commands than the plan's size allows"
    if watch.state.ended:
        left = [timer for timers in watch.timers.values() for timer in timers]
        assert not left, f"timers left over: {left}"


def most_commands(watch: Watch) -> int:
    """Return how many commands the execution can have taken: its plan's size bounds its nodes, and its nodes these."""
    return 1 + sum(_most_of(watch, name) for name in watch.nodes)


def _most_of(watch: Watch, name: NodeId) -> int:
    rules, node = watch.rules[name], watch.nodes[name]
    rounds = rules.max_attempts if rules.kind is NodeKind.SUB_WORKFLOW else 1
    attempts = rules.max_attempts + watch.state.options.system_retries if rules.kind is NodeKind.TASK else 0
    # For an attempt: start, stop, a timer set and cancelled. For a look: the look itself. For a wait: a timer likewise.
    return 4 * attempts + node.looks + 2 * node.waits + rounds + 8


def _wanted(watch: Watch, before: NodeState | None, name: NodeId, event: Event) -> Iterator[str]:
    """Yield the keys of what must be commanded as a node goes from `before` to what it is now."""
    node, rules = watch.nodes[name], watch.rules[name]
    recovers = watch.state.options.recovers and name not in watch.handling
    if before is None and recovers:
        yield f"recover/{name}"
    begins = before is None if not recovers else before is not None and before.recovering > node.recovering
    begins = begins and node.phase is not NodePhase.RECOVERED
    signalled = rules.kind is NodeKind.GATE and rules.sleep_seconds is None
    if begins and (rules.kind in PREPARED or signalled):
        yield f"prepare/{name}"
    for attempt in node.attempts:
        was = before.attempts[attempt.number] if before and attempt.number < len(before.attempts) else None
        if was is None:
            yield f"start/{name}/{attempt.number}"
        if attempt.stopping is not None and (was is None or was.stopping is None):
            yield f"stop/{name}/{attempt.number}"
    for look in range(before.looks if before else 0, node.looks):
        yield f"look/{name}/{look}"
    if node.dynamic and not (before and before.dynamic) and node.phase is NodePhase.DYNAMIC_RUNNING:
        resumed = event.grew if isinstance(event, NothingRecovered) else None
        yield f"grow/{name}/{len(node.attempts) - 1 if resumed is None else resumed}"
    if node.writing and not (before and before.writing):
        yield f"fill/{name}" if rules.kind is NodeKind.TASK else f"outputs/{name}/0"
    if node.inner is not None and node.inner.phase is ScopePhase.WRITING:
        was_inner = before.inner if before else None
        if was_inner is None or (was_inner.phase, was_inner.round) != (ScopePhase.WRITING, node.inner.round):
            yield f"outputs/{name}/{node.inner.round}"
    ended = node.phase in TERMINAL_NODE and before is not None
    if ended and rules.cache and rules.cache.serializable and node.looks and node.phase is not NodePhase.SUCCEEDED:
        yield f"leave/{name}"
    told = node.stopping is not None and not (before and before.stopping)
    if rules.kind is NodeKind.LAUNCH_PLAN and told and node.phase not in TERMINAL_NODE:
        yield f"stop-child/{name}"


def _check_due(watch: Watch, event: Event, command: SetTimer) -> None:
    """A timer comes due when what it is for has had its time."""
    name, machine = timer_node(command.timer), command.timer.partition("/")[0]
    node, rules = watch.nodes[name], watch.rules[name]
    if machine == "attempt":
        started_at = node.attempts[-1].started_at
        assert started_at is not None and command.due_at == started_at + rules.attempt_timeout_seconds * SECOND
    elif machine == "node":
        assert command.due_at == event.at + node_invariants.time_limit(rules) * SECOND
    elif machine == "gate":
        assert command.due_at == event.at + (rules.sleep_seconds or 0) * SECOND
    else:
        assert command.due_at > event.at, "the cache is looked at again without a pause"
