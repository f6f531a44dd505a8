"""Looks that a supervisor takes again and again: at the memory, the logs and the processors of its roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import giving_way, running

MEMORY_SECONDS = 0.25
"""How often the memory of limited roles is looked at, and how far logs have grown."""


class Rounds:
    """The looks at one group."""

    def __init__(self, spec: dict[str, Any], roles: Sequence[running.Running], main: running.Running) -> None:
        self._roles = roles
        self._giving_way = giving_way.Watch(roles)
        self._memory_at = 0.0
        self._limited = len(roles) > 1 or bool(spec.get("max_log_bytes") or main.spec.get("memory_limit_bytes"))

    def take(self, now: float, *, ending: bool) -> None:
        """Look at what is due. A group that is ending has its logs kept within their limit, and no more."""
        running.look_at_logs(self._roles, now)
        self._giving_way.look(now)
        if now < self._memory_at:
            return
        self._memory_at = now + MEMORY_SECONDS
        running.hold_logs(self._roles)
        if not ending:
            for one in self._roles:
                running.hold_to_limit(one)

    @property
    def next_at(self) -> float | None:
        """Return when the next look is due, None where there is nothing to look at."""
        return self._memory_at if self._limited else self._giving_way.next_at
