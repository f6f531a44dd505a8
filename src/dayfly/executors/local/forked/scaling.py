"""Roles whose number follows the work: those of them run that the fact `wanted_roles` names.

Asked by the supervisor, which starts them as it makes others anew. Who publishes the fact has seen to it that a role
which goes is not needed any more; here it is told to end, and its end is no death.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from typing import Any

from . import processes, running

WANTED_FACT = "wanted_roles"
"""Names of the scaled roles that are to run. The other roles are not told of it."""

BEGUN_FACT = "begun_roles"
"""Names of the scaled roles that have ever run, for whoever looks for their logs."""

LEAVING_SECONDS = 10.0
"""What a role may take to end when it is not wanted any more, before it is killed."""


class Scaling:
    """The scaled roles of one group; `facts` are those of the group."""

    def __init__(self, spec: dict[str, Any], roles: Sequence[running.Running], facts: dict[str, Any]) -> None:
        self._roles = [one for one in roles if one.spec.get("scaled")]
        self._facts = facts
        self._leaving: dict[str, float] = {}  # by role: when it is killed
        if self._roles:
            facts[WANTED_FACT], facts[BEGUN_FACT] = list(spec.get(WANTED_FACT, ())), []
            for one in self._roles:
                if self._wants(one):
                    self._note_begun(one)

    @property
    def moments(self) -> Iterable[float]:
        """Return the monotonic times at which `hurry` has something to do."""
        return self._leaving.values()

    def heed(self, now: float) -> None:
        """Have those started that are wanted and not there, and tell those to end that are there and not wanted."""
        wanted = set(self._facts[WANTED_FACT])
        for one in self._roles:
            if one.name in wanted:
                self._begin(one, now)
                continue
            one.restart_at = 0.0
            if one.pid and one.name not in self._leaving:
                self._leaving[one.name] = now + LEAVING_SECONDS
                processes.send(one.pid, signal.SIGTERM)

    def take_leave(self, one: running.Running, now: float) -> bool:
        """Say whether a role that has ended had been told to. One that is wanted again meanwhile begins anew."""
        if self._leaving.pop(one.name, None) is None:
            return False
        if self._wants(one):
            self._begin(one, now)
        return True

    def hurry(self, now: float) -> None:
        """Kill those that take too long to end."""
        for one in self._roles:
            if now >= self._leaving.get(one.name, now + 1):
                self._leaving[one.name] = now + LEAVING_SECONDS
                processes.send(one.pid, signal.SIGKILL, group=True)

    def _wants(self, one: running.Running) -> bool:
        return one.name in self._facts[WANTED_FACT]

    def _begin(self, one: running.Running, now: float) -> None:
        """Have a role started, unless it runs, or is about to. Each start has a number of its own."""
        if one.pid or one.restart_at:
            return
        one.restart_at = now
        if one.begun:
            one.restarts += 1
        self._note_begun(one)

    def _note_begun(self, one: running.Running) -> None:
        if not one.begun:
            self._facts[BEGUN_FACT] = [*self._facts[BEGUN_FACT], one.name]
        one.begun = True
