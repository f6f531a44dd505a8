"""What a small host can give of the cluster that was asked for; every change is said aloud. Pure.

Workers come first: their number is kept as long as it makes sense, because programs are written for it, and threads and
memory give way. Kinds of clusters that run elsewhere have no use for this.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from dayfly.executors.dask import describing, hosting
from dayfly.ports import clusters

if TYPE_CHECKING:
    from dayfly.ports.executors import AttemptSpec

WORKER_FLOOR_BYTES = 256 * 1024 * 1024
"""A worker with its libraries holds about 150 MB before it has any data."""

WORKERS_PER_CPU = 8
"""Waiting workers are cheap, but beyond this they only keep each other from working."""

WORKERS_SHARE = 0.75
"""Of the host's memory, where the cluster does not fit: driver, scheduler and the platform live off the rest."""

UNSAID_CPU = 0.25
"""Cores that a worker counts as, towards the host's, where nobody said what it needs."""


class HostCapacity(msgspec.Struct, frozen=True):
    """What there is for tasks."""

    cpus: float
    memory_bytes: int


def fit(spec: clusters.ClusterSpec, host: HostCapacity) -> tuple[clusters.ClusterSpec, tuple[str, ...]]:
    """Return the cluster that the host can give, and a sentence for each change; what was not said is filled in."""
    spec, notes = hosting.of_host(spec, cpus=host.cpus, memory_bytes=int(host.memory_bytes * WORKERS_SHARE))
    count = sum(group.most for group in spec.groups)
    floors = max(1, int(host.memory_bytes * WORKERS_SHARE) // WORKER_FLOOR_BYTES)
    kept = min(count, floors, max(1, int(host.cpus * WORKERS_PER_CPU)))
    fits = _memory_asked(spec) <= host.memory_bytes
    budget = host.memory_bytes if fits else int(host.memory_bytes * WORKERS_SHARE)
    share = int(host.memory_bytes * WORKERS_SHARE) // kept
    unsaid = sum(group.most for group in spec.groups if not group.memory_limit_bytes)
    if fits and unsaid:
        # Who said nothing gets no more than the others leave: the driver keeps what it asked for.
        share = min(share, WORKER_FLOOR_BYTES + (host.memory_bytes - _memory_asked(spec)) // unsaid)
    groups: list[clusters.WorkerGroup] = []
    for group, number in zip(spec.groups, _spread(spec.groups, kept), strict=True):
        # A worker may always have what it asked for where all fits; else an equal share of the workers' part.
        limit = (
            group.memory_limit_bytes if fits or not group.memory_limit_bytes else min(group.memory_limit_bytes, share)
        )
        threads = group.threads
        if sum(one.threads * one.most for one in spec.groups) > host.cpus or not threads:
            threads = min(threads or math.ceil(host.cpus), max(1, int(host.cpus // kept)))
        fitted = msgspec.structs.replace(_resized(group, number), threads=threads, memory_limit_bytes=limit or share)
        notes += _group_notes(group, fitted, host, several=len(spec.groups) > 1)
        if number:
            groups.append(fitted)
    rest = host.memory_bytes if fits else host.memory_bytes - sum(one.most * one.memory_limit_bytes for one in groups)
    driver, scheduler, told = _fit_others(spec, max(rest, host.memory_bytes - budget))
    fitted_spec = msgspec.structs.replace(
        spec,
        driver=driver,
        scheduler=scheduler,
        groups=tuple(groups),
        quorum=max(1, math.ceil(spec.quorum * sum(group.count for group in groups) / spec.worker_count)),
        notes=(*spec.notes, *notes, *told),
    )
    return fitted_spec, (*notes, *told)


def refusal(spec: clusters.ClusterSpec, host: HostCapacity) -> str:
    """Say why the host can never give exactly what was asked for; empty if it can. What groups whose number follows the
    work begin with is asked for; more is only allowed."""
    begun = tuple(msgspec.structs.replace(group, minimum=0, maximum=0) for group in spec.groups)
    cpu, memory = _cpu_asked(spec), _memory_asked(msgspec.structs.replace(spec, groups=begun))
    if cpu <= host.cpus and memory <= host.memory_bytes:
        return ""
    return (
        f"The cluster asks for {_cpus(cpu)} and {describing.size(memory)} in all (driver, scheduler and "
        f"{spec.worker_count} workers); this host has {_cpus(host.cpus)} and {describing.size(host.memory_bytes)}."
    )


def admission(spec: clusters.ClusterSpec, host: HostCapacity) -> tuple[float, int]:
    """Return the cores and bytes that a fitted cluster counts as, never more than the host has.

    Where the number of workers follows the work, room is kept for the most that there may be: one that is wanted then
    need not wait for what others have taken.
    """
    cpu, memory = spec.driver.cpu_request, spec.driver.memory_request_bytes
    cpu += spec.scheduler.resources.cpu_request
    memory += spec.scheduler.resources.memory_request_bytes
    for group in spec.groups:
        asked = group.resources
        cpu += group.most * (min(asked.cpu_request, group.threads) if asked.cpu_request else UNSAID_CPU)
        memory += group.most * min(asked.memory_request_bytes or WORKER_FLOOR_BYTES, group.memory_limit_bytes)
    return min(cpu, host.cpus), min(memory, host.memory_bytes)


def _memory_asked(spec: clusters.ClusterSpec) -> int:
    workers = sum(group.most * (group.memory_limit_bytes or WORKER_FLOOR_BYTES) for group in spec.groups)
    driver = spec.driver.memory_limit_bytes or spec.driver.memory_request_bytes
    return workers + driver + spec.scheduler.resources.memory_limit_bytes


def _cpu_asked(spec: clusters.ClusterSpec) -> float:
    workers = sum(group.count * group.resources.cpu_request for group in spec.groups)
    return workers + spec.driver.cpu_request + spec.scheduler.resources.cpu_request


def _spread(groups: tuple[clusters.WorkerGroup, ...], kept: int) -> list[int]:
    """Take away from the largest group first, one by one."""
    counts = [group.most for group in groups]
    while sum(counts) > kept:
        counts[counts.index(max(counts))] -= 1
    return counts


def _resized(group: clusters.WorkerGroup, most: int) -> clusters.WorkerGroup:
    """Return the group with no more workers than that; where that leaves it no choice, their number is fixed."""
    if not group.maximum:
        return msgspec.structs.replace(group, count=most)
    minimum = min(group.minimum, most)
    maximum = most if minimum < most else 0
    count = min(group.count, most)
    return msgspec.structs.replace(group, count=count, minimum=minimum if maximum else 0, maximum=maximum)


def _fit_others(spec: clusters.ClusterSpec, rest_bytes: int) -> tuple[AttemptSpec, clusters.SchedulerSpec, list[str]]:
    """Hold driver and scheduler to what the workers leave, so that the kernel need not choose a victim."""
    driver, scheduler = spec.driver, spec.scheduler
    notes = []
    for role, asked in (
        ("driver", driver.memory_limit_bytes),
        ("scheduler", scheduler.resources.memory_limit_bytes),
    ):
        if asked > rest_bytes:
            notes.append(
                f"The {role} asked for {describing.size(asked)}; beside the workers there are "
                f"{describing.size(rest_bytes)} for it."
            )
    limit = min(driver.memory_limit_bytes, rest_bytes)
    request = min(driver.memory_request_bytes, limit or rest_bytes)
    fitted = msgspec.structs.replace(driver, memory_limit_bytes=limit, memory_request_bytes=request)
    limit = min(scheduler.resources.memory_limit_bytes, rest_bytes)
    request = min(scheduler.resources.memory_request_bytes, limit or rest_bytes)
    resources = msgspec.structs.replace(scheduler.resources, memory_limit_bytes=limit, memory_request_bytes=request)
    return fitted, msgspec.structs.replace(scheduler, resources=resources), notes


def _group_notes(
    asked: clusters.WorkerGroup, given: clusters.WorkerGroup, host: HostCapacity, *, several: bool
) -> list[str]:
    fewer_threads = bool(asked.threads) and given.threads != asked.threads
    less_memory = bool(asked.memory_limit_bytes) and given.memory_limit_bytes != asked.memory_limit_bytes
    if given.most == asked.most and not fewer_threads and not less_memory:
        return []
    wanted = [_cpus(asked.threads)] if asked.threads else []
    wanted += [describing.size(asked.memory_limit_bytes)] if asked.memory_limit_bytes else []
    each = f" asked for {' and '.join(wanted)} each" if wanted else " are wanted"
    fewer = f"there are {given.most} of them, and " if given.most != asked.most else ""
    who = _workers(asked.most) + (f" {asked.name}" if several else "")
    return [
        f"{who}{each}; this host has {_cpus(host.cpus)} and {describing.size(host.memory_bytes)}: "
        f"{fewer}each gets {_threads(given.threads)} and {describing.size(given.memory_limit_bytes)}."
    ]


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _cpus(count: float) -> str:
    return "1 CPU" if count == 1 else f"{count:g} CPUs"
