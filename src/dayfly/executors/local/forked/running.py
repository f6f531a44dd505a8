"""One role of a group as its supervisor sees it: what it holds, and what is said of its end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from typing import Any

from . import log_limits, log_looks, processes, wire

KEPT_DEATHS = 50
"""Ends of roles that are remembered; the last ones say why a group ended."""

SLOWEST_RESTART_SECONDS = 5.0
"""A role that ends again and again waits twice as long each time before it is made anew, up to this."""


class Running:
    """One role: its process and what is remembered of it across restarts. Its log lies in `log_dir`."""

    def __init__(self, spec: dict[str, Any], log_dir: str, max_log_bytes: int = 0) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.looks = log_looks.Looks(os.path.join(log_dir, f"{self.name}.log"))
        self.log_limit = log_limits.Limit(os.path.join(log_dir, f"{self.name}.log"), max_log_bytes)
        self.pid = 0
        self.peer: wire.Peer | None = None
        self.begun = not spec.get("scaled")
        """It has been started, or is about to be."""
        self.restarts = 0
        """How often it has been made anew, for whatever reason."""
        self.failures = 0
        """How often it has ended by itself."""
        self.restart_at = 0.0
        self.peak_bytes = 0
        self.over_limit_bytes = 0

    def move_logs(self, log_dir: str, max_log_bytes: int) -> None:
        """Have the log, and what is noted of it, lie in another folder of the same disk; who writes to it goes on."""
        before, self.looks = self.looks, log_looks.Looks(os.path.join(log_dir, f"{self.name}.log"))
        self.log_limit = log_limits.Limit(self.looks.log, max_log_bytes)
        os.rename(before.log, self.looks.log)
        if os.path.exists(before.times):
            os.rename(before.times, self.looks.times)


def hold_to_limit(one: Running) -> None:
    """Kill a role, and all below it, that holds more memory than it may."""
    limit = one.spec.get("memory_limit_bytes", 0)
    if not (one.pid and limit):
        return
    held = processes.tree_memory(one.pid, limit)
    one.peak_bytes = max(one.peak_bytes, held)
    if held > limit and not one.over_limit_bytes:
        one.over_limit_bytes = held
        for pid in (one.pid, *processes.descendants(one.pid)):
            processes.send(pid, signal.SIGKILL)


def look_at_logs(roles: Sequence[Running], now: float) -> None:
    """Note how far the logs of a group have grown. That of a lone role is not merged with others."""
    if len(roles) > 1:
        wall_micros = time.time_ns() // 1000
        for one in roles:
            if one.begun:
                one.looks.look(now, wall_micros)


def hold_logs(roles: Sequence[Running]) -> None:
    """Keep the logs of a group within their limit."""
    for one in roles:
        if one.begun:
            one.log_limit.keep()


def pause_seconds(one: Running) -> float:
    """Return how long a role that has ended waits before it is made anew."""
    return 0.0 if one.failures == 0 else min(0.1 * 2**one.failures, SLOWEST_RESTART_SECONDS)


def restart_limit(spec: dict[str, Any], facts: dict[str, Any]) -> int:
    """Return how many restarts a group is allowed now, 0 for any number."""
    stillborn = 0 if "ready" in facts else spec.get("stillborn_limit", 0)
    return int(stillborn or spec.get("restart_limit", 0))


def note_death(facts: dict[str, Any], one: Running, code: int, *, asked: bool) -> None:
    """Add the end of a role that nobody asked for to the fact `deaths`, the last of which are kept."""
    if asked:
        return
    death = {
        "role": one.name,
        "restarts": one.restarts,
        "at": time.time(),
        "exit_code": code,
        "over_limit_bytes": one.over_limit_bytes,
        "limit_bytes": one.spec.get("memory_limit_bytes", 0),
        "peak_bytes": one.peak_bytes,
        "told": tell_end(one, code),
    }
    facts["deaths"] = [*facts.get("deaths", ())[1 - KEPT_DEATHS :], death]


def tell_end(one: Running, code: int) -> str:
    """Say in words how a role's process ended; `code` is negative for a signal."""
    if one.over_limit_bytes:
        return tell_excess(one)
    if code >= 0:
        return f"{one.name} ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "signal"  # real-time signals have no names
    return f"{one.name} was killed by {name} ({-code})"


def tell_excess(one: Running) -> str:
    """Say in words by how much a role was over its memory limit."""
    mebi = 1024 * 1024
    limit = one.spec["memory_limit_bytes"]
    return f"{one.name} held {one.over_limit_bytes / mebi:.0f} MiB of memory; its limit is {limit / mebi:.0f} MiB"
