"""The engine's properties, over arbitrary plans in arbitrary worlds."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dayfly.engine import step as engine
from dayfly.model import commands, events
from dayfly.model.commands import Command
from dayfly.model.events import Event
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import ExecutionPhase, FailureKind, FailurePolicy
from dayfly.model.plan import NodeKind, Plan
from dayfly.model.run import RunOptions, RunState
from tests.property import arbitrary, invariants
from tests.property.answering import Answers, Place
from tests.property.chances import Chances, lives
from tests.property.storms import Storm
from tests.property.watch import Watch
from tests.property.world import World

WORLDS = settings(
    max_examples=2000,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
CHANCES = lives(600)
ORDERS = st.binary(min_size=80, max_size=80)


@WORLDS
@given(arbitrary.plans(), arbitrary.options(), CHANCES)
def test_every_world_keeps_every_invariant_and_ends(plan: Plan, options: RunOptions, chances: bytes) -> None:
    World(plan, options, chances).live_through()


@pytest.mark.parametrize("kind", NodeKind, ids=lambda kind: kind.name)
@settings(WORLDS, max_examples=350)
@given(st.data(), arbitrary.options(), CHANCES)
def test_so_does_every_world_with_mostly_one_kind_of_node(
    kind: NodeKind, data: st.DataObject, options: RunOptions, chances: bytes
) -> None:
    plan = data.draw(arbitrary.plans(kinds=(NodeKind.TASK, kind, kind, kind)))
    World(plan, options, chances).live_through()


@WORLDS
@given(arbitrary.plans(), arbitrary.options(), lives(300))
def test_no_storm_of_events_breaks_an_invariant(plan: Plan, options: RunOptions, chances: bytes) -> None:
    in_a_storm(plan, options, chances)


@pytest.mark.parametrize("policy", FailurePolicy, ids=lambda policy: policy.name)
@WORLDS
@given(st.data(), arbitrary.options(), st.integers(0, 2**32 - 1), ORDERS, ORDERS)
def test_the_order_of_unrelated_events_does_not_change_the_outcome(
    policy: FailurePolicy, data: st.DataObject, options: RunOptions, script: int, one: bytes, other: bytes
) -> None:
    plan = data.draw(arbitrary.plans(timeouts=False, policy=policy))
    here, there = Scripted(plan, options, one, script), Scripted(plan, options, other, script)
    here.live_through()
    there.live_through()
    assert here.state.phase is there.state.phase
    if policy is FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE:
        assert outcome(here.state) == outcome(there.state)


def in_a_storm(plan: Plan, options: RunOptions, chances: bytes) -> None:
    """Let the engine step over events that make no sense, and check all invariants but that it ends."""
    watch = Watch(plan)
    storm = Storm(watch, Chances(chances))
    event: Event = events.Launched(0, options)
    while True:
        invariants.check_step(watch, event, engine.step(plan, watch.state, event, watch.grown))
        if not storm:
            break
        event = storm.event()
    invariants.check_history(watch)


class Scripted(World):
    """A world in which each answer is fixed beforehand, and only the order of things is open."""

    def __init__(self, plan: Plan, options: RunOptions, chances: bytes, script: int) -> None:
        self.script, self.policy = script, plan.on_failure
        super().__init__(plan, options, chances)

    def build_answers(self) -> Answers:
        return ScriptedAnswers(self.watch, self.chance, self.time, self.script, self.policy)

    def _happen(self) -> None:
        deeds = (self._perform_one, self._deliver_any, self._end_any, self._progress, self._signal)
        self.chance.choose(deeds)()


class ScriptedAnswers(Answers):
    """Answers that depend on the script and on what is asked, never on when."""

    def __init__(self, watch, chance, time, script: int, policy: FailurePolicy) -> None:
        self.script, self.policy = script, policy
        super().__init__(watch, chance, time)

    def any_end(self, place: Place) -> Event:
        at, how = self.time(), self._draw(f"end/{place}", 10)
        if how < 6:
            return events.AttemptSucceeded(at, *place, grows=self.may_grow(place[0]))
        kind = FailureKind.USER if how < 8 else FailureKind.SYSTEM
        return events.AttemptFailed(at, *place, kind, "code", "message", recoverable=how % 2 == 0)

    def any_child_end(self, node: NodeId) -> ExecutionPhase:
        succeeded = ExecutionPhase.SUCCEEDED
        return (succeeded, succeeded, ExecutionPhase.FAILED)[self._draw(f"child/{node}", 3)]

    def may_grow(self, node: NodeId) -> bool:
        # Only in the workflow itself, so that what grows does not grow on.
        return "-" not in node[1:] and self._draw(f"grows/{node}", 4) == 3

    def fails(self, command: Command, *, once_in: int = 10) -> bool:
        return self._draw(f"fails/{once_in}/{command.key}", once_in) == once_in - 1

    def number(self, command: Command, choices: int) -> int:
        return self._draw(f"number/{choices}/{command.key}", choices)

    def grow(self, command: commands.Grow) -> str:
        digest = f"grown by {command.node}"
        drawn = b"".join(zlib.crc32(f"{place}{digest}{self.script}".encode()).to_bytes(4, "big") for place in range(20))
        drawing = arbitrary.PlanDrawing(Chances(drawn), timeouts=False, policy=self.policy)
        self.watch.grown[digest] = drawing.plan(digest, arbitrary.DEEPEST - 1)
        return digest

    def _draw(self, what: str, choices: int) -> int:
        return zlib.crc32(f"{what}{self.script}".encode()) % choices


def outcome(state: RunState) -> dict[NodeId, object]:
    """Return what came of each node, times and wording apart."""
    return {
        name: (
            node.phase,
            node.user_failures,
            node.system_failures,
            node.chosen,
            node.cache,
            [(a.phase, a.interruptible) for a in node.attempts],
        )
        for name, node in state.nodes.items()
    }
