"""From a registered Dask task to the cluster it asks for. Pure.

The numbers are those of Flyte's own plugin (flyteplugins/go/tasks/plugins/k8s/dask/dask.go in flyteorg/flyte): threads
are the CPU limit rounded up, the memory limit is the limit, and a role's own resources replace the task's as a whole,
only if they list any.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flyteidl.core import tasks_pb2
from flyteidl.plugins import dask_pb2
from google.protobuf import json_format

from dayfly.base import errors
from dayfly.model import quantities
from dayfly.ports import clusters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dayfly.ports.executors import AttemptSpec

STARTUP_TIMEOUT_SECONDS = 60.0
"""Forked workers are there in well under a second; a cluster that has no quorum after this never gets one."""

RESTARTS_FREE, RESTARTS_PER_WORKER = 10, 3
"""Workers made anew before the cluster is given up: some at any size, and more for more workers."""

MAX_WORKERS = 10_000
"""More in one cluster are a slip of the pen."""

_CPU, _MEMORY = tasks_pb2.Resources.CPU, tasks_pb2.Resources.MEMORY


def build(attempt: AttemptSpec) -> clusters.ClusterSpec:
    """Return the cluster that an attempt of a Dask task asks for. Raise `InvalidArgument`, naming the task."""
    job = _read_job(attempt)
    workers = job.workers
    # The SDK always writes the number; a hand-written 0 is taken as Flyte's default, as an absent one is.
    count = workers.number_of_workers or 1
    if count > MAX_WORKERS:
        raise _malformed(attempt, f"{count} workers are more than {MAX_WORKERS}")
    own = clusters.RoleResources(
        attempt.cpu_request, attempt.cpu_limit, attempt.memory_request_bytes, attempt.memory_limit_bytes
    )
    resources = _resources(attempt, "workers", workers.resources, own)
    group = clusters.WorkerGroup(
        "default",
        count,
        workers.image or attempt.image,
        math.ceil(resources.cpu_limit),
        resources.memory_limit_bytes,
        resources,
        attempt.interruptible,
    )
    scheduler = clusters.SchedulerSpec(
        job.scheduler.image or attempt.image, _resources(attempt, "scheduler", job.scheduler.resources, own)
    )
    return clusters.ClusterSpec(
        key=attempt.key,
        name=attempt.generated_name,
        driver=attempt,
        scheduler=scheduler,
        groups=(group,),
        quorum=quorum(count),
        startup_timeout_seconds=STARTUP_TIMEOUT_SECONDS,
        restart_limit=RESTARTS_FREE + RESTARTS_PER_WORKER * count,
    )


def quorum(workers: int) -> int:
    """Return how many of the workers the driver waits for: half of them, rounded up, at least one."""
    return max(1, math.ceil(workers / 2))


def _read_job(attempt: AttemptSpec) -> dask_pb2.DaskJob:
    template = tasks_pb2.TaskTemplate.FromString(attempt.template)
    if not template.HasField("custom"):
        raise _malformed(attempt, "its template has no `custom`, which describes the cluster")
    custom = json_format.MessageToDict(template.custom)
    for role in ("scheduler", "workers"):
        told = custom.get(role, {})
        # protobuf takes any string for a message whose fields are all unknown.
        if not isinstance(told, dict) or not isinstance(told.get("resources", {}), dict):
            raise _malformed(attempt, f"its `custom` is no flyteidl.plugins.dask.DaskJob: {role} is {told!r}")
    try:
        job: dask_pb2.DaskJob = json_format.ParseDict(custom, dask_pb2.DaskJob(), ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise _malformed(attempt, f"its `custom` is no flyteidl.plugins.dask.DaskJob: {error}") from error
    return job


def _resources(
    attempt: AttemptSpec, role: str, asked: tasks_pb2.Resources, base: clusters.RoleResources
) -> clusters.RoleResources:
    if not (asked.requests or asked.limits):
        return _levelled(base)
    cpu, memory = _entries(attempt, role, asked.requests)
    cpu_limit, memory_limit = _entries(attempt, role, asked.limits)
    factor = attempt.memory_factor  # the task's own are raised already
    return _levelled(clusters.RoleResources(cpu, cpu_limit, int(memory * factor), int(memory_limit * factor)))


def _levelled(resources: clusters.RoleResources) -> clusters.RoleResources:
    """Let requests equal limits where only one of both is said, and never exceed them."""
    cpu_limit = resources.cpu_limit or resources.cpu_request
    memory_limit = resources.memory_limit_bytes or resources.memory_request_bytes
    return clusters.RoleResources(
        min(resources.cpu_request or cpu_limit, cpu_limit),
        cpu_limit,
        min(resources.memory_request_bytes or memory_limit, memory_limit),
        memory_limit,
    )


def _entries(
    attempt: AttemptSpec, role: str, entries: Iterable[tasks_pb2.Resources.ResourceEntry]
) -> tuple[float, int]:
    cpu, memory = 0.0, 0
    for entry in entries:
        try:
            if entry.name == _CPU:
                cpu = quantities.cores(entry.value)
            elif entry.name == _MEMORY:
                memory = quantities.size_bytes(entry.value)
        except errors.InvalidArgument as error:
            raise _malformed(attempt, f"the {role}' resources: {error.message}", error.remedy) from error
        if cpu < 0 or memory < 0:
            raise _malformed(attempt, f"the {role}' resources are below zero: {entry.value}")
    return cpu, memory


def _malformed(attempt: AttemptSpec, why: str, remedy: str = "") -> errors.InvalidArgument:
    return errors.InvalidArgument(
        f"{attempt.task} does not describe a Dask cluster: {why}.",
        remedy=remedy or "Register it again with task_config=Dask(...) of flytekitplugins-dask.",
    )
