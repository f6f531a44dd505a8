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
    from dayfly.executors.kubernetes.api import Api, Count
    from dayfly.executors.kubernetes.flyte_workflows import FlyteWorkflows
    from dayfly.executors.kubernetes.groups import KubernetesGroups
    from dayfly.ports.executor_parts import ExecutorParts, Plugged


def build_groups(settings: Settings, data: Path, clock: Clock, count: Count) -> KubernetesGroups:
    """Return groups of pods for one executor, their logs below `<data>/logs`; `count` is told of each call.

    Raise `FailedPrecondition` where the extra is not installed, `InvalidArgument` for settings that make no sense.
    """
    _require_extra()
    from dayfly.executors.kubernetes import api, flyte_workflows, groups, log_keeping
    from dayfly.executors.kubernetes.settings import read

    told = settings.kubernetes
    pods, patience = read(told)
    cluster = api.Api(told.kubeconfig, told.context, count)
    keeper = log_keeping.LogKeeper(cluster, lambda key: data / "logs" / key, settings.host.max_log_bytes)
    workflows = flyte_workflows.FlyteWorkflows(cluster, pods.platform, pods.namespace)
    return groups.KubernetesGroups(cluster, pods, patience, keeper, workflows, clock)


def build_flyte_workflows(settings: Settings) -> tuple[FlyteWorkflows, Api]:
    """Return the cluster's `FlyteWorkflow` resources, and the connection by which they are reached.

    Raise as `build_groups` does.
    """
    _require_extra()
    from dayfly.executors.kubernetes import api, flyte_workflows

    told = settings.kubernetes
    cluster = api.Api(told.kubeconfig, told.context)
    return flyte_workflows.FlyteWorkflows(cluster, told.platform, told.namespace), cluster


def _require_extra() -> None:
    try:
        import kr8s  # noqa: F401
    except ImportError as error:
        raise errors.FailedPrecondition(
            f"The backend is kubernetes, and the package {error.name} is not installed.",
            remedy="Install the extra: pip install 'dayfly[kubernetes]'.",
        ) from error


def plug(parts: ExecutorParts) -> Plugged | None:
    """Return the executor of every task that is a container, where the backend is Kubernetes."""
    if parts.settings.engine.backend != executor_parts.KUBERNETES:
        return None
    from dayfly.executors.kubernetes import executor, looking

    groups = parts.share_pods()
    made = executor.KubernetesExecutor(groups, parts.clock, parts.log_uri)
    look = looking.Look(groups, parts.clock, operates=parts.settings.kubernetes.workflow_operator)
    return executor_parts.Plugged(made, (executor_parts.ANY_TYPE, *executor_parts.COMMAND_TYPES), look=look.now)
