"""A world for the engine to live in: it performs commands, runs attempts, reports, and misbehaves as it is told to.

All chance comes from a string of bytes: 0 is the calm choice, and so is everything after the last byte. The world
reorders, repeats and loses reports, dies between performing and marking done, lets timers fire late, sets signals
early, and aborts; but it answers every command in the end, and what it lost it reports again when asked. What it
answers, `answering` says.
"""

from __future__ import annotations

from dayfly.base.clock import SECOND, Micros
from dayfly.engine import step as engine
from dayfly.model import events
from dayfly.model.commands import CancelTimer, Command, SetTimer
from dayfly.model.events import Event
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import AttemptPhase
from dayfly.model.plan import Plan
from dayfly.model.run import LogLink, RunOptions, RunState
from tests.property import arbitrary, command_invariants, invariants
from tests.property.answering import Answers, Place
from tests.property.chances import Chances
from tests.property.watch import Watch

_REPORTS = (
    AttemptPhase.RUNNING,
    AttemptPhase.RUNNING,
    AttemptPhase.QUEUED,
    AttemptPhase.WAITING_FOR_RESOURCES,
    AttemptPhase.INITIALIZING,
)

LOSABLE = (
    events.AttemptProgressed,
    events.AttemptSucceeded,
    events.AttemptFailed,
    events.AttemptStopped,
    events.ChildLaunched,
    events.ChildEnded,
)
"""All else is appended in one commit with the command or timer done, or by the client itself."""


