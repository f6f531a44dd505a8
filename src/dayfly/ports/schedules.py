"""Active launch plans that have a schedule, and up to when each has been fired."""

from __future__ import annotations

from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import EntityId


class ScheduledPlan(msgspec.Struct, frozen=True):
    """One active launch plan with a schedule."""

    id: EntityId
    document: bytes
    """Serialized flyteidl.admin.LaunchPlan."""
    fired_at: Micros
    """The last moment that has been fired or passed over; at first the activation."""


class Schedules(Protocol):
    """The schedules that are to be kept. Raises `StoreUnavailable`."""

    async def list_active(self) -> list[ScheduledPlan]:
        """Return all of them, by name."""
        ...

    async def mark_fired(self, plan: EntityId, at: Micros) -> None:
        """Note that everything up to `at` has been seen to. Never goes back; nothing happens to an inactive plan."""
        ...
