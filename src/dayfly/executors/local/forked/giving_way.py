"""Roles that use more cores than they may give way to everybody else, for as long as somebody else wants these cores.

Called by the supervisor, whenever it is awake. Without rights of its own on the host it cannot take cores away from a
process; but it can lower the priority of one that takes more than its share. Where nobody else wants them, it goes on
as fast as before: no core is ever idle for a limit.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from . import processes, running

ROUND_SECONDS = 5.0
"""How long is looked at what a role uses, before it is judged: many tasks are over by then."""

TOLERANCE = 1.25
"""Times its limit that a role may use without being asked to give way."""

NICENESS = 10
"""Of 19. A process that has it gets a tenth of a core that another one wants as well."""


class Watch:
    """What the roles of a group have used so far."""

    def __init__(self, roles: Sequence[running.Running]) -> None:
        cores = len(os.sched_getaffinity(0))
        self._limited = [one for one in roles if 0 < one.spec.get("cpu_limit", 0.0) < cores]
        self._seen: dict[str, tuple[int, float]] = {}  # by role: its process, and the seconds that it had used
        self._looked_at = 0.0
        self._next_at = 0.0

    @property
    def next_at(self) -> float | None:
        """Return the monotonic time of the next look; None where no role has a limit."""
        return self._next_at if self._limited else None

    def look(self, now: float) -> None:
        """Look, unless it is too soon."""
        if now < self._next_at:
            return
        elapsed, self._looked_at, self._next_at = now - self._looked_at, now, now + ROUND_SECONDS
        for one in self._limited:
            pid, before = self._seen.get(one.name, (0, 0.0))
            used = processes.tree_cpu_seconds(one.pid) if one.pid else 0.0
            self._seen[one.name] = (one.pid, used)
            # A role that was made anew begins anew.
            if one.pid and pid == one.pid and used - before > one.spec["cpu_limit"] * TOLERANCE * elapsed:
                processes.give_way(one.pid, NICENESS)
