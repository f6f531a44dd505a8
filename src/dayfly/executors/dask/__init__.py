"""Ephemeral Dask clusters, one for each attempt of a task of type `dask`.

Knows: what a Dask cluster is, what its ends mean. Never knows: retries, phases, other executors; each kind of cluster
has a folder of its own, which alone knows what the cluster is made of.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.executors.dask import executor, fitting
from dayfly.executors.dask.any_cluster import groups as any_groups
from dayfly.executors.dask.job import choosing
from dayfly.executors.dask.local import groups, provider
from dayfly.executors.dask.pods import images
from dayfly.executors.dask.pods import provider as pods
from dayfly.executors.dask.recorder import files
from dayfly.ports import dashboards, executor_parts, records

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.environments import Environments
    from dayfly.ports.executor_parts import ExecutorParts, Plugged
    from dayfly.ports.process_groups import ProcessGroups
    from dayfly.ports.secrets import Secrets

TASK_TYPES = ("dask",)
"""The task types that this executor runs."""


def build(
    process_groups: ProcessGroups,
    environments: Environments,
    clock: Clock,
    *,
    cpus: float,
    memory_bytes: int,
    strict: bool,
    unpack: Callable[[str], Awaitable[str]],
    log_uri: Callable[[AttemptKey, str], str],
    dashboard_uri: Callable[[AttemptKey], str],
    report_uri: Callable[[AttemptKey, str], str],
    work_folder: Path,
    log_folder: Path,
    secrets: Secrets | None = None,
    cluster_class: any_groups.ClusterClass | None = None,
) -> executor.DaskExecutor:
    """Return the executor that makes clusters on this host, of which tasks may take `cpus` and `memory_bytes`.

    With `cluster_class` it makes clusters of that class, which are not fitted: where they run, the class alone knows.
    """
    host = fitting.HostCapacity(cpus, memory_bytes)
    clusters = provider.LocalClusters(
        process_groups,
        environments,
        host,
        unpack=unpack,
        log_uri=log_uri,
        dashboard_uri=dashboard_uri,
        report_uri=report_uri,
        work_folder=work_folder,
        log_folder=log_folder,
        shape=cluster_class or groups.FORKED,
    )
    return executor.DaskExecutor(
        clusters,
        environments,
        clock,
        records=files.RecordFiles(log_folder),
        host=host if cluster_class is None else None,
        strict=strict,
        secrets=secrets,
    )


def _of_pods(parts: ExecutorParts) -> Plugged:
    groups = parts.share_pods()
    shape = choosing.Chosen(groups, parts.settings.kubernetes.dask)
    log_folder = parts.data / "logs"
    clusters = pods.PodClusters(
        groups,
        parts.clock,
        shape,
        log_uri=parts.log_uri,
        dashboard_uri=functools.partial(dashboards.link_to, parts.public_url),
        report_uri=functools.partial(records.link_to, parts.public_url),
        log_folder=log_folder,
    )
    made = executor.DaskExecutor(clusters, images.AnyImage(), parts.clock, records=files.RecordFiles(log_folder))
    return executor_parts.Plugged(made, TASK_TYPES, ways=groups, look=shape.look)


def plug(parts: ExecutorParts) -> Plugged:
    """Return the executor that makes clusters where the backend runs tasks, or of the class that the settings name."""
    told = parts.settings.dask
    if parts.settings.engine.backend == executor_parts.KUBERNETES and not told.cluster_class:
        return _of_pods(parts)
    made = build(
        parts.share_groups(),
        parts.environments,
        parts.clock,
        cpus=parts.host_cpus,
        memory_bytes=parts.host_memory_bytes,
        strict=parts.settings.host.strict_resources,
        unpack=parts.unpack,
        log_uri=parts.log_uri,
        dashboard_uri=functools.partial(dashboards.link_to, parts.public_url),
        report_uri=functools.partial(records.link_to, parts.public_url),
        work_folder=parts.data / "run" / "work",
        log_folder=parts.data / "logs",
        secrets=parts.secrets,
        cluster_class=any_groups.ClusterClass(told.cluster_class, told.cluster_arguments)
        if told.cluster_class
        else None,
    )
    return executor_parts.Plugged(made, TASK_TYPES)
