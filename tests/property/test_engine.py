"""The engine's properties, over arbitrary plans in arbitrary worlds."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dayfly.engine import step as engine
from dayfly.model import events
from dayfly.model.commands import Command, WriteOutputs
from dayfly.model.events import Event
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import FailureKind, FailurePolicy
from dayfly.model.plan import Plan
from dayfly.model.run import RunOptions, RunState
from tests.property import arbitrary, invariants
from tests.property.world import Place, World

WORLDS = settings(
    max_examples=2000,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# A binary strategy on its own gives five bytes on average, which is a calm life.
CHANCES = st.integers(0, 400).flatmap(lambda size: st.binary(min_size=size, max_size=size))

ORDERS = st.binary(min_size=60, max_size=60)


@WORLDS
@given(arbitrary.plans(), arbitrary.options(), CHANCES)
def test_every_world_keeps_every_invariant_and_ends(plan: Plan, options: RunOptions, chances: bytes) -> None:
    World(plan, options, chances).live_through()


@settings(WORLDS, max_examples=300)
@given(st.data(), arbitrary.plans(), arbitrary.options())
def test_no_storm_of_events_breaks_an_invariant(data: st.DataObject, plan: Plan, options: RunOptions) -> None:
    state, commands, fired = RunState(), [], []
    for event in [events.Launched(0, options), *data.draw(arbitrary.storms(plan))]:
        done = engine.step(plan, state, event)
        invariants.check_step(plan, state, event, done)
        state = done.state
        commands.extend(done.commands)
        fired.extend([event] if isinstance(event, events.TimerFired) else [])
    invariants.check_history(plan, state, commands, fired)


@settings(WORLDS, max_examples=300)
@given(
    arbitrary.plans(timeouts=False),
    arbitrary.options(),
    st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 2)), st.integers(0, 5), min_size=3, max_size=12),
    ORDERS,
    ORDERS,
)
def test_the_order_of_unrelated_events_does_not_change_the_outcome(
    plan: Plan, options: RunOptions, script: dict[tuple[int, int], int], one: bytes, other: bytes
) -> None:
    here, there = Scripted(plan, options, one, script), Scripted(plan, options, other, script)
    here.live_through()
    there.live_through()
    assert here.state.phase is there.state.phase
    if plan.on_failure is FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE:
        assert outcome(here.state) == outcome(there.state)


class Scripted(World):
    """A world in which each attempt's end is fixed beforehand, and only the order of things is open."""

    def __init__(self, plan: Plan, options: RunOptions, chances: bytes, script: dict[tuple[int, int], int]) -> None:
        self.script = script
        super().__init__(plan, options, chances)

    def _happen(self) -> None:
        deeds = (self._perform_one, self._deliver_any, self._end_any, self._progress)
        deeds[self.chance.pick(len(deeds))]()

    def _calm_round(self) -> None:
        for command in tuple(self.undone):
            self.perform(command)
        self.undone.clear()
        for place in sorted(self.alive):
            self.end(place, self._any_end(place))
        while self.inbox:
            self.deliver(self.inbox.pop(0))

    def _any_end(self, place: Place) -> Event:
        at, how = self.time(), self.script.get((int(place[0][1:]), place[1]), 0)
        if how < 2:
            return events.AttemptSucceeded(at, *place)
        kind = FailureKind.USER if how < 4 else FailureKind.SYSTEM
        return events.AttemptFailed(at, *place, kind, "code", "message", recoverable=how % 2 == 0)

    def perform(self, command: Command) -> None:
        if isinstance(command, WriteOutputs):
            self.inbox.append(events.OutputsWritten(self.time()))
        else:
            super().perform(command)


def outcome(state: RunState) -> dict[NodeId, object]:
    """Return what came of each node, times and wording apart."""
    return {
        name: (
            node.phase,
            node.user_failures,
            node.system_failures,
            [(a.phase, a.interruptible) for a in node.attempts],
        )
        for name, node in state.nodes.items()
    }
