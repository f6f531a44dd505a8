"""The invariants can fail: each rule is broken in turn, and the worlds must notice. And they see every kind of end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dayfly.base.errors import IllegalMove
from dayfly.engine import aborting, drafting, failing, finishing, readying, retrying, stopping, timing_out
from dayfly.engine.nodes import reporting
from dayfly.model.commands import StopAttempt
from dayfly.model.phases import ExecutionPhase, NodePhase
from dayfly.model.plan import Plan
from dayfly.model.run import RunOptions
from tests.property import arbitrary
from tests.property.test_engine import CHANCES
from tests.property.world import World

ATTEMPTS = settings(
    # Most bugs are found within a hundred; which worlds are drawn depends on the modules that happen to be imported.
    max_examples=4000,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def nothing(*args: Any, **kwargs: Any) -> None:
    """A rule that was forgotten."""


def always(*args: Any, **kwargs: Any) -> bool:
    return True


def never(*args: Any, **kwargs: Any) -> bool:
    return False


def tell_again(draft: drafting.Draft, node: Any, why: Any) -> None:
    draft.command(StopAttempt(node, draft.state.nodes[node].attempts[-1].number))
    draft.edit_attempt(node, stopping=why)


def start_with_any_upstream(draft: drafting.Draft, node: Any) -> bool:
    return node not in draft.state.nodes


def end_without_stopping(draft: drafting.Draft, *args: Any) -> None:
    draft.edit(waiting=())


def find_ended_too(draft: drafting.Draft, node: Any, attempt: int) -> Any:
    last = draft.find_last_attempt(node)
    return last if last is not None and last.number == attempt else None


def count_nothing(draft: drafting.Draft, node: Any, **changes: Any) -> None:
    changes = {name: value for name, value in changes.items() if not name.endswith("_failures")}
    EDIT_NODE(draft, node, **changes)


EDIT_NODE = drafting.Draft.edit_node

BUGS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "a node starts when one upstream is done": (readying, "_is_ready", start_with_any_upstream),
    "a node never becomes ready": (readying, "_is_ready", never),
    "parallelism is not limited": (readying, "_room", lambda draft, wanted: wanted),
    "waiting nodes keep no order": (readying, "_in_order", lambda draft, ready: [*ready, *draft.state.waiting]),
    "an attempt is stopped twice": (stopping, "tell", tell_again),
    "an abort stops nothing": (aborting, "stop_all", end_without_stopping),
    "an abort leaves timers": (timing_out, "unwatch_node", nothing),
    "an attempt leaves its timer": (timing_out, "unwatch_attempt", nothing),
    "retries never end": (retrying, "find_final_failure", nothing),
    "failures are not counted": (drafting.Draft, "edit_node", count_nothing),
    "the last attempt may be interrupted": (retrying, "interruptible", always),
    "an end is taken twice": (drafting.Draft, "find_live", find_ended_too),
    "old reports are taken": (reporting, "_is_newer", always),
    "the failure policy is forgotten": (failing, "apply_policy", nothing),
    "nothing ends": (finishing, "apply", nothing),
    "outputs are never taken": (finishing, "_end", nothing),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home, name, broken = BUGS[bug]
    monkeypatch.setattr(home, name, broken)

    @ATTEMPTS
    @given(arbitrary.plans(), arbitrary.options(), CHANCES)
    def live_through(plan: Plan, options: RunOptions, chances: bytes) -> None:
        World(plan, options, chances).live_through()

    with pytest.raises((AssertionError, IllegalMove)):
        live_through()


def test_the_worlds_see_every_kind_of_end() -> None:
    seen: Counter[object] = Counter()

    @ATTEMPTS
    @given(arbitrary.plans(), arbitrary.options(), CHANCES)
    def live_through(plan: Plan, options: RunOptions, chances: bytes) -> None:
        world = World(plan, options, chances)
        world.live_through()
        seen[world.state.phase] += 1
        seen.update({node.phase for node in world.state.nodes.values()})
        seen.update({a.stopping.code for n in world.state.nodes.values() for a in n.attempts if a.stopping})
        seen["third attempt"] += any(len(node.attempts) > 2 for node in world.state.nodes.values())
        seen["exhausted"] += any("Exhausted" in n.failure.code for n in world.state.nodes.values() if n.failure)

    live_through()
    wanted = [ExecutionPhase.SUCCEEDED, ExecutionPhase.FAILED, ExecutionPhase.ABORTED, "third attempt", "exhausted"]
    wanted += [NodePhase.SUCCEEDED, NodePhase.FAILED, NodePhase.ABORTED, NodePhase.TIMED_OUT]
    wanted += [aborting.CODE, timing_out.ATTEMPT_CODE, timing_out.NODE_CODE]
    assert {what: seen[what] for what in wanted if seen[what] < 5} == {}
