"""Bugs of the engine, each a rule broken as somebody might break it: `test_planted_bugs` shows that all are noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import structs

from dayfly.engine import (
    caching,
    drafting,
    failing,
    finishing,
    readying,
    retrying,
    settling,
    starting,
    step,
    stopping,
    timers,
)
from dayfly.engine.drafting import Draft
from dayfly.engine.nodes import array, branch, dynamic, gate, launch_plan, reporting, subworkflow, task
from dayfly.model import events, placing
from dayfly.model.commands import FillCache, PrepareNode, StopAttempt, WriteOutputs
from dayfly.model.phases import ExecutionPhase, NodePhase, ScopePhase


class Bug(NamedTuple):
    """What is put in the place of what: an attribute of a module or class, or a rule of a table."""

    home: Any
    name: Any
    broken: Callable[..., Any]


def nothing(*args: Any, **kwargs: Any) -> None:
    """A rule that was forgotten."""


def always(*args: Any, **kwargs: Any) -> bool:
    return True


def never(*args: Any, **kwargs: Any) -> bool:
    return False


# -- who starts when ------------------------------------------------------------------------------------------------
def start_with_any_upstream(draft: Draft, owner: Any, spec_id: Any) -> bool:
    return draft.child(owner, spec_id) not in draft.state.nodes


def start_at_once(draft: Draft, owner: Any, rules: Any) -> None:
    draft.start(owner, rules)


def jump_the_queue(draft: Draft, owner: Any) -> None:
    if owner not in draft.state.queue:
        draft.edit(queue=(owner, *draft.state.queue))


def put_in_front(draft: Draft, owner: Any, ready: Any) -> Any:
    return (*ready, *draft.scope(owner).ready)


# -- how things end -------------------------------------------------------------------------------------------------
def tell_again(draft: Draft, node: Any, why: Any) -> None:
    draft.command(StopAttempt(node, draft.state.nodes[node].attempts[-1].number))
    draft.edit_attempt(node, stopping=why)


def stop_with_the_same_word(draft: Draft, owner: Any, why: Any) -> None:
    _STOP_INSIDE(draft, owner, structs.replace(why, code=stopping.NODE_TIMEOUT))


def find_ended_too(draft: Draft, node: Any, attempt: int) -> Any:
    last = draft.find_last_attempt(node)
    return last if last is not None and last.number == attempt else None


def count_nothing(draft: Draft, node: Any, **changes: Any) -> None:
    changes = {name: value for name, value in changes.items() if not name.endswith("_failures")}
    _EDIT_NODE(draft, node, **changes)


def find_recovering_too(draft: Draft, node: Any, kind: Any = None) -> Any:
    found = draft.state.nodes.get(node)
    return None if found is None or found.ended or (kind is not None and found.kind is not kind) else found


def end_without_handling(draft: Draft, owner: Any, rules: Any) -> None:
    if draft.scope(owner).phase is ScopePhase.HANDLING:
        draft.move_scope(owner, ScopePhase.ENDED)
    else:
        _WANT(draft, owner, rules)


def handle_and_forget(draft: Draft, owner: Any, node: Any) -> None:
    draft.move_scope(owner, ScopePhase.ENDED)


# -- one kind or another --------------------------------------------------------------------------------------------
def give_up_at_once(draft: Draft, node: Any) -> None:
    failure = draft.state.nodes[node].inner.failure
    if failure is None or draft.state.nodes[node].stopping is not None:
        _CLOSED(draft, node)
    else:
        draft.move_node(node, NodePhase.FAILED, failure=failure)


def go_round_for_ever(draft: Draft, node: Any) -> None:
    state = draft.state.nodes[node]
    if state.inner.failure is None or state.stopping is not None:
        _CLOSED(draft, node)
    else:
        readying.open_scope(draft, node, round=state.inner.round + 1)


def open_again(draft: Draft, event: Any) -> None:
    state = draft.find(event.node)
    if state is not None and state.inner is not None and state.inner.phase is ScopePhase.OPEN:
        draft.edit_scope(event.node, cursor=0)
    _PREPARED(draft, event)


def take_the_first(draft: Draft, event: Any) -> None:
    state = draft.find(event.node)
    if state is not None and state.chosen is None and event.case < len(draft.rules(event.node).cases):
        draft.move_node(event.node, NodePhase.RUNNING, chosen=event.case)
        readying.want(draft, event.node, draft.rules(event.node).cases[0])


def end_with_the_case(draft: Draft, node: Any, child: Any) -> None:
    draft.move_node(node, NodePhase.SUCCEEDED)


def forget_an_early_end(draft: Draft, event: Any) -> None:
    state = draft.find(event.node)
    if state is not None and state.child is not None:
        _CHILD_ENDED(draft, event)


def call_any_end_a_success(draft: Draft, event: Any) -> None:
    _CHILD_ENDED(draft, structs.replace(event, phase=ExecutionPhase.SUCCEEDED))


def end_before_the_child(draft: Draft, node: Any, why: Any) -> None:
    state = draft.find(node)
    if state is not None and state.child is not None and not state.writing:
        draft.edit_node(node, stopping=why)
        stopping.end_stopped(draft, node)
    else:
        _STOP(draft, node, why)


def forget_an_early_signal(draft: Draft, event: Any) -> None:
    state = draft.find(event.node)
    if state is not None and state.kind.name == "GATE" and state.phase is NodePhase.QUEUED:
        draft.move_node(event.node, NodePhase.RUNNING)


def open_at_any_signal(draft: Draft, event: Any) -> None:
    _SIGNALLED(draft, event)
    for node, state in tuple(draft.state.nodes.items()):
        if state.kind.name == "GATE" and state.phase is NodePhase.RUNNING and not state.writing:
            draft.edit_node(node, writing=True)
            draft.command(WriteOutputs(node))


def sleep_on(draft: Draft, event: Any, name: str) -> None:
    """A timer that nobody hears."""


def need_one_less(rules: Any, size: int) -> int:
    return max(0, _REQUIRED(rules, size) - 1)


def measure_again(draft: Draft, event: Any) -> None:
    state = draft.find(event.node)
    if state is not None and state.array is not None and state.array.live == 0 and not state.writing:
        return
    if state is not None and state.array is not None:
        draft.edit_node(event.node, array=structs.replace(state.array, cursor=0))
        return
    _MEASURED(draft, event)


def note_only(draft: Draft, node: Any) -> None:
    draft.edit_node(node, array=structs.replace(draft.state.nodes[node].array, failing=True))


def succeed_anyhow(draft: Draft, node: Any) -> None:
    state = draft.state.nodes[node]
    if state.stopping is not None:
        stopping.end_stopped(draft, node)
    else:
        draft.move_node(node, NodePhase.SUCCEEDED)


def grow_over(draft: Draft, event: Any) -> None:
    state = draft.find(event.node)
    if state is not None and state.dynamic and state.inner is not None and event.digest in draft.grown:
        draft.edit_scope(event.node, grown=event.digest, cursor=0)
    else:
        _GROWN(draft, event)


def fill_without_waiting(draft: Draft, node: Any) -> bool:
    if draft.rules(node).cache is not None:
        draft.command(FillCache(node))
    return False


def look_at_any_time(draft: Draft, node: Any) -> bool:
    state = draft.find(node)
    return state is not None and state.looks > 0


def look_for_another(draft: Draft, event: Any, name: str) -> None:
    state = draft.find(name.rpartition("/")[0])
    if state is not None and not state.attempts and state.looks:
        caching._look(draft, name.rpartition("/")[0])


def run_all_the_same(draft: Draft, event: Any) -> None:
    if draft.find(event.node) is not None:
        draft.edit_node(event.node, recovering=False)
        starting._BEGIN[draft.state.nodes[event.node].kind](draft, event.node)


def recover_and_begin(draft: Draft, event: Any) -> None:
    _RECOVERED(draft, event)
    draft.command(PrepareNode(event.node))


_EDIT_NODE, _STOP, _STOP_INSIDE, _WANT = drafting.Draft.edit_node, stopping.stop, stopping._stop_inside, readying.want
_CLOSED, _PREPARED, _CHILD_ENDED = subworkflow.closed, subworkflow.prepared, launch_plan.ended
_SIGNALLED, _REQUIRED, _MEASURED, _GROWN = gate.signalled, array._required, array.measured, dynamic.grown
_RECOVERED = starting.recovered

BUGS = {
    "a node starts when one upstream is done": Bug(readying, "_is_ready", start_with_any_upstream),
    "a node never becomes ready": Bug(readying, "_is_ready", never),
    "parallelism is not limited": Bug(readying, "room", lambda draft: 2**31),
    "what others wait for gets no place": Bug(readying, "_find_urgent", lambda draft: None),
    "a case waits for no room": Bug(readying, "want", start_at_once),
    "waiting nodes keep no order": Bug(readying, "_in_order", put_in_front),
    "who comes last is served first": Bug(readying, "_queue", jump_the_queue),
    "who waits is forgotten": Bug(readying, "_queue", nothing),
    "an attempt is stopped twice": Bug(stopping, "tell", tell_again),
    "nothing is stopped": Bug(stopping, "stop", nothing),
    "what is inside is not stopped": Bug(stopping, "_stop_inside", nothing),
    "what is inside takes the blame": Bug(stopping, "_stop_inside", stop_with_the_same_word),
    "nothing counts as aborted": Bug(stopping, "is_aborted", never),
    "a node leaves its timer": Bug(timers, "unwatch_node", nothing),
    "an attempt leaves its timer": Bug(timers, "unwatch_attempt", nothing),
    "what waited leaves its timer": Bug(stopping, "_cancel_waiting", nothing),
    "an attempt's time is not watched": Bug(timers, "watch_attempt", nothing),
    "a node's deadline is not heard": Bug(step._TIMERS, "node", sleep_on),
    "retries never end": Bug(retrying, "find_final_failure", nothing),
    "failures are not counted": Bug(drafting.Draft, "edit_node", count_nothing),
    "the last attempt may be interrupted": Bug(retrying, "interruptible", always),
    "an end is taken twice": Bug(drafting.Draft, "find_live", find_ended_too),
    "old reports are taken": Bug(reporting, "_is_newer", always),
    "the failure policy is forgotten": Bug(failing, "apply_policy", nothing),
    "nothing ends": Bug(finishing, "check", nothing),
    "outputs are never taken": Bug(step._RULES, events.OutputsWritten, nothing),
    "outputs of any round are taken": Bug(finishing, "_is_writing", lambda draft, owner, round: owner == ""),
    "a failure node is left out": Bug(readying, "want", end_without_handling),
    "a failure node's own failure is lost": Bug(finishing, "_handled", handle_and_forget),
    "nobody says where it failed": Bug(settling.locating, "located", lambda draft, failure: failure),
    "a sub-workflow is never run again": Bug(subworkflow, "closed", give_up_at_once),
    "a sub-workflow is run again for ever": Bug(subworkflow, "closed", go_round_for_ever),
    "a sub-workflow begins twice": Bug(step._RULES, events.InputsPrepared, open_again),
    "a branch takes the first case": Bug(step._RULES, events.BranchChosen, take_the_first),
    "a branch ends without its outputs": Bug(branch, "child_ended", end_with_the_case),
    "a child's early end is forgotten": Bug(step._RULES, events.ChildEnded, forget_an_early_end),
    "a child's failure is a success": Bug(step._RULES, events.ChildEnded, call_any_end_a_success),
    "a child is left to itself": Bug(stopping, "stop", end_before_the_child),
    "an early signal is forgotten": Bug(step._RULES, events.GateOpened, forget_an_early_signal),
    "any signal opens a gate": Bug(step._RULES, events.SignalSet, open_at_any_signal),
    "a sleeper never wakes": Bug(step._TIMERS, "gate", sleep_on),
    "an array needs one success less": Bug(array, "_required", need_one_less),
    "an array is measured twice": Bug(step._RULES, events.ArrayMeasured, measure_again),
    "a failing array stops nothing": Bug(array, "_fail", note_only),
    "an array has no failure": Bug(array, "_fail", nothing),
    "an array keeps its elements": Bug(drafting.Draft, "fold", nothing),
    "an element makes nodes": Bug(drafting.Draft, "is_element", never),
    "an element takes a place": Bug(settling.array, "go_on", nothing),
    "what a dynamic task made may fail": Bug(dynamic, "closed", succeed_anyhow),
    "a dynamic task grows twice": Bug(step._RULES, events.Grown, grow_over),
    "a right to a result is kept": Bug(caching, "leave", nothing),
    "nobody waits for a result to be kept": Bug(caching, "fill", fill_without_waiting),
    "results are not kept": Bug(caching, "fill", never),
    "the cache answers at any time": Bug(caching, "is_looking", look_at_any_time),
    "a busy cache is never asked again": Bug(step._TIMERS, "cache", sleep_on),
    "a busy cache is asked too often": Bug(step._TIMERS, "cache", look_for_another),
    "what was recovered runs all the same": Bug(step._RULES, events.NodeRecovered, run_all_the_same),
    "what was recovered begins, too": Bug(step._RULES, events.NodeRecovered, recover_and_begin),
    "what was not recovered is forgotten": Bug(step._RULES, events.NothingRecovered, nothing),
    "a failure node is recovered": Bug(placing, "handles_a_failure", never),
    "a node that recovers has begun": Bug(drafting.Draft, "find", find_recovering_too),
    "progress ends an attempt": Bug(task, "_end_stopped", nothing),
}
