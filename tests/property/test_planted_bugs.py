"""The invariants can fail: each rule is broken in turn, and the worlds must notice. And they see every kind of end."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dayfly.base.errors import IllegalMove
from dayfly.engine import aborting, timing_out
from dayfly.model.phases import CacheStatus, ExecutionPhase, NodePhase, ScopePhase
from dayfly.model.plan import NodeKind, Plan
from dayfly.model.run import NodeState, RunOptions
from tests.property import arbitrary
from tests.property.planted_bugs import BUGS
from tests.property.test_engine import CHANCES, in_a_storm
from tests.property.world import World

ATTEMPTS = settings(
    # Most bugs are found within a hundred, the rarest within some thousand; which worlds are drawn depends on the
    # modules that happen to be imported.
    max_examples=20_000,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = BUGS[name]
    if isinstance(bug.home, dict):
        monkeypatch.setitem(bug.home, bug.name, bug.broken)
    else:
        monkeypatch.setattr(bug.home, bug.name, bug.broken)

    @ATTEMPTS
    @given(arbitrary.plans(), arbitrary.options(), CHANCES)
    def live_through(plan: Plan, options: RunOptions, chances: bytes) -> None:
        World(plan, options, chances).live_through()
        in_a_storm(plan, options, chances)

    with pytest.raises((AssertionError, IllegalMove)):
        live_through()


def test_the_worlds_see_every_kind_of_end() -> None:
    seen: Counter[object] = Counter()

    @settings(ATTEMPTS, max_examples=1500)
    @given(arbitrary.plans(), arbitrary.options(), CHANCES)
    def live_through(plan: Plan, options: RunOptions, chances: bytes) -> None:
        world = World(plan, options, chances)
        world.live_through()
        seen[world.state.phase] += 1
        for name, node in world.watch.nodes.items():
            seen.update(_what_is_seen(world, node))
            seen["within a failure node", node.kind] += name in world.watch.handling

    live_through()
    wanted: list[object] = [ExecutionPhase.SUCCEEDED, ExecutionPhase.FAILED, ExecutionPhase.ABORTED]
    wanted += ["third attempt", "exhausted", "third round", "children waited for room", "an early end of a child"]
    wanted += [aborting.CODE, timing_out.ATTEMPT_CODE, timing_out.NODE_CODE]
    ends = [NodePhase.SUCCEEDED, NodePhase.FAILED, NodePhase.ABORTED, NodePhase.TIMED_OUT, NodePhase.RECOVERED]
    wanted += [(kind, end) for kind in NodeKind for end in ends]
    wanted += [("within a failure node", kind) for kind in NodeKind]
    wanted += [("dynamic", end) for end in ends[:4]]
    wanted += [status for status in CacheStatus if status is not CacheStatus.SKIPPED]
    wanted += [("array", True), ("array", False)]
    assert {what: seen[what] for what in wanted if seen[what] < 3} == {}


def _what_is_seen(world: World, node: NodeState) -> list[object]:
    seen: list[object] = [(node.kind, node.phase), node.cache]
    seen += [attempt.stopping.code for attempt in node.attempts if attempt.stopping]
    seen += ["third attempt"] if len(node.attempts) > 2 else []
    seen += ["exhausted"] if node.failure and "Exhausted" in node.failure.code else []
    seen += [("dynamic", node.phase)] if node.dynamic else []
    seen += ["third round"] if node.inner is not None and not node.inner.grown and node.inner.round == 2 else []
    seen += [("array", node.array.failing)] if node.array is not None and node.array.size else []
    if node.inner is not None and node.inner.phase is ScopePhase.ENDED and node.inner.cursor:
        seen += ["children waited for room"] if world.state.options.max_parallelism == 1 else []
    if node.kind is NodeKind.LAUNCH_PLAN and node.stopping is not None and node.child is None:
        seen.append("an early end of a child")
    return seen
