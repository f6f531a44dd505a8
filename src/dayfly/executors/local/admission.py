"""Decides which groups may start on this host: one execution after the other, where it fits. Pure.

Executions that wait take turns, so that one with a thousand tasks leaves room for one with three; within an execution
it is first come, first served. What is too large for the room there is may be overtaken, but not for ever.
"""

from __future__ import annotations

import msgspec

from dayfly.ports.process_groups import Room

MOST_OVERTAKEN = 50
"""Groups that may overtake one that does not fit yet; after that all wait, or a large one would wait for ever."""

GIBI = 1024**3


class Capacity(msgspec.Struct, frozen=True):
    """What the host gives away."""

    cpus: float
    """Cores that it has."""
    memory_bytes: int
    overcommit: float = 1.0
    """How often each core is given away."""

    @property
    def shares(self) -> float:
        """Return the cores that are given away."""
        return self.cpus * self.overcommit


class Wish(msgspec.Struct, frozen=True):
    """What one group asks for."""

    key: str
    cpu: float
    memory_bytes: int
    note: str = ""
    """What was changed about it, in words."""


class _Lane:
    """Groups of one execution that ask for the same: first come, first served."""

    def __init__(self, cpu: float, memory_bytes: int) -> None:
        self.cpu, self.memory_bytes = cpu, memory_bytes
        self.waiting: dict[str, _Waiting] = {}

    @property
    def head(self) -> _Waiting:
        """Return the one whose turn it is; there is always one."""
        return next(iter(self.waiting.values()))


class _Waiting:
    def __init__(self, wish: Wish, place: int) -> None:
        self.wish, self.place = wish, place
        self.overtaken = 0


