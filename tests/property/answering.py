"""What the world makes of each command: attempts and children that live and end, cases, sizes, plans that grow.

Doing a command again does nothing more, but is answered again, and in the same words.
"""

from __future__ import annotations

from collections.abc import Callable

from dayfly.base.clock import Micros
from dayfly.model import commands, events
from dayfly.model.commands import Command
from dayfly.model.events import Event
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_NODE, CacheStatus, ExecutionPhase, FailureKind
from dayfly.model.plan import NodeKind
from tests.property import arbitrary
from tests.property.chances import Chances
from tests.property.watch import Watch

Place = tuple[NodeId, int]
"""One attempt of one node."""

MOST_GROWN = 4
"""Times that a dynamic task makes nodes in one world."""

_MOODS = (
    ("done", "done", "sorry", "wrong", "lost", "broken"),
    ("done", "sorry", "sorry", "lost"),
    ("done", "done", "done", "lost"),
)
"""How attempts end, by the mood of the world."""


class Answers:
    """What is alive out there, how it ended, and what was answered."""

    def __init__(self, watch: Watch, chance: Chances, time: Callable[[], Micros]) -> None:
        self.watch, self.chance, self.time = watch, chance, time
        self.calm = False
        """From now on all goes well."""
        self.mood = chance.choose(_MOODS)
        self.alive: set[Place] = set()
        self.ends: dict[Place, Event] = {}
        self.children: set[NodeId] = set()
        """Nodes whose children run."""
        self.child_ends: dict[NodeId, Event] = {}
        self.reserved: set[NodeId] = set()
        """Nodes that have the right to make their result."""
        self._told: dict[str, list[Event]] = {}
        self._grown = 0

    def perform(self, command: Command) -> list[Event]:
        """Do what is asked, and return what there is to tell."""
        told = self._told.get(command.key)
        if told is None:
            self._told[command.key] = told = _PERFORMED[type(command)](self, command)
        elif isinstance(command, commands.StartAttempt):
            end = self.ends.get((command.node, command.attempt))
            return [end] if end is not None else []
        return told

    def end(self, place: Place, event: Event | None = None) -> list[Event]:
        """End an attempt for good."""
        self.alive.discard(place)
        self.ends[place] = self.any_end(place) if event is None else event
        return [self.ends[place]]

    def end_child(self, node: NodeId, phase: ExecutionPhase | None = None) -> list[Event]:
        """End a child for good."""
        self.children.discard(node)
        if phase is None:
            phase = self.any_child_end(node)
        kind, code = (FailureKind.USER, "Boom") if phase is ExecutionPhase.FAILED else (FailureKind.UNKNOWN, "")
        child = _child(node) if self.child_was_launched(node) else None
        self.child_ends[node] = events.ChildEnded(self.time(), node, phase, kind, code, "it is over", child)
        return [self.child_ends[node]]

    def tell_again(self) -> list[Event]:
        """Return what was told before of attempts and children of which the engine does not know the end."""
        again = []
        for name, node in self.watch.state.nodes.items():
            place = (name, node.attempts[-1].number if node.attempts else -1)
            if node.attempts and node.attempts[-1].live and place in self.ends:
                again.append(self.ends[place])
            if node.phase not in TERMINAL_NODE and name in self.child_ends:
                again.append(self.child_ends[name])
        return again

    def check_alive(self) -> None:
        """Nothing is alive out there that the engine takes to be over."""
        for node, attempt in self.alive:
            known = self.watch.nodes[node].attempts[attempt]
            assert known.live, f"attempt {node}/{attempt} is over, and alive"
        for node in self.children:
            assert self.watch.nodes[node].phase not in TERMINAL_NODE, f"{node} is over, and its child alive"

    def child_was_launched(self, node: NodeId) -> bool:
        """Say whether the node's child ever was."""
        return any(isinstance(told, events.ChildLaunched) for told in self._told.get(f"prepare/{node}", []))

    # -- what chance decides ----------------------------------------------------------------------------------------
    def any_end(self, place: Place) -> Event:
        """Return how an attempt ends that was not told to."""
        at, how = self.time(), "done" if self.calm else self.chance.choose(self.mood)
        if how == "done":
            return events.AttemptSucceeded(at, *place, has_deck=self.chance.one_in(2), grows=self.may_grow(place[0]))
        kind = FailureKind.USER if how in ("sorry", "wrong") else FailureKind.SYSTEM
        return events.AttemptFailed(at, *place, kind, how.upper(), f"it is {how}", recoverable=how in ("sorry", "lost"))

    def may_grow(self, node: NodeId) -> bool:
        """Say whether a task's attempt leaves nodes instead of outputs."""
        return self._grown < MOST_GROWN and self.chance.one_in(4)

    def any_child_end(self, node: NodeId) -> ExecutionPhase:
        """Return how a child ends that was not told to."""
        failed = not self.calm and self.chance.one_in(3)
        return (
            self.chance.choose((ExecutionPhase.FAILED, ExecutionPhase.ABORTED)) if failed else ExecutionPhase.SUCCEEDED
        )

    def fails(self, command: Command, *, once_in: int = 10) -> bool:
        """Say whether what is asked cannot be done."""
        return not self.calm and self.chance.one_in(once_in)

    def number(self, command: Command, choices: int) -> int:
        """Return a case or a size."""
        return self.chance.pick(choices)

    # -- one for each command ---------------------------------------------------------------------------------------
    def _start_attempt(self, command: commands.StartAttempt) -> list[Event]:
        self.alive.add((command.node, command.attempt))
        return []

    def _stop_attempt(self, command: commands.StopAttempt) -> list[Event]:
        place = (command.node, command.attempt)
        if place in self.ends:
            return [self.ends[place]]
        ends_itself = not self.calm and self.chance.one_in(3)
        return self.end(place, None if ends_itself else events.AttemptStopped(self.time(), *place))

    def _prepare_node(self, command: commands.PrepareNode) -> list[Event]:
        node, rules = command.node, self.watch.rules[command.node]
        if self.fails(command):
            return [events.NodeFailed(self.time(), node, FailureKind.USER, "BadInputs", "no such input")]
        if rules.kind is NodeKind.SUB_WORKFLOW:
            return [events.InputsPrepared(self.time(), node)]
        if rules.kind is NodeKind.BRANCH:
            return [events.BranchChosen(self.time(), node, self.number(command, len(rules.cases)))]
        if rules.kind is NodeKind.ARRAY:
            return [events.ArrayMeasured(self.time(), node, self.number(command, 6))]
        if rules.kind is NodeKind.GATE:
            return [events.GateOpened(self.time(), node)]
        assert rules.kind is NodeKind.LAUNCH_PLAN, f"{node} is a {rules.kind.name} and was to be prepared"
        self.children.add(node)
        return [events.ChildLaunched(self.time(), node, _child(node))]

    def _stop_child(self, command: commands.StopChild) -> list[Event]:
        node = command.node
        if node in self.child_ends:
            return [self.child_ends[node]]
        ends_itself = node in self.children and not self.calm and self.chance.one_in(3)
        return self.end_child(node, None if ends_itself else ExecutionPhase.ABORTED)

    def _grow(self, command: commands.Grow) -> list[Event]:
        if self.fails(command):
            return [events.NodeFailed(self.time(), command.node, FailureKind.USER, "BadDynamic", "it is a circle")]
        return [events.Grown(self.time(), command.node, command.attempt, self.grow(command))]

    def grow(self, command: commands.Grow) -> str:
        """Make another plan known, or one that grew before, and return its digest."""
        self._grown += 1
        if self.watch.grown and self.chance.one_in(3):
            return self.chance.choose(sorted(self.watch.grown))
        digest = f"grown{len(self.watch.grown)}"
        depth = arbitrary.DEEPEST - (0 if self.chance.one_in(3) else 1)
        self.watch.grown[digest] = arbitrary.PlanDrawing(self.chance).plan(digest, depth)
        return digest

    def _look_up_cache(self, command: commands.LookUpCache) -> list[Event]:
        at, node, rules = self.time(), command.node, self.watch.rules[command.node]
        assert rules.cache is not None, f"{node} has no cache and was to look"
        if self.fails(command, once_in=12):
            return [events.NodeFailed(at, node, FailureKind.USER, "BadInputs", "no such input")]
        if rules.cache.serializable and command.look < 3 and self.fails(command, once_in=3):
            return [events.CacheBusy(at, node, command.look)]
        if self.fails(command, once_in=3):
            return [events.CacheHit(at, node, b"from")]
        if rules.cache.serializable:
            self.reserved.add(node)
        status = CacheStatus.LOOKUP_FAILURE if self.fails(command, once_in=4) else CacheStatus.MISS
        return [events.CacheMissed(at, node, status)]

    def _fill_cache(self, command: commands.FillCache) -> list[Event]:
        self.reserved.discard(command.node)
        status = CacheStatus.PUT_FAILURE if self.fails(command, once_in=4) else CacheStatus.POPULATED
        return [events.CacheFilled(self.time(), command.node, status)]

    def _leave_cache(self, command: commands.LeaveCache) -> list[Event]:
        self.reserved.discard(command.node)
        return []

    def _recover_node(self, command: commands.RecoverNode) -> list[Event]:
        if self.number(command, 3) == 2:
            return [events.NodeRecovered(self.time(), command.node, has_deck=True)]
        is_task = self.watch.rules[command.node].kind is NodeKind.TASK
        grew = self.number(command, 2) if is_task and self.may_grow(command.node) else None
        return [events.NothingRecovered(self.time(), command.node, "checkpoints", grew)]

    def _write_outputs(self, command: commands.WriteOutputs) -> list[Event]:
        if self.fails(command):
            at, kind = self.time(), FailureKind.USER
            return [events.OutputsRejected(at, kind, "BadOutputs", "no such output", command.node, command.round)]
        return [events.OutputsWritten(self.time(), command.node, command.round)]


_PERFORMED = {
    commands.StartAttempt: Answers._start_attempt,
    commands.StopAttempt: Answers._stop_attempt,
    commands.PrepareNode: Answers._prepare_node,
    commands.StopChild: Answers._stop_child,
    commands.Grow: Answers._grow,
    commands.LookUpCache: Answers._look_up_cache,
    commands.FillCache: Answers._fill_cache,
    commands.LeaveCache: Answers._leave_cache,
    commands.RecoverNode: Answers._recover_node,
    commands.WriteOutputs: Answers._write_outputs,
}


def _child(node: NodeId) -> ExecutionId:
    return ExecutionId("flytesnacks", "development", f"child-{node}")
