"""What the roles of a cluster are called, whatever it is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dayfly.ports.clusters import WorkerGroup

DRIVER, SCHEDULER = "driver", "scheduler"


def worker_names(groups: tuple[WorkerGroup, ...]) -> Iterator[tuple[str, WorkerGroup]]:
    """Yield the name of each worker that there may be with its group: `worker-0`, or `worker-gpu-0` outside the default
    group."""
    for group in groups:
        for name in first_workers(group, group.most):
            yield name, group


def first_workers(group: WorkerGroup, number: int) -> list[str]:
    """Return the names of the group's first workers."""
    return [f"{prefix(group)}-{place}" for place in range(number)]


def scaled(groups: tuple[WorkerGroup, ...]) -> list[dict[str, Any]]:
    """Return those groups whose number follows the work, as their scheduler is told of them (`roles/scaling.py`)."""
    return [
        {
            "name": prefix(group),
            "roles": first_workers(group, group.most),
            "begun": group.count,
            "minimum": group.minimum,
            "processes": group.processes,
        }
        for group in groups
        if group.maximum
    ]


def prefix(group: WorkerGroup) -> str:
    """Return how the names of the group's workers begin."""
    return "worker" if group.name == "default" else f"worker-{group.name}"
