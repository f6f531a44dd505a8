"""What each role of a cluster may take, by the numbers that a task registered. Pure.

Called by `spec`. A role's own resources replace the task's as a whole, only if they list any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.core import tasks_pb2

from dayfly.base import errors
from dayfly.model import quantities
from dayfly.ports import clusters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dayfly.ports.executors import AttemptSpec

_CPU, _MEMORY, _GPU = tasks_pb2.Resources.CPU, tasks_pb2.Resources.MEMORY, tasks_pb2.Resources.GPU


def of_task(attempt: AttemptSpec, template: tasks_pb2.TaskTemplate) -> clusters.RoleResources:
    """Return what the task itself may take. Raise `InvalidArgument`."""
    told = template.container.resources
    gpus = max(_entries(attempt, "task", told.requests)[2], _entries(attempt, "task", told.limits)[2])
    return clusters.RoleResources(
        attempt.cpu_request, attempt.cpu_limit, attempt.memory_request_bytes, attempt.memory_limit_bytes, gpus
    )


def of_role(
    attempt: AttemptSpec, role: str, asked: tasks_pb2.Resources, base: clusters.RoleResources
) -> clusters.RoleResources:
    """Return what a role asks for, or the task's own, `base`. Raise `InvalidArgument`, naming task and role."""
    if not (asked.requests or asked.limits):
        return _levelled(base)
    cpu, memory, gpus = _entries(attempt, role, asked.requests)
    cpu_limit, memory_limit, gpu_limit = _entries(attempt, role, asked.limits)
    factor = attempt.memory_factor  # the task's own are raised already
    return _levelled(
        clusters.RoleResources(cpu, cpu_limit, int(memory * factor), int(memory_limit * factor), max(gpus, gpu_limit))
    )


def malformed(attempt: AttemptSpec, why: str, remedy: str = "") -> errors.InvalidArgument:
    """Return the error for a task that describes no cluster."""
    return errors.InvalidArgument(
        f"{attempt.task} does not describe a Dask cluster: {why}.",
        remedy=remedy or "Register it again with task_config=Dask(...) of flytekitplugins-dask.",
    )


def _levelled(resources: clusters.RoleResources) -> clusters.RoleResources:
    """Let requests equal limits where only one of both is said, and never exceed them."""
    cpu_limit = resources.cpu_limit or resources.cpu_request
    memory_limit = resources.memory_limit_bytes or resources.memory_request_bytes
    return clusters.RoleResources(
        min(resources.cpu_request or cpu_limit, cpu_limit),
        cpu_limit,
        min(resources.memory_request_bytes or memory_limit, memory_limit),
        memory_limit,
        resources.gpus,
    )


def _entries(
    attempt: AttemptSpec, role: str, entries: Iterable[tasks_pb2.Resources.ResourceEntry]
) -> tuple[float, int, int]:
    cpu, memory, gpus = 0.0, 0, 0
    for entry in entries:
        try:
            if entry.name == _CPU:
                cpu = quantities.cores(entry.value)
            elif entry.name == _MEMORY:
                memory = quantities.size_bytes(entry.value)
            elif entry.name == _GPU:
                gpus = quantities.size_bytes(entry.value)
        except errors.InvalidArgument as error:
            raise malformed(attempt, f"the resources of {role}: {error.message}", error.remedy) from error
        if cpu < 0 or memory < 0 or gpus < 0:
            raise malformed(attempt, f"the resources of {role} are below zero: {entry.value}")
    return cpu, memory, gpus
