"""Whether a cluster can go on: tasks that no worker may take, workers that are all paused.

Called by `recording` with every frame; it tells what has stayed so for long.
"""

from __future__ import annotations

from typing import Any

from distributed.core import Status

UNRUNNABLE, PAUSED = "unrunnable", "paused"
"""Kinds of events."""


def find(scheduler: Any) -> tuple[str, str]:
    """Return why nothing goes on, a kind and a sentence without its stop; empty ones where something does."""
    workers = list(scheduler.workers.values())
    if workers and all(worker.status is Status.paused for worker in workers):
        return PAUSED, (
            f"all {len(workers)} workers are paused, for they hold more of their memory than "
            "distributed.worker.memory.pause allows, and cannot give it back"
        )
    waiting = list(scheduler.unrunnable)
    if not waiting:
        return "", ""
    first = waiting[0]
    wants = first.resource_restrictions or sorted(
        {*(first.worker_restrictions or ()), *(first.host_restrictions or ())}
    )
    lacking = f" with {_told(wants)}, and none has that" if wants and workers else ", and there is none"
    return UNRUNNABLE, f"{len(waiting)} task(s), {first.key} among them, wait for a worker{lacking}"


def _told(wants: Any) -> str:
    if isinstance(wants, dict):
        return ", ".join(f"{name}={amount:g}" for name, amount in wants.items())
    return " or ".join(wants)
