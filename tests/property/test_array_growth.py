"""An array of any size weighs what runs of it, and asks for the same of each element."""

from __future__ import annotations

import pytest

from dayfly.engine.step import Step, step
from dayfly.model import events, run
from dayfly.model.commands import StartAttempt
from dayfly.model.events import Event
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import ExecutionPhase, FailureKind
from dayfly.model.plan import NodeKind
from dayfly.model.run import RunOptions, RunState
from tests.property.arbitrary import node, plan_of

AT_ONCE = 20
SIZES = (100, 1_000, 10_000, 100_000)


class Mapped:
    """An array of so many elements, of which every tenth fails once."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.plan = plan_of(
            node(
                "map",
                kind=NodeKind.ARRAY,
                parallelism=AT_ONCE,
                min_success_ratio=0.5,
                element=node("one", max_attempts=2),
            )
        )
        self.state = RunState()
        self.events = self.commands = self.most_bytes = self.folded = 0

    def run(self) -> None:
        """Let the array run from its beginning to its end, its elements in turn."""
        self.tell(events.Launched(1, RunOptions()))
        alive = _started(self.tell(events.ArrayMeasured(2, NodeId("map"), self.size)))
        while alive:
            name, attempt = alive.pop(0)
            fails = attempt == 0 and int(name.partition("#")[2]) % 10 == 3
            alive += _started(self.tell(_end(name, attempt, fails=fails)))
        self.tell(events.OutputsWritten(4, NodeId("map")))
        self.tell(events.OutputsWritten(5))

    def tell(self, event: Event) -> Step:
        """Let the event happen, and weigh what comes of it."""
        done = step(self.plan, self.state, event)
        self.state = done.state
        self.events += 1
        self.commands += len(done.commands)
        self.folded += len(done.folded)
        self.most_bytes = max(self.most_bytes, len(run.encode(done.state)))
        return done


@pytest.fixture(scope="module")
def arrays() -> dict[int, Mapped]:
    arrays = {size: Mapped(size) for size in SIZES}
    for mapped in arrays.values():
        mapped.run()
    return arrays


@pytest.mark.parametrize("size", SIZES)
def test_every_element_runs_and_is_folded(arrays: dict[int, Mapped], size: int) -> None:
    assert arrays[size].state.phase is ExecutionPhase.SUCCEEDED
    assert arrays[size].folded == size
    assert list(arrays[size].state.nodes) == ["map"]


def test_the_state_does_not_grow_with_the_number_of_elements(arrays: dict[int, Mapped]) -> None:
    # Longer numbers in names and counters: a few bytes for each element that is live.
    assert arrays[100_000].most_bytes <= arrays[100].most_bytes + 12 * AT_ONCE


def test_commands_and_events_of_each_element_do_not_grow(arrays: dict[int, Mapped]) -> None:
    for mapped in arrays.values():
        # A start for each element, one more for every tenth; beside them the array's inputs and outputs, and the run's.
        assert mapped.commands == mapped.size * 11 // 10 + 3
        assert mapped.events == mapped.size * 11 // 10 + 4


def _started(done: Step) -> list[tuple[NodeId, int]]:
    return [(command.node, command.attempt) for command in done.commands if isinstance(command, StartAttempt)]


def _end(name: NodeId, attempt: int, *, fails: bool) -> Event:
    if fails:
        return events.AttemptFailed(3, name, attempt, FailureKind.USER, "Boom", "once", recoverable=True)
    return events.AttemptSucceeded(3, name, attempt)
