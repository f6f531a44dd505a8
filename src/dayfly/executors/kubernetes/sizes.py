"""What a container may take, as Kubernetes is told. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flyteidl.core import tasks_pb2

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.settings import PodSettings
    from dayfly.ports.executors import AttemptSpec

_AS_SAID = {
    tasks_pb2.Resources.EPHEMERAL_STORAGE: "ephemeral-storage",
    tasks_pb2.Resources.STORAGE: "ephemeral-storage",
}


def of_task(spec: AttemptSpec, task: tasks_pb2.TaskTemplate, told: PodSettings) -> dict[str, dict[str, str]]:
    """Return requests and limits of the task's container.

    A task that asks for nothing requests what it counts for, and is not held to it, where Flyte would kill it there.
    """
    cpu = (spec.cpu_request or spec.assumed_cpu) * told.request_share
    memory = int((spec.memory_request_bytes or spec.assumed_memory_bytes) * told.request_share)
    made = _said(cpu, memory, spec.cpu_limit, spec.memory_limit_bytes)
    for word, entries in (("requests", task.container.resources.requests), ("limits", task.container.resources.limits)):
        for entry in entries:
            if entry.name in _AS_SAID:
                made[word][_AS_SAID[entry.name]] = entry.value
            elif entry.name == tasks_pb2.Resources.GPU:
                # Kubernetes has no GPU that is requested and not held.
                made["requests"][told.gpu_resource] = made["limits"][told.gpu_resource] = entry.value
    return made


def _said(cpu_request: float, memory_request: int, cpu_limit: float, memory_limit: int) -> dict[str, dict[str, str]]:
    """Return requests and limits; 0 is not said."""
    made: dict[str, dict[str, str]] = {"requests": {}, "limits": {}}
    for word, cpu, memory in (("requests", cpu_request, memory_request), ("limits", cpu_limit, memory_limit)):
        if cpu:
            made[word]["cpu"] = f"{math.ceil(cpu * 1000)}m"
        if memory:
            made[word]["memory"] = str(memory)
    return made
