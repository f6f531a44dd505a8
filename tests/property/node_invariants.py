"""What must hold of one node, by its kind: called by `invariants` for each that changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal

from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import TERMINAL_NODE, AttemptPhase, CacheStatus, FailureKind, NodePhase, ScopePhase
from dayfly.model.plan import NodeKind, PlanNode
from dayfly.model.run import AttemptState, NodeState
from tests.property.watch import Watch

DONE = {NodePhase.SUCCEEDED, NodePhase.RECOVERED}
FAILED = {NodePhase.FAILED, NodePhase.TIMED_OUT}
ABORTED_CODE, TIMEOUT_CODE, ATTEMPT_TIMEOUT_CODE = "NodeAborted", "Timeout", "TimeoutExpired"


def check(watch: Watch, name: NodeId) -> None:
    """Check a node as it is now, or as it was when it was folded."""
    node, rules = watch.nodes[name], watch.rules[name]
    ended = node.phase in TERMINAL_NODE
    assert node.kind is rules.kind
    assert (node.ended_at is not None) == ended
    assert (node.failure is not None) == (ended and node.phase not in DONE), f"{name}: {node.phase.name} and its error"
    _check_times(node.queued_at, node.started_at, node.ended_at)
    if node.phase is NodePhase.TIMED_OUT:
        assert node.failure is not None and node.failure.code == TIMEOUT_CODE and time_limit(rules) > 0
    if node.phase is NodePhase.ABORTED:
        assert node.failure is not None and node.failure.code == ABORTED_CODE
    if node.phase is NodePhase.RECOVERED:
        assert watch.state.options.recovers and name not in watch.handling and not node.attempts
        return
    assert not (ended and node.writing), f"{name} ended while its outputs were being written"
    assert rules.kind is NodeKind.TASK or not node.attempts, f"{name} is no task and has attempts"
    if ended:
        left = [one for one in watch.inside(name) if watch.nodes[one].phase not in TERMINAL_NODE]
        assert not left, f"{name} ended before {left} inside of it"
    _CHECKS[rules.kind](watch, name, node, rules)
    assert expected_timers(node, rules, name) == watch.timers.get(name, set()), f"the timers of {name} are wrong"


def time_limit(rules: PlanNode) -> float:
    """Return the seconds a node may take in all: Flyte gives a task's attempts their own."""
    return rules.active_deadline_seconds if rules.kind is NodeKind.TASK else rules.attempt_timeout_seconds


def expected_timers(node: NodeState, rules: PlanNode, name: NodeId) -> set[str]:
    """Return the timers that must be set for a node in this state: no more, no less."""
    if node.phase in TERMINAL_NODE:
        return set()
    timers = {f"node/{name}"} if node.watched else set()
    last = node.attempts[-1] if node.attempts else None
    if last is not None and last.live and last.started_at is not None and last.stopping is None:
        timers |= {f"attempt/{name}/{last.number}"} if rules.attempt_timeout_seconds > 0 else set()
    if rules.sleep_seconds is not None and node.phase is NodePhase.RUNNING and not node.writing:
        timers.add(f"gate/{name}")
    if last is None and node.looks and node.looks == node.busy:
        timers.add(f"cache/{name}/{node.waits}")
    return timers


def required_successes(rules: PlanNode, size: int) -> int:
    """Return how many of an array's elements must succeed, as exact arithmetic has it."""
    if rules.min_successes is not None:
        return min(size, rules.min_successes)
    return int((Decimal(str(rules.min_success_ratio)) * size).to_integral_value(ROUND_CEILING))


