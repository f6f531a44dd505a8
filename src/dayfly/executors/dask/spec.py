"""From a registered Dask task to the cluster it asks for. Pure.

The numbers are those of Flyte's own plugin (flyteplugins/go/tasks/plugins/k8s/dask/dask.go in flyteorg/flyte): threads
are the CPU limit rounded up, the memory limit is the limit, and a role's own resources replace the task's as a whole,
only if they list any. What goes beyond Flyte's plugin is `model.cluster_wishes`.
"""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING, Any

import msgspec
from flyteidl.core import tasks_pb2
from flyteidl.plugins import dask_pb2
from google.protobuf import json_format

from dayfly.base import errors
from dayfly.executors.dask import spec_resources
from dayfly.model import cluster_wishes, structs
from dayfly.ports import clusters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.ports.executors import AttemptSpec

STARTUP_TIMEOUT_SECONDS = 60.0
"""Forked workers are there in well under a second; a cluster that has no quorum after this never gets one."""

RESTARTS_FREE, RESTARTS_PER_WORKER = 10, 3
"""Workers made anew before the cluster is given up: some at any size, and more for more workers."""

MAX_WORKERS = 10_000
"""More in one cluster are a slip of the pen."""

CUDA_WORKER = ("dask", "cuda", "worker")
"""What starts workers with GPUs, of which it pins one to each process."""


def build(attempt: AttemptSpec) -> clusters.ClusterSpec:
    """Return the cluster that an attempt of a Dask task asks for. Raise `InvalidArgument`, naming the task."""
    template = tasks_pb2.TaskTemplate.FromString(attempt.template)
    job, wishes = _read_job(attempt, template), _read_wishes(attempt, template)
    own = spec_resources.of_task(attempt, template)
    groups = (
        _group(attempt, cluster_wishes.DEFAULT_GROUP, job.workers, wishes.workers, own),
        *(_group(attempt, extra.name, _read_group(attempt, extra), extra, own) for extra in wishes.groups),
    )
    count = sum((group.maximum or group.count) * group.processes for group in groups)
    if count > MAX_WORKERS:
        raise spec_resources.malformed(attempt, f"{count} workers are more than {MAX_WORKERS}")
    begun = sum(group.count * group.processes for group in groups)
    if wishes.min_workers and wishes.min_workers > begun:
        raise spec_resources.malformed(
            attempt,
            f"min_workers: {wishes.min_workers} are never there where {begun} are begun with",
            cluster_wishes.REMEDY,
        )
    scheduler = clusters.SchedulerSpec(
        job.scheduler.image or attempt.image,
        spec_resources.of_role(attempt, "scheduler", job.scheduler.resources, own),
    )
    return clusters.ClusterSpec(
        key=attempt.key,
        name=attempt.generated_name,
        driver=_configured(attempt, wishes.config),
        scheduler=scheduler,
        groups=groups,
        quorum=wishes.min_workers or quorum(begun),
        startup_timeout_seconds=wishes.startup_timeout_seconds or STARTUP_TIMEOUT_SECONDS,
        restart_limit=RESTARTS_FREE + RESTARTS_PER_WORKER * count,
        idle_timeout_seconds=wishes.idle_timeout_seconds or 0.0,
        reuse_seconds=wishes.reuse.idle_seconds if wishes.reuse else 0.0,
    )


def quorum(workers: int) -> int:
    """Return how many of the workers the driver waits for: half of them, rounded up, at least one."""
    return max(1, math.ceil(workers / 2))


def _read_job(attempt: AttemptSpec, template: tasks_pb2.TaskTemplate) -> dask_pb2.DaskJob:
    if not template.HasField("custom"):
        raise spec_resources.malformed(attempt, "its template has no `custom`, which describes the cluster")
    custom = json_format.MessageToDict(template.custom)
    for role in ("scheduler", "workers"):
        told = custom.get(role, {})
        # protobuf takes any string for a message whose fields are all unknown.
        if not isinstance(told, dict) or not isinstance(told.get("resources", {}), dict):
            raise spec_resources.malformed(
                attempt, f"its `custom` is no flyteidl.plugins.dask.DaskJob: {role} is {told!r}"
            )
    try:
        job: dask_pb2.DaskJob = json_format.ParseDict(custom, dask_pb2.DaskJob(), ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise spec_resources.malformed(attempt, f"its `custom` is no flyteidl.plugins.dask.DaskJob: {error}") from error
    return job


def _read_wishes(attempt: AttemptSpec, template: tasks_pb2.TaskTemplate) -> cluster_wishes.ClusterWishes:
    try:
        return cluster_wishes.read(structs.to_plain(template.custom))
    except errors.InvalidArgument as error:
        raise spec_resources.malformed(attempt, error.message, error.remedy) from error


def _read_group(attempt: AttemptSpec, extra: cluster_wishes.ExtraGroup) -> dask_pb2.DaskWorkerGroup:
    group = dask_pb2.DaskWorkerGroup(number_of_workers=extra.number_of_workers, image=extra.image)
    try:
        json_format.ParseDict(extra.resources, group.resources)
    except json_format.ParseError as error:
        raise spec_resources.malformed(
            attempt, f"the resources of group {extra.name}: {error}", cluster_wishes.REMEDY
        ) from error
    return group


def _group(
    attempt: AttemptSpec,
    name: str,
    told: dask_pb2.DaskWorkerGroup,
    wishes: cluster_wishes.GroupWishes,
    own: clusters.RoleResources,
) -> clusters.WorkerGroup:
    role = "workers" if name == cluster_wishes.DEFAULT_GROUP else f"workers {name}"
    resources = spec_resources.of_role(attempt, role, told.resources, own)
    # The SDK always writes the number; a hand-written 0 is taken as Flyte's default, as an absent one is.
    count = told.number_of_workers or 1
    adapt = wishes.adapt
    if adapt is not None:
        count = max(1, adapt.minimum, min(count, adapt.maximum))
    threads = math.ceil(resources.cpu_limit)
    return clusters.WorkerGroup(
        name=name,
        count=count,
        image=told.image or attempt.image,
        threads=wishes.threads or (max(1, threads // wishes.processes) if threads else 0),
        memory_limit_bytes=resources.memory_limit_bytes // wishes.processes,
        resources=resources,
        interruptible=attempt.interruptible,
        processes=wishes.processes,
        env=wishes.environment,
        command=tuple(shlex.split(wishes.command)) or (CUDA_WORKER if resources.gpus else ()),
        preload=wishes.preload,
        nanny=wishes.nanny,
        minimum=adapt.minimum if adapt else 0,
        maximum=adapt.maximum if adapt else 0,
    )


def _configured(attempt: AttemptSpec, config: Mapping[str, Any]) -> AttemptSpec:
    """Give all roles Dask's configuration, as variables that Dask reads; those of the task's own have the last word."""
    if not config:
        return attempt
    flat = cluster_wishes.flatten(config)
    env = {f"DASK_{name.replace('.', '__').replace('-', '_').upper()}": repr(value) for name, value in flat.items()}
    return msgspec.structs.replace(attempt, env={**env, **attempt.env})
