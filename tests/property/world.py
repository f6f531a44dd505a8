"""A world for the engine to live in: it performs commands, runs attempts, reports, and misbehaves as it is told to.

All chance comes from a string of bytes: 0 is the calm choice, and so is everything after the last byte. The world
reorders, repeats and loses reports, dies between performing and marking done, lets timers fire late, and aborts; but it
answers every command in the end, and what it lost it reports again when asked.
"""

from __future__ import annotations

from dayfly.base.clock import SECOND, Micros
from dayfly.engine import step as engine
from dayfly.model import events
from dayfly.model.commands import CancelTimer, Command, SetTimer, StartAttempt, StopAttempt
from dayfly.model.events import Event
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import AttemptPhase, FailureKind
from dayfly.model.plan import Plan
from dayfly.model.run import LogLink, RunOptions, RunState
from tests.property import invariants

Place = tuple[NodeId, int]
_REPORTS = (
    AttemptPhase.RUNNING,
    AttemptPhase.RUNNING,
    AttemptPhase.QUEUED,
    AttemptPhase.WAITING_FOR_RESOURCES,
    AttemptPhase.INITIALIZING,
)

_MOODS = (
    ("done", "done", "sorry", "wrong", "lost", "broken"),
    ("done", "sorry", "sorry", "lost"),
    ("done", "done", "done", "lost"),
)
"""How attempts end, by the mood of the world."""


class Chances:
    """Choices made from bytes."""

    def __init__(self, chances: bytes) -> None:
        self._left = list(reversed(chances))

    def __bool__(self) -> bool:
        return bool(self._left)

    def pick(self, choices: int) -> int:
        """Return a number below `choices`; 0 when the bytes are used up."""
        return self._left.pop() % choices if self._left else 0


