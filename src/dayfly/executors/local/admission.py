"""Decides which groups may start on this host: first come, first served, where it fits. Pure."""

from __future__ import annotations

import msgspec

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


class _Waiting:
    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.overtaken = 0


class Admission:
    """Who is in, who waits, and what is left."""

    def __init__(self, capacity: Capacity, *, default_cpu: float) -> None:
        self.capacity = capacity
        self._default_cpu = default_cpu
        self._inside: dict[str, Wish] = {}
        self._waiting: dict[str, _Waiting] = {}

    def fit(self, key: str, cpu: float, memory_bytes: int) -> Wish:
        """Return the wish as the host can grant it: nothing counts a little, too much counts as the whole host."""
        notes = []
        if cpu > self.capacity.cpus:
            notes.append(f"{cpu:g} CPUs were asked for, and this host has {self.capacity.cpus:g}: it gets them all")
        if memory_bytes > self.capacity.memory_bytes:
            notes.append(
                f"{_gibi(memory_bytes)} of memory were asked for, and this host has "
                f"{_gibi(self.capacity.memory_bytes)} to give: it gets it all"
            )
        wanted = min(
            cpu or self._default_cpu, self.capacity.shares if cpu <= self.capacity.cpus else self.capacity.cpus
        )
        return Wish(key, wanted, min(memory_bytes, self.capacity.memory_bytes), "; ".join(notes))

    def offer(self, wish: Wish) -> None:
        """Put a group into the queue; one that is known already stays where it is."""
        if wish.key not in self._inside and wish.key not in self._waiting:
            self._waiting[wish.key] = _Waiting(wish)

    def occupy(self, wish: Wish) -> None:
        """Count a group that runs already, whether it fits or not."""
        self._waiting.pop(wish.key, None)
        self._inside[wish.key] = wish

    def leave(self, key: str) -> None:
        """Forget a group, inside or waiting."""
        self._inside.pop(key, None)
        self._waiting.pop(key, None)

    def admit(self) -> list[Wish]:
        """Move all in that fit now, in order, and return them."""
        admitted = []
        skipped: list[_Waiting] = []
        for waiting in list(self._waiting.values()):
            if any(one.overtaken >= MOST_OVERTAKEN for one in skipped):
                break
            if not self._fits(waiting.wish):
                skipped.append(waiting)
                continue
            for one in skipped:
                one.overtaken += 1
            self.occupy(waiting.wish)
            admitted.append(waiting.wish)
        return admitted

    def waiting(self) -> dict[str, str]:
        """Return the keys of all that wait, each with what for, in words."""
        return {key: self._told(waiting.wish) for key, waiting in self._waiting.items()}

    @property
    def cpu_used(self) -> float:
        """Return the cores given away."""
        return sum(wish.cpu for wish in self._inside.values())

    @property
    def memory_used(self) -> int:
        """Return the memory given away, in bytes."""
        return sum(wish.memory_bytes for wish in self._inside.values())

    def _fits(self, wish: Wish) -> bool:
        # The small allowance takes up what adding fractions loses.
        return (
            self.cpu_used + wish.cpu <= self.capacity.shares + 1e-6
            and self.memory_used + wish.memory_bytes <= self.capacity.memory_bytes
        )

    def _told(self, wish: Wish) -> str:
        lacks = []
        if self.cpu_used + wish.cpu > self.capacity.shares + 1e-6:
            lacks.append(f"{wish.cpu:g} of {self.capacity.shares:g} CPUs: {self.cpu_used:g} in use")
        if self.memory_used + wish.memory_bytes > self.capacity.memory_bytes:
            used, whole = _gibi(self.memory_used), _gibi(self.capacity.memory_bytes)
            lacks.append(f"{_gibi(wish.memory_bytes)} of {whole} of memory: {used} in use")
        told = "waiting for " + (" and ".join(lacks) if lacks else "larger groups that came before")
        return f"{told} ({wish.note})" if wish.note else told


def _gibi(count: int) -> str:
    return f"{count / GIBI:.1f} GiB" if count >= GIBI / 10 else f"{count / 1024**2:.0f} MiB"