def _check_task(watch: Watch, name: NodeId, node: NodeState, rules: PlanNode) -> None:
    retries = watch.state.options.system_retries
    assert [attempt.number for attempt in node.attempts] == list(range(len(node.attempts)))
    assert not any(attempt.live for attempt in node.attempts[:-1]), f"{name} has two live attempts"
    assert len(node.attempts) <= rules.max_attempts + retries, f"{name} had more attempts than its policy allows"
    failures = [a.failure for a in node.attempts if a.phase is AttemptPhase.FAILED and a.failure]
    counted = [failure for failure in failures if failure.code != TIMEOUT_CODE]
    system = sum(failure.kind is FailureKind.SYSTEM for failure in counted)
    assert (node.system_failures, node.user_failures) == (system, len(counted) - system)
    assert node.user_failures <= rules.max_attempts
    assert node.system_failures <= retries + 1
    exhausted = node.failure is not None and node.failure.code.startswith("RetriesExhausted|")
    if exhausted and not node.dynamic:
        assert rules.max_attempts == node.user_failures or node.system_failures == retries + 1, f"{name} gave up early"
    _check_cache(watch, name, node, rules)
    last = node.attempts[-1] if node.attempts else None
    succeeded = last is not None and last.phase is AttemptPhase.SUCCEEDED
    assert not node.dynamic or last is None or succeeded
    assert not node.dynamic or "#" not in name, "an element of an array made nodes"
    if node.phase not in TERMINAL_NODE:
        asking = last is None and (node.looks > 0 or watch.state.options.recovers)
        grows = node.dynamic and (node.inner is None or node.inner.phase is not ScopePhase.ENDED)
        assert (last is not None and last.live) or asking or grows or node.writing, f"{name} waits for nothing"
        assert node.writing <= (succeeded or node.dynamic)
    else:
        assert last is None or not last.live, f"{name} ended before its attempt"
    if node.phase is NodePhase.SUCCEEDED:
        assert succeeded or node.dynamic or (last is None and node.cache is CacheStatus.HIT), f"{name}: no attempt did"
        assert not node.dynamic or _went_well(node), f"{name} succeeded, but not what it made"
    elif node.phase in TERMINAL_NODE and last is not None and not succeeded:
        wanted = AttemptPhase.ABORTED if node.phase is NodePhase.ABORTED else AttemptPhase.FAILED
        assert last.phase is wanted, f"{name} ended otherwise than its attempt"
    for attempt in node.attempts:
        _check_attempt(watch, name, node, rules, attempt)


def _check_attempt(watch: Watch, name: NodeId, node: NodeState, rules: PlanNode, attempt: AttemptState) -> None:
    assert (attempt.ended_at is not None) == (not attempt.live)
    assert (attempt.failure is not None) == (attempt.phase in (AttemptPhase.FAILED, AttemptPhase.ABORTED))
    assert attempt.started_at is not None or attempt.phase not in (AttemptPhase.RUNNING, AttemptPhase.SUCCEEDED)
    _check_times(attempt.queued_at, attempt.started_at, attempt.ended_at)
    texts = [reason.message for reason in attempt.reasons]
    assert all(one != two for one, two in itertools.pairwise(texts)), "a reason is repeated"
    assert len({link.name for link in attempt.logs}) == len(attempt.logs), "a log is named twice"
    earlier = node.attempts[: attempt.number]
    system = sum(a.failure is not None and a.failure.kind is FailureKind.SYSTEM for a in earlier)
    wishes = (rules.interruptible, watch.state.options.interruptible, watch.graph(_workflow(watch, name)).interruptible)
    wish = next(wish for wish in wishes if wish is not None)
    assert attempt.interruptible == (wish and system < watch.state.options.system_retries), "wrongly interruptible"


def _check_cache(watch: Watch, name: NodeId, node: NodeState, rules: PlanNode) -> None:
    assert node.busy <= node.looks <= node.busy + 1
    assert node.busy <= watch.missed[name], f"{name} looks at the cache more often than it was told to"
    if rules.cache is None:
        assert not node.looks and node.cache is CacheStatus.DISABLED, f"{name} has no cache and looks"
    elif watch.state.options.overwrite_cache:
        assert not node.looks, f"{name} is to be made anew and looks at the cache"
    elif node.attempts:
        assert node.looks == node.busy + 1, f"{name} started without looking at the cache"
    if rules.cache is not None and node.phase is NodePhase.SUCCEEDED:
        assert node.cache in (CacheStatus.HIT, CacheStatus.POPULATED, CacheStatus.PUT_FAILURE), f"{name} was not kept"


def _check_sub_workflow(watch: Watch, name: NodeId, node: NodeState, rules: PlanNode) -> None:
    if node.inner is None:
        assert node.phase not in (NodePhase.RUNNING, NodePhase.SUCCEEDED), f"{name} runs without its nodes"
        return
    assert node.inner.round < max(1, rules.max_attempts), f"{name} had more rounds than its policy allows"
    assert node.user_failures == node.inner.round
    assert node.phase is not NodePhase.SUCCEEDED or _went_well(node), f"{name} succeeded, but not what is inside"
    if node.phase is NodePhase.FAILED:
        assert node.failure == node.inner.failure
        assert node.inner.round + 1 >= rules.max_attempts, f"{name} gave up early"
    assert node.phase in TERMINAL_NODE or node.inner.phase is not ScopePhase.ENDED, f"{name} waits for nothing"


