"""What of a cluster means something else on a single host, and how that is said. Pure.

Called by `fitting`, before it counts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from dayfly.executors.dask import spec as specs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dayfly.ports.clusters import ClusterSpec, WorkerGroup


def of_host(spec: ClusterSpec, *, cpus: float, memory_bytes: int) -> tuple[ClusterSpec, list[str]]:
    """Return the cluster as one host has it, where each worker is one process, and a sentence for each change.

    Groups whose number follows the work grow no larger than `cpus` and `memory_bytes` have room for.
    """
    several = len(spec.groups) > 1
    groups: list[WorkerGroup] = []
    notes: list[str] = []
    for group in spec.groups:
        maximum = _maximum(group, cpus, memory_bytes)
        groups.append(_one_process_each(group, maximum))
        notes += _notes(f"Workers {group.name}" if several else "The workers", group, maximum, spec.driver.image)
    spec = msgspec.structs.replace(spec, groups=tuple(groups))
    if spec.reuse_seconds and (why := _no_standby(spec)):
        notes.append(f"No cluster stands by for the next attempt: {why}.")
        spec = msgspec.structs.replace(spec, reuse_seconds=0.0)
    return spec, notes


def _no_standby(spec: ClusterSpec) -> str:
    """Return what of the cluster cannot be given to processes that run already, in words; empty if all can."""
    if spec.driver.secrets or spec.driver.env_files:
        return "this one has secrets"
    if spec.driver.volatile_env:
        return f"its execution sets variables of its own ({', '.join(sorted(spec.driver.volatile_env))})"
    if any(group.command or group.preload for group in spec.groups):
        return "its workers run a command or a preload of their own"
    if any(name.startswith("DASK_") and "PRELOAD" in name for name in spec.driver.env):
        return "its configuration has it preload modules of its own"
    if any(group.maximum for group in spec.groups):
        return "the number of its workers follows the work"
    return "it ends when it is idle" if spec.idle_timeout_seconds else ""


def _notes(name: str, group: WorkerGroup, maximum: int, image: str) -> Iterator[str]:
    if group.resources.gpus:
        gpus = "1 GPU" if group.resources.gpus == 1 else f"{group.resources.gpus} GPUs"
        yield f"{name} asked for {gpus} each; this host gives none: they compute on CPUs."
    if group.image not in ("", image):
        yield (
            f"{name} asked for the image {group.image}; this host pulls none: they run in the Python environment that "
            "stands for it."
        )
    if maximum < group.maximum:
        yield f"{name} may be {group.minimum} to {group.maximum}; this host has room for {maximum}."


def _maximum(group: WorkerGroup, cpus: float, memory_bytes: int) -> int:
    """More workers than cores gain nothing; fewer than it begins with are the matter of `fitting`."""
    if not group.maximum:
        return 0
    room = math.ceil(cpus / (max(group.threads, 1) * group.processes))
    if group.memory_limit_bytes:
        room = min(room, memory_bytes // (group.memory_limit_bytes * group.processes))
    return max(group.count, min(group.maximum, room))


def _one_process_each(group: WorkerGroup, maximum: int) -> WorkerGroup:
    parts, resources = group.processes, group.resources
    if parts > 1:
        resources = msgspec.structs.replace(
            resources,
            cpu_request=resources.cpu_request / parts,
            cpu_limit=resources.cpu_limit / parts,
            memory_request_bytes=resources.memory_request_bytes // parts,
            memory_limit_bytes=resources.memory_limit_bytes // parts,
        )
    return msgspec.structs.replace(
        group,
        count=group.count * parts,
        processes=1,
        resources=msgspec.structs.replace(resources, gpus=0),
        command=() if resources.gpus and group.command == specs.CUDA_WORKER else group.command,
        minimum=group.minimum * parts,
        maximum=maximum * parts,
    )
