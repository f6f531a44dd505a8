"""A group that stands by: what its supervisor does otherwise, until another group takes it over.

Its main role is not started. It goes by itself when its time is over, when one of its roles ends, or on an order, and
then at once, with its folders. When a group takes it over, its processes, folders and supervisor are that group's: what
they have logged, the environment of that group and its arguments are handed to them before its main role begins.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import claims, reporting, role, rounds, running

if TYPE_CHECKING:
    from .supervisor import Supervisor

TOLD, TAKEN = "taken_over", "taken"
"""Facts: what a role is told, and what it says when it has heeded it."""


class Standing:
    """Whether and until when a group stands by, and afterwards who has not heeded yet whose it is."""

    def __init__(self, spec: dict[str, Any]) -> None:
        seconds = spec.get("standing_seconds", 0.0)
        self.until = time.monotonic() + seconds if seconds else 0.0
        """0 where it does not, or no more."""
        self._owing: set[str] = set()

    def over(self, now: float) -> bool:
        """Say whether its time is over."""
        return bool(self.until) and now >= self.until

    def first(self, supervisor: Supervisor) -> Iterator[running.Running]:
        """Yield the roles to start at the beginning."""
        return (one for one in supervisor.roles if one.begun and not (self.until and one is supervisor.main))

    def prepare(self, supervisor: Supervisor) -> None:
        """Have the process of the main role ready as well, once the others are: it waits to be told which it is."""
        if self.until and supervisor.spare is None and supervisor.reporter.state == "running":
            supervisor.spare = role.fork(supervisor.preload, supervisor._close_in_child, ahead=True)

    def lose_spare(self, supervisor: Supervisor, pid: int) -> None:
        """Take the end of that process, if it is that one."""
        if supervisor.spare is not None and supervisor.spare[0] == pid:
            supervisor.spare[1].close()
            supervisor.spare = None

    def hear(self, supervisor: Supervisor, name: str) -> None:
        """Note that a role has heeded what it was told; with the last one, the main role may begin."""
        if self._owing == {name}:
            supervisor.facts[TAKEN] = True
            supervisor._tell({TAKEN: True})
            supervisor._note_running()
            supervisor.reporter.report()
        self._owing.discard(name)

    def adopt(self, supervisor: Supervisor, order: dict[str, Any]) -> None:
        """Make the group that stands by the one that is ordered, unless it is ending, or somebody has that one."""
        ours, record_dir = supervisor.spec, order["record_dir"]
        folders = (ours["working_dir"], ours["temporary_dir"], supervisor.record_dir)
        if not self.until or supervisor.ending:
            return
        if not _of_one_disk(ours["log_dir"], order["spec"]["log_dir"]):
            supervisor._end("lost", message="its logs cannot be moved to those of the group that would take it over")
            return
        if not claims.claim(record_dir, order["socket"], folders):
            return
        self.until = 0.0
        supervisor.server.send({"op": "adopted"})
        supervisor.record_dir = record_dir
        supervisor.spec = order["spec"] | {name: ours[name] for name in ("working_dir", "temporary_dir")}
        _become(supervisor)
        try:
            self._hand_over(supervisor)
            supervisor._fork(supervisor.main)
        except OSError as error:
            supervisor._end("lost", message=f"it could not take over what stood by: {error}")
        supervisor.reporter.report()

    def _hand_over(self, supervisor: Supervisor) -> None:
        """Give each role what is its own from now on; its log goes where the group's logs are."""
        asked = {one["name"]: one for one in supervisor.spec["roles"]}
        living = [one for one in supervisor.roles if one is not supervisor.main]
        self._owing = {one.name for one in living}
        for one in living:
            before, one.spec = one.spec, asked[one.name]
            one.move_logs(supervisor.spec["log_dir"], supervisor.spec.get("max_log_bytes", 0))
            env = {name: value for name, value in one.spec["env"].items() if before["env"].get(name) != value}
            if one.peer is not None:  # else it has just ended, and is made anew
                one.peer.send({"facts": {TOLD: {"env": env, "arguments": one.spec["arguments"]}}})

    def clear(self, supervisor: Supervisor) -> None:
        """Remove what is left of a group that has stood by to its end."""
        if self.until:
            shutil.rmtree(supervisor.record_dir, ignore_errors=True)


def _of_one_disk(ours: str, theirs: str) -> bool:
    """Make the other folder of logs, and say whether files can be moved there."""
    try:
        os.makedirs(theirs, exist_ok=True)
        return os.stat(ours).st_dev == os.stat(theirs).st_dev
    except OSError:
        return False


def _become(supervisor: Supervisor) -> None:
    """Be the supervisor of the group that `spec` is now."""
    spec, kept = supervisor.spec, supervisor.facts
    main = next(dict(one) for one in spec["roles"] if one.get("main"))
    main["wait_for"] = [*main.get("wait_for", ()), TAKEN]
    supervisor.roles.remove(supervisor.main)
    supervisor.main = running.Running(main, spec["log_dir"], spec.get("max_log_bytes", 0))
    supervisor.roles.append(supervisor.main)
    supervisor.rounds = rounds.Rounds(spec, supervisor.roles, supervisor.main)
    supervisor.reporter = reporting.Reporter(spec["key"], supervisor.server)
    supervisor.facts = supervisor.reporter.facts
    supervisor.facts.update(kept, stood_by=True)
    supervisor.began = time.monotonic()