def _check_branch(watch: Watch, name: NodeId, node: NodeState, rules: PlanNode) -> None:
    inside = watch.inside(name)
    if node.chosen is None:
        assert not inside and node.phase not in (NodePhase.RUNNING, NodePhase.SUCCEEDED)
        return
    assert 0 <= node.chosen < len(rules.cases), f"{name} took a case that is not there"
    assert [watch.nodes[one].spec_id for one in inside] in ([], [rules.cases[node.chosen].id]), f"{name}: wrong case"
    case = watch.nodes[inside[0]] if inside else None
    assert not node.writing or (case is not None and case.phase in DONE)
    if node.phase is NodePhase.SUCCEEDED:
        assert case is not None and case.phase in DONE, f"{name} succeeded, but not its case"
    elif node.phase not in TERMINAL_NODE:
        waits = case is None and name in watch.state.queue
        assert waits or node.writing or (case is not None and case.phase not in TERMINAL_NODE), f"{name} waits in vain"
    elif node.phase is NodePhase.FAILED and case is not None and case.phase in FAILED:
        assert node.failure is not None and case.failure is not None and node.failure.code == case.failure.code


def _check_launch_plan(watch: Watch, name: NodeId, node: NodeState, rules: PlanNode) -> None:
    succeeded = name in watch.closed_children
    assert not node.writing or succeeded, f"{name} writes outputs of a child that has none"
    assert node.phase is not NodePhase.SUCCEEDED or succeeded, f"{name} succeeded, but not its child"


def _check_gate(watch: Watch, name: NodeId, node: NodeState, rules: PlanNode) -> None:
    if rules.sleep_seconds is None and (node.writing or node.phase is NodePhase.SUCCEEDED):
        assert rules.signal in watch.state.signals, f"{name} opened without its signal"
    if rules.sleep_seconds is None and node.phase is NodePhase.RUNNING and not node.writing:
        assert rules.signal not in watch.state.signals, f"{name} waits for a signal that was given"


def _check_array(watch: Watch, name: NodeId, node: NodeState, rules: PlanNode) -> None:
    array, elements = node.array, [watch.nodes[one] for one in watch.inside(name)]
    if array is None:
        assert not elements and node.phase not in (NodePhase.RUNNING, NodePhase.SUCCEEDED)
        return
    assert array.required == required_successes(rules, array.size)
    assert {int(one.spec_id) for one in elements} <= set(range(array.cursor)), f"{name}: elements out of turn"
    assert array.cursor <= array.size
    live = sum(one.phase not in TERMINAL_NODE for one in elements)
    succeeded, failed = (sum(one.phase in ends for one in elements) for ends in (DONE, FAILED))
    assert (array.live, array.succeeded, array.failed) == (live, succeeded, failed), f"{name} miscounts its elements"
    at_once = rules.parallelism or watch.state.options.elements_at_once
    assert live <= at_once, f"{name} has more elements live than allowed"
    too_many = array.size - failed < array.required
    assert array.failing == too_many, f"{name} should fail just if too many failed"
    over = array.cursor == array.size and not live
    if node.phase is NodePhase.SUCCEEDED or node.writing:
        assert over and succeeded + failed == array.size and succeeded >= array.required, f"{name} is not done"
    elif node.phase is NodePhase.RUNNING:
        assert live, f"{name} waits for nothing"
        assert node.stopping or too_many or live == at_once or array.cursor == array.size, f"{name} dawdles"


def _went_well(node: NodeState) -> bool:
    return node.inner is not None and node.inner.phase is ScopePhase.ENDED and node.inner.failure is None


def _workflow(watch: Watch, name: NodeId) -> NodeId:
    """Return the owner of the graph that a node is part of, through branches and arrays."""
    owner = watch.nodes[name].parent
    while owner != ROOT and watch.rules[owner].kind in (NodeKind.BRANCH, NodeKind.ARRAY):
        owner = watch.nodes[owner].parent
    return owner


def _check_times(queued: int, started: int | None, ended: int | None) -> None:
    times = [time for time in (queued, started, ended) if time is not None]
    assert times == sorted(times), "time runs backwards"
    assert queued >= 0


_CHECKS: dict[NodeKind, Callable[[Watch, NodeId, NodeState, PlanNode], None]] = {
    NodeKind.TASK: _check_task,
    NodeKind.SUB_WORKFLOW: _check_sub_workflow,
    NodeKind.BRANCH: _check_branch,
    NodeKind.LAUNCH_PLAN: _check_launch_plan,
    NodeKind.GATE: _check_gate,
    NodeKind.ARRAY: _check_array,
}
