"""All runs together, of one project or of all: how many, what failed last, what waits for people; and how the database
itself is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase
from dayfly.ports.signals import Signal


class Scope(msgspec.Struct, frozen=True):
    """Which runs. Empty fields say nothing; a domain alone says nothing either."""

    project: str = ""
    domain: str = ""


class HourCount(msgspec.Struct, frozen=True):
    """Runs that were created within one hour and are in one phase now."""

    hour: Micros
    phase: str
    count: int


class NewRun(msgspec.Struct, frozen=True):
    """A run."""

    id: ExecutionId
    closure: bytes
    """flyteidl.admin.ExecutionClosure."""


class PlaceCount(msgspec.Struct, frozen=True):
    """Runs of one project and domain, without archived ones."""

    project: str
    domain: str
    count: int


class Backlog(msgspec.Struct, frozen=True):
    """What the database is, and what in it nobody has dealt with yet."""

    kind: str
    """`SQLite` or `PostgreSQL`."""
    unread_events: int
    undone_commands: int
    """Of both at most `MOST_COUNTED`."""


MOST_COUNTED = 10_000


class Overview(Protocol):
    """All runs together; archived ones are not counted. Raises `StoreUnavailable`."""

    async def count_active(self, scope: Scope) -> dict[str, int]:
        """Return how many runs are in each phase that is not an end."""
        ...

    async def count_hours(self, scope: Scope, since: Micros) -> list[HourCount]:
        """Return how many runs were created in each hour since, by their phase now; hours without any are left out."""
        ...

    async def list_newest(self, scope: Scope, phases: Collection[ExecutionPhase], *, limit: int) -> list[NewRun]:
        """Return the runs that are in one of the phases, those created last first."""
        ...

    async def list_unset(self, scope: Scope, *, limit: int) -> list[Signal]:
        """Return signals that runs under way wait for, the oldest first."""
        ...

    async def count_places(self) -> list[PlaceCount]:
        """Return how many runs each project and domain has; those without any are left out."""
        ...

    async def read_backlog(self) -> Backlog:
        """Return how the database is."""
        ...