class World:
    """One execution with all that happens to it. Checks every invariant at every step."""

    def __init__(self, plan: Plan, options: RunOptions, chances: bytes) -> None:
        self.plan = plan
        self.chance = Chances(chances)
        self.mood = _MOODS[self.chance.pick(len(_MOODS))]
        self.impatient = self.chance.pick(3) == 2
        self.now = Micros(1000 * SECOND)
        self.state = RunState()
        self.log: list[Event] = []
        self.commands: list[Command] = []
        self.undone: list[Command] = []
        self.inbox: list[Event] = []
        self.alive: set[Place] = set()
        self.ends: dict[Place, Event] = {}
        self.timers: dict[str, Micros] = {}
        self.fired: list[events.TimerFired] = []
        self.deliver(events.Launched(self.now, options))

    def live_through(self) -> None:
        """Let all chances happen, then calm down until the execution has ended; check that it does, and all else."""
        while self.chance:
            self._happen()
        for _ in range(4 * invariants.most_commands(self.plan, self.state) + 8):
            if self.state.ended:
                break
            self._calm_round()
        assert self.state.ended, "the world answered every command, but the execution did not end"
        invariants.check_history(self.plan, self.state, self.commands, self.fired)
        assert fold(self.plan, self.log) == self.state, "folding the log does not give the state"

    def deliver(self, event: Event) -> None:
        """Let the engine step over the event; nothing is committed that breaks an invariant."""
        done = engine.step(self.plan, self.state, event)
        invariants.check_step(self.plan, self.state, event, done)
        self.log.append(event)
        self.state = done.state
        for command in done.commands:
            self.commands.append(command)
            if isinstance(command, SetTimer):
                self.timers[command.timer] = command.due_at
            elif isinstance(command, CancelTimer):
                self.timers.pop(command.timer, None)
            else:
                self.undone.append(command)

    def perform(self, command: Command) -> None:
        """Do what is asked; doing it again does nothing, but is answered again."""
        if isinstance(command, StartAttempt):
            place = (command.node, command.attempt)
            if place in self.ends:
                self.inbox.append(self.ends[place])
            else:
                self.alive.add(place)
        elif isinstance(command, StopAttempt):
            place = (command.node, command.attempt)
            if place not in self.ends:
                self.end(place, self._answer_to_stop(place))
            self.inbox.append(self.ends[place])
        elif self.chance.pick(4) < 3:
            self.inbox.append(events.OutputsWritten(self.time()))
        else:
            self.inbox.append(events.OutputsRejected(self.time(), FailureKind.USER, "BadOutputs", "no such output"))

    def end(self, place: Place, event: Event) -> None:
        """End an attempt for good."""
        self.alive.discard(place)
        self.ends[place] = event
        self.inbox.append(event)

    def time(self) -> Micros:
        """Return the time on a clock of the world, which may be slow."""
        self.now = Micros(self.now + SECOND // 2)
        return Micros(self.now - self.chance.pick(3) * SECOND)

    def _happen(self) -> None:
        deeds = (
            self._perform_one,
            self._deliver_one,
            self._deliver_any,
            self._progress,
            self._end_any,
            self._repeat_delivery,
            self._repeat_old,
            self._lose_one,
            self._perform_without_marking,
            self._fire_timer,
            self._perform_one,
            self._deliver_one,
            self._end_any,
            self._progress,
            self._perform_one,
            self._deliver_one,
            self._end_any,
            self._abort,
        )
        deeds[self.chance.pick(len(deeds))]()

    def _calm_round(self) -> None:
        for command in tuple(self.undone):
            self.perform(command)
        self.undone.clear()
        for place in sorted(self.alive):
            self.end(place, events.AttemptSucceeded(self.time(), *place))
        for node, state in self.state.nodes.items():
            place = (node, state.attempts[-1].number)
            if state.attempts[-1].live and place in self.ends:
                self.inbox.append(self.ends[place])
        while self.inbox:
            self.deliver(self.inbox.pop(0))

    def _perform_one(self) -> None:
        if self.undone:
            command = self.undone[self.chance.pick(len(self.undone))]
            # Commands for one attempt keep their order: nobody stops what he has not started.
            first = next(c for c in self.undone if _place(c) == _place(command))
            self.undone.remove(first)
            self.perform(first)

    def _perform_without_marking(self) -> None:
        if self.undone:
            self.perform(self.undone[0])

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
        event = self.log[self.chance.pick(len(self.log))]
        before = self.state
        self.deliver(event)
        assert self.state == before, f"told again, {event} changed something"

    def _lose_one(self) -> None:
        if self.inbox:
            lost = self.inbox.pop(self.chance.pick(len(self.inbox)))
            if isinstance(lost, (events.OutputsWritten, events.OutputsRejected, events.TimerFired)):
                self.inbox.append(lost)  # these are appended in one commit with the command or timer done

    def _progress(self) -> None:
        if self.alive:
            places = sorted(self.alive)
            node, attempt = places[self.chance.pick(len(places))]
            phase = _REPORTS[self.chance.pick(len(_REPORTS))]
            reason = ("", "image pulled", "no room")[self.chance.pick(3)]
            logs = (LogLink("driver", f"file:///{self.chance.pick(3)}"),) if reason else ()
            self.inbox.append(
                events.AttemptProgressed(self.time(), node, attempt, phase, reason, logs, bytes(self.chance.pick(3)))
            )

    def _end_any(self) -> None:
        if self.alive:
            places = sorted(self.alive)
            place = places[self.chance.pick(len(places))]
            self.end(place, self._any_end(place))

    def _any_end(self, place: Place) -> Event:
        at, how = self.time(), self.mood[self.chance.pick(len(self.mood))]
        if how == "done":
            return events.AttemptSucceeded(at, *place, has_deck=self.chance.pick(2) == 1)
        kind = FailureKind.USER if how in ("sorry", "wrong") else FailureKind.SYSTEM
        return events.AttemptFailed(at, *place, kind, how.upper(), f"it is {how}", recoverable=how in ("sorry", "lost"))

    def _answer_to_stop(self, place: Place) -> Event:
        if self.chance.pick(3) == 2:
            return self._any_end(place)
        return events.AttemptStopped(self.time(), *place)

    def _fire_timer(self) -> None:
        if self.timers:
            timer = min(self.timers, key=lambda name: (self.timers[name], name))
            self.now = max(self.now, self.timers.pop(timer))
            event = events.TimerFired(self.now, timer)
            self.fired.append(event)
            self.inbox.append(event)

    def _abort(self) -> None:
        if self.impatient and self.chance.pick(4) == 3:
            self.now = Micros(self.now + 1)
            self.inbox.append(events.AbortRequested(self.now, f"why {self.now}", "ann"))


def fold(plan: Plan, log: list[Event]) -> RunState:
    """Return the state that the log of an execution gives, read from its stored form."""
    state = RunState()
    for event in log:
        state = engine.step(plan, state, events.decode(events.encode(event))).state
    return state


def _place(command: Command) -> Place | None:
    return (command.node, command.attempt) if isinstance(command, (StartAttempt, StopAttempt)) else None