class Admission:
    """Who is in, who waits, and what is left."""

    def __init__(self, capacity: Capacity, *, default_cpu: float) -> None:
        self.capacity = capacity
        self._default_cpu = default_cpu
        self._inside: dict[str, Wish] = {}
        self._cpu_used = 0.0
        self._memory_used = 0
        # Executions in the order of their turns. A lane is one size of wish, so that what looks for room looks at
        # few things, however many groups wait.
        self._turns: dict[str, dict[tuple[float, int], _Lane]] = {}
        self._offered = 0
        self._news: dict[str, _Waiting] = {}
        self._standing: dict[str, Wish] = {}  # the oldest first

    def fit(self, key: str, cpu: float, memory_bytes: int) -> Wish:
        """Return the wish as the host can grant it: nothing counts a little, too much counts as the whole host."""
        notes = []
        if cpu > self.capacity.cpus:
            notes.append(f"{cpu:g} CPUs were asked for, and this host has {self.capacity.cpus:g}: it gets them all")
        if memory_bytes > self.capacity.memory_bytes:
            notes.append(
                f"{in_words(memory_bytes)} of memory were asked for, and this host has "
                f"{in_words(self.capacity.memory_bytes)} to give: it gets it all"
            )
        wanted = min(
            cpu or self._default_cpu, self.capacity.shares if cpu <= self.capacity.cpus else self.capacity.cpus
        )
        return Wish(key, wanted, min(memory_bytes, self.capacity.memory_bytes), "; ".join(notes))

    def offer(self, wish: Wish) -> None:
        """Put a group into its execution's queue; one that is known already stays where it is."""
        if wish.key in self._inside or self._find(wish.key) is not None:
            return
        self._offered += 1
        lanes = self._turns.setdefault(_execution(wish.key), {})
        lane = lanes.setdefault((wish.cpu, wish.memory_bytes), _Lane(wish.cpu, wish.memory_bytes))
        lane.waiting[wish.key] = self._news[wish.key] = _Waiting(wish, self._offered)

    def occupy(self, wish: Wish) -> None:
        """Count a group that runs already, whether it fits or not."""
        self.leave(wish.key)
        self._inside[wish.key] = wish
        self._cpu_used += wish.cpu
        self._memory_used += wish.memory_bytes

    def stand(self, wish: Wish) -> bool:
        """Count a group that stands by, for which nobody ever waits: False where there is no room, or others wait."""
        self._standing[wish.key] = wish
        if self._turns or self._crowded():
            del self._standing[wish.key]
        return wish.key in self._standing

    def give_way(self) -> list[str]:
        """Return the groups that stand by no more: all where anybody waits, else, the oldest first, as many as it takes
        for the room to suffice."""
        gone = []
        while self._standing and (self._turns or self._crowded()):
            gone.append(next(iter(self._standing)))
            del self._standing[gone[-1]]
        return gone

    def leave(self, key: str) -> None:
        """Forget a group, inside, waiting or standing by."""
        self._standing.pop(key, None)
        inside = self._inside.pop(key, None)
        if inside is not None:
            # Fractions that were added and taken away again leave crumbs.
            self._cpu_used = self._cpu_used - inside.cpu if self._inside else 0.0
            self._memory_used -= inside.memory_bytes
        found = self._find(key)
        if found is not None:
            self._remove(found)

    def admit(self) -> list[Wish]:
        """Move all in that fit now, one execution after the other, and return them."""
        admitted = []
        while (waiting := self._choose()) is not None:
            execution = _execution(waiting.wish.key)
            for name, lanes in self._turns.items():
                for lane in lanes.values():
                    passed_by = name != execution or lane.head.place < waiting.place
                    if passed_by and not self._fits(lane):
                        lane.head.overtaken += 1
            self.occupy(waiting.wish)
            admitted.append(waiting.wish)
            if execution in self._turns:
                self._turns[execution] = self._turns.pop(execution)
        return admitted

    def news(self) -> dict[str, str]:
        """Return the keys of all that have begun to wait since the last call, each with what for, in words."""
        told = {key: self._told(waiting.wish) for key, waiting in self._news.items()}
        self._news.clear()
        return told

    def room(self) -> Room:
        """Return how it is now."""
        return Room(
            cpus=self.capacity.shares,
            cpus_used=round(self._cpu_used, 3),
            memory_bytes=self.capacity.memory_bytes,
            memory_used=self._memory_used,
            inside=len(self._inside),
            waiting=sum(len(lane.waiting) for lanes in self._turns.values() for lane in lanes.values()),
            standing=len(self._standing),
            standing_memory=sum(wish.memory_bytes for wish in self._standing.values()),
        )

    @property
    def cpu_used(self) -> float:
        """Return the cores given away."""
        return self._cpu_used

    @property
    def memory_used(self) -> int:
        """Return the memory given away, in bytes."""
        return self._memory_used

    def _choose(self) -> _Waiting | None:
        """Return the group whose turn it is: of the first execution with one that fits, the longest waiting of these.

        None where nothing fits, or where one that does not fit has been overtaken often enough: the room that comes
        free is then kept for it.
        """
        patient = [
            lane for lanes in self._turns.values() for lane in lanes.values() if lane.head.overtaken >= MOST_OVERTAKEN
        ]
        if patient:
            first = min(patient, key=lambda lane: lane.head.place)
            return first.head if self._fits(first) else None
        for lanes in self._turns.values():
            fitting = [lane.head for lane in lanes.values() if self._fits(lane)]
            if fitting:
                return min(fitting, key=lambda waiting: waiting.place)
        return None

    def _find(self, key: str) -> _Waiting | None:
        for lane in self._turns.get(_execution(key), {}).values():
            if key in lane.waiting:
                return lane.waiting[key]
        return None

    def _remove(self, waiting: _Waiting) -> None:
        wish, execution = waiting.wish, _execution(waiting.wish.key)
        self._news.pop(wish.key, None)
        lanes = self._turns[execution]
        lane = lanes[wish.cpu, wish.memory_bytes]
        del lane.waiting[wish.key]
        if not lane.waiting:
            del lanes[wish.cpu, wish.memory_bytes]
        if not lanes:
            del self._turns[execution]

    def _fits(self, asked: Wish | _Lane) -> bool:
        # The small allowance takes up what adding fractions loses.
        return (
            self._cpu_used + asked.cpu <= self.capacity.shares + 1e-6
            and self._memory_used + asked.memory_bytes <= self.capacity.memory_bytes
        )

    def _crowded(self) -> bool:
        """Say whether those that stand by want more than the others leave."""
        return not self._fits(
            Wish(
                "",
                sum(wish.cpu for wish in self._standing.values()),
                sum(wish.memory_bytes for wish in self._standing.values()),
            )
        )

    def _told(self, wish: Wish) -> str:
        lacks = []
        if self._cpu_used + wish.cpu > self.capacity.shares + 1e-6:
            lacks.append(f"{wish.cpu:g} of {self.capacity.shares:g} CPUs: {self._cpu_used:g} in use")
        if self._memory_used + wish.memory_bytes > self.capacity.memory_bytes:
            used, whole = in_words(self._memory_used), in_words(self.capacity.memory_bytes)
            lacks.append(f"{in_words(wish.memory_bytes)} of {whole} of memory: {used} in use")
        told = "waiting for " + (" and ".join(lacks) if lacks else "larger groups that came before")
        return f"{told} ({wish.note})" if wish.note else told


def _execution(key: str) -> str:
    """Return whose group it is: keys are those of attempts, `project/domain/execution/node/attempt`."""
    return key.rsplit("/", 2)[0]


def in_words(count: int) -> str:
    """Return bytes as people read them: `1.5 GiB`, `40 MiB`."""
    return f"{count / GIBI:.1f} GiB" if count >= GIBI / 10 else f"{count / 1024**2:.0f} MiB"
