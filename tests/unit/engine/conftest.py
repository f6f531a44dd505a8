"""One execution at a time, told in events; every invariant is checked at each step and when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dayfly.base.clock import SECOND, Micros
from dayfly.engine.step import step
from dayfly.model import events
from dayfly.model.commands import Command
from dayfly.model.events import Event
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import AttemptPhase, FailureKind
from dayfly.model.plan import Plan
from dayfly.model.run import AttemptState, NodeState, RunOptions, RunState
from tests.property import invariants
from tests.property.watch import Watch


class Run:
    """An execution of a plan, launched. Each event comes one second after the one before."""

    def __init__(self, plan: Plan, options: RunOptions) -> None:
        self.plan, self.now, self.watch = plan, Micros(0), Watch(plan)
        self.commands: list[Command] = []
        self.first = self.tell(events.Launched, options)

    @property
    def state(self) -> RunState:
        return self.watch.state

    def tell(self, event: Callable[..., Event], *fields: object, at: float | None = None, **named: object) -> list[str]:
        """Let the event happen now, or at that second; return the keys of the commands it gave."""
        self.now = Micros(self.now + SECOND) if at is None else Micros(int(at * SECOND))
        told = event(self.now, *fields, **named)
        done = step(self.plan, self.state, told, self.watch.grown)
        invariants.check_step(self.watch, told, done)
        self.commands += done.commands
        return [command.key for command in done.commands]

    def grows(self, node: str, plan: Plan, attempt: int = 0) -> list[str]:
        """Let the attempt's nodes be compiled to `plan`."""
        self.watch.grown[plan.digest] = plan
        return self.tell(events.Grown, node, attempt, plan.digest)

    def prepares(self, node: str) -> list[str]:
        return self.tell(events.InputsPrepared, node)

    def writes(self, node: str = "", round: int = 0) -> list[str]:
        return self.tell(events.OutputsWritten, node, round)

    def aborts(self) -> list[str]:
        return self.tell(events.AbortRequested, "enough", "ann")

    def runs(self, node: str, attempt: int = 0, **fields: object) -> list[str]:
        return self.tell(events.AttemptProgressed, node, attempt, AttemptPhase.RUNNING)

    def succeeds(self, node: str, attempt: int = 0, *, grows: bool = False) -> list[str]:
        return self.tell(events.AttemptSucceeded, node, attempt, grows=grows)

    def fails(self, node: str, attempt: int = 0, *, system: bool = False, recoverable: bool = True) -> list[str]:
        kind = FailureKind.SYSTEM if system else FailureKind.USER
        return self.tell(events.AttemptFailed, node, attempt, kind, "Boom", "it broke", recoverable)

    def stops(self, node: str, attempt: int = 0, told: str = "") -> list[str]:
        return self.tell(events.AttemptStopped, node, attempt, told)

    def node(self, name: str) -> NodeState:
        return self.state.nodes[NodeId(name)]

    def last(self, name: str) -> AttemptState:
        return self.node(name).attempts[-1]

    def phases(self) -> dict[str, str]:
        return {name: node.phase.name for name, node in self.state.nodes.items()}


@pytest.fixture
def launch() -> Iterator[Callable[..., Run]]:
    """Launch executions; at the end, check what each of them ever commanded."""
    launched = []

    def launch_one(plan: Plan, **options: object) -> Run:
        launched.append(Run(plan, RunOptions(**options)))  # type: ignore[arg-type]
        return launched[-1]

    yield launch_one
    for run in launched:
        invariants.check_history(run.watch)
