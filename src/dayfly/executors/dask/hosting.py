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
    if spec.reuse_seconds:
        notes.append("The cluster asked to be reused; on this host each attempt gets a new one, in less than a second.")
    return msgspec.structs.replace(spec, groups=tuple(groups)), notes


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
