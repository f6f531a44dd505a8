"""Notices of ended executions: who is to be told, and what became of it. They survive restarts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import ExecutionId


class EndedRun(msgspec.Struct, frozen=True):
    """An execution in a terminal phase."""

    id: ExecutionId
    spec: bytes
    """flyteidl.admin.ExecutionSpec."""
    closure: bytes
    """flyteidl.admin.ExecutionClosure."""
    phase: str
    updated_at: Micros


class NewNotice(msgspec.Struct, frozen=True):
    """Somebody who is to be told of one execution's end."""

    execution: ExecutionId
    kind: str
    """`email`, `slack` or `webhook`."""
    target: str
    """An address; for `slack`, nothing."""
    subject: str
    body: str


class Notice(msgspec.Struct, frozen=True):
    """One that waits to be delivered."""

    number: int
    kind: str
    target: str
    subject: str
    body: str
    tries: int


class Notices(Protocol):
    """Notices in the database. Raises `StoreUnavailable`."""

    async def begin(self, now: Micros) -> None:
        """Look at what ends from `now` on; nothing if that was settled before."""
        ...

    async def list_ended(self, limit: int) -> list[EndedRun]:
        """Return executions that have ended and were not taken up, oldest end first."""
        ...

    async def take_up(self, seen_until: Micros, notices: Sequence[NewNotice], *, now: Micros) -> None:
        """Add notices and note that what was updated before `seen_until` has been looked at, in one commit.

        A notice of the same execution, kind and target is added once, however often.
        """
        ...

    async def list_due(self, now: Micros, limit: int) -> list[Notice]:
        """Return notices that are to be delivered, the most overdue first."""
        ...

    async def settle(self, number: int, *, error: str, due_at: Micros | None) -> None:
        """Note a delivery that was tried: `error` is empty if it went well, `due_at` None if it is not tried again."""
        ...