class World:
    """One execution with all that happens to it. Checks every invariant at every step."""

    def __init__(self, plan: Plan, options: RunOptions, chances: bytes) -> None:
        self.plan = plan
        self.chance = Chances(chances)
        self.impatient = self.chance.pick(3) == 2
        self.now = Micros(1000 * SECOND)
        self.watch = Watch(plan)
        self.answers = self.build_answers()
        self.log: list[Event] = []
        self.undone: list[Command] = []
        self.inbox: list[Event] = []
        self.timers: dict[str, Micros] = {}
        self.deliver(events.Launched(self.now, options))

    @property
    def state(self) -> RunState:
        """How far the execution is."""
        return self.watch.state

    def build_answers(self) -> Answers:
        """Return what this world answers."""
        return Answers(self.watch, self.chance, self.time)

    def live_through(self) -> None:
        """Let all chances happen, then calm down until the execution has ended; check that it does, and all else."""
        while self.chance:
            self._happen()
        rounds = 0
        while not self.state.ended:
            rounds += 1
            assert rounds <= self._most_rounds(), "the world answered every command, but the execution did not end"
            self._calm_round()
        self.answers.calm = True
        for command in self.undone:
            self.answers.perform(command)
        assert not self.answers.alive, "attempts are left over"
        assert not self.answers.children, "children are left over"
        assert not self.answers.reserved, "rights to make a result are left over"
        invariants.check_history(self.watch)
        assert fold(self.plan, self.watch.grown, self.log) == self.state, "folding the log does not give the state"

    def deliver(self, event: Event) -> None:
        """Let the engine step over the event; nothing is committed that breaks an invariant."""
        done = _step(self.plan, self.state, event, self.watch.grown)
        invariants.check_step(self.watch, event, done)
        self.answers.check_alive()
        self.log.append(event)
        for command in done.commands:
            if isinstance(command, SetTimer):
                self.timers[command.timer] = command.due_at
            elif isinstance(command, CancelTimer):
                self.timers.pop(command.timer, None)
            else:
                self.undone.append(command)

    def time(self) -> Micros:
        """Return the time on a clock of the world, which may be slow."""
        self.now = Micros(self.now + SECOND // 2)
        return Micros(self.now - self.chance.pick(3) * SECOND)

    def _most_rounds(self) -> int:
        return command_invariants.most_commands(self.watch) + 8

    def _happen(self) -> None:
        self.chance.choose(_DEEDS)(self)

    def _calm_round(self) -> None:
        self.answers.calm = True
        for command in tuple(self.undone):
            self.inbox += self.answers.perform(command)
        self.undone.clear()
        for place in sorted(self.answers.alive):
            self.inbox += self.answers.end(place)
        for node in sorted(self.answers.children):
            self.inbox += self.answers.end_child(node)
        self.inbox += self.answers.tell_again()
        self.inbox += [events.SignalSet(self.time(), signal) for signal in arbitrary.SIGNALS]
        for timer in sorted(self.timers):
            if timer.startswith(("gate/", "cache/")):
                self._fire(timer)
        while self.inbox:
            self.deliver(self.inbox.pop(0))

    def _perform_one(self) -> None:
        if self.undone:
            command = self.chance.choose(self.undone)
            # Commands for one node keep their order: nobody stops what he has not started.
            first = next(c for c in self.undone if _node(c) == _node(command))
            self.undone.remove(first)
            self.inbox += self.answers.perform(first)

    def _perform_without_marking(self) -> None:
        if self.undone:
            self.inbox += self.answers.perform(self.undone[0])

    def _deliver_one(self) -> None:
        if self.inbox:
            self.deliver(self.inbox.pop(0))

    def _deliver_any(self) -> None:
        if self.inbox:
            self.deliver(self.inbox.pop(self.chance.pick(len(self.inbox))))

    def _repeat_delivery(self) -> None:
        if self.inbox:
            self.deliver(self.inbox[self.chance.pick(len(self.inbox))])

    def _repeat_old(self) -> None:
        """What an event once changed is changed for good: any old event changes nothing, however late it is told."""
        event = self.chance.choose(self.log)
        before = self.state
        self.deliver(event)
        assert self.state == before, f"told again, {event} changed something"

    def _lose_one(self) -> None:
        if self.inbox:
            lost = self.inbox.pop(self.chance.pick(len(self.inbox)))
            if not isinstance(lost, LOSABLE):
                self.inbox.append(lost)

    def _progress(self) -> None:
        if self.answers.alive:
            place = self.chance.choose(sorted(self.answers.alive))
            phase = self.chance.choose(_REPORTS)
            reason = self.chance.choose(("", "image pulled", "no room"))
            logs = (LogLink("driver", f"file:///{self.chance.pick(3)}"),) if reason else ()
            info = bytes(self.chance.pick(3))
            self.inbox.append(events.AttemptProgressed(self.time(), *place, phase, reason, logs, info))

    def _end_any(self) -> None:
        ending: list[Place | NodeId] = [*sorted(self.answers.alive), *sorted(self.answers.children)]
        if ending:
            one = self.chance.choose(ending)
            self.inbox += self.answers.end(one) if isinstance(one, tuple) else self.answers.end_child(one)

    def _fire_timer(self) -> None:
        if self.timers:
            self._fire(min(self.timers, key=lambda name: (self.timers[name], name)))

    def _fire(self, timer: str) -> None:
        self.now = max(self.now, self.timers.pop(timer))
        self.inbox.append(events.TimerFired(self.now, timer))

    def _signal(self) -> None:
        self.inbox.append(events.SignalSet(self.time(), self.chance.choose(arbitrary.SIGNALS)))

    def _abort(self) -> None:
        if self.impatient and self.chance.one_in(4):
            self.now = Micros(self.now + 1)
            self.inbox.append(events.AbortRequested(self.now, f"why {self.now}", "ann"))


_DEEDS = (
    *[World._perform_one, World._deliver_one, World._end_any] * 4,
    *[World._perform_one, World._progress] * 2,
    World._deliver_any,
    World._repeat_delivery,
    World._repeat_old,
    World._lose_one,
    World._perform_without_marking,
    World._fire_timer,
    World._fire_timer,
    World._signal,
    World._abort,
)


def fold(plan: Plan, grown: dict[str, Plan], log: list[Event]) -> RunState:
    """Return the state that the log of an execution gives, read from its stored form."""
    state = RunState()
    for event in log:
        state = _step(plan, state, events.decode(events.encode(event)), grown).state
    return state


def _step(plan: Plan, state: RunState, event: Event, grown: dict[str, Plan]) -> engine.Step:
    """Step with the grown plans that a stored run is loaded with, and no others."""
    named = state.grown | ({event.digest} if isinstance(event, events.Grown) else set())
    return engine.step(plan, state, event, {digest: grown[digest] for digest in named if digest in grown})


def _node(command: Command) -> NodeId | None:
    return getattr(command, "node", None)
