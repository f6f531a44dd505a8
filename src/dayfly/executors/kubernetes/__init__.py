"""Runs attempts as pods of a Kubernetes cluster.

Knows: pods, namespaces, the cluster's API. Never knows: retries, phases of nodes, Dask. Needs the extra `kubernetes`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.base import errors
from dayfly.ports import executor_parts

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.base.settings import Settings
    from dayfly.executors.kubernetes.groups import KubernetesGroups
    from dayfly.ports.executor_parts import ExecutorParts, Plugged


def build_groups(settings: Settings, data: Path, clock: Clock) -> KubernetesGroups:
    """Return groups of pods for one executor, their logs below `<data>/logs`.

    Raise `FailedPrecondition` where the extra is not installed, `InvalidArgument` for settings that make no sense.
    """
    try:
        from dayfly.executors.kubernetes import api, groups, log_keeping
    except ImportError as error:
        raise errors.FailedPrecondition(
            f"The backend is kubernetes, and the package {error.name} is not installed.",
            remedy="Install the extra: pip install 'dayfly[kubernetes]'.",
        ) from error
    from dayfly.executors.kubernetes.settings import read

    told = settings.kubernetes
    pods, patience = read(told)
    cluster = api.Api(told.kubeconfig, told.context)
    keeper = log_keeping.LogKeeper(cluster, lambda key: data / "logs" / key, settings.host.max_log_bytes)
    return groups.KubernetesGroups(cluster, pods, patience, keeper, clock)


def plug(parts: ExecutorParts) -> Plugged | None:
    """Return the executor of every task that is a container, where the backend is Kubernetes."""
    if parts.settings.engine.backend != executor_parts.KUBERNETES:
        return None
    from dayfly.executors.kubernetes import executor

    made = executor.KubernetesExecutor(parts.share_pods(), parts.clock, parts.log_uri)
    return executor_parts.Plugged(made, (executor_parts.ANY_TYPE, *executor_parts.COMMAND_TYPES))
