"""What the platform says about pods, read from its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dayfly.base import errors

if TYPE_CHECKING:
    from dayfly.base.settings import KubernetesSettings

MAIN_PROTOTYPE, PROTOTYPE = "primary", "default"
"""Containers of a pod template that stand for the task's own, and for all (flyteplugins' pod_template_store.go)."""


class PodSettings(msgspec.Struct, frozen=True):
    """What holds for all pods."""

    platform: str = "dayfly"
    """Tells the objects of several platforms in one cluster apart."""
    namespace: str = "{project}-{domain}"
    service_account: str = ""
    image_pull_policy: str = ""
    template: dict[str, Any] = {}
    """A pod template that every pod is laid over: `metadata` and `spec`."""
    template_name: str = ""
    """The PodTemplate in the cluster that stands for it where a task names none."""
    environment: dict[str, str] = {}
    request_share: float = 1.0
    """Of what is requested; limits stay as they are."""
    gpu_resource: str = "nvidia.com/gpu"
    accelerator_label: str = "k8s.amazonaws.com/accelerator"
    partition_label: str = "k8s.amazonaws.com/gpu-partition-size"
    interruptible: dict[str, Any] = {}
    """Laid over the specs of pods that may be interrupted: tolerations, node selector, affinity."""
    safe: dict[str, Any] = {}
    """The same for all others."""


class Patience(msgspec.Struct, frozen=True):
    """How long a pod may be stuck, in seconds, before it is given up; 0 is for ever."""

    image_pull: float = 180.0
    """Flyte's `image-pull-backoff-grace-period`."""
    create_container: float = 180.0
    """Flyte's `create-container-error-grace-period`."""
    config_error: float = 10.0
    """Flyte gives it none; a Secret that is made together with the pod may come a moment later."""
    unschedulable: float = 3600.0
    """A cluster that grows takes minutes to."""
    pending: float = 1800.0
    """On a node and not begun, for any other reason."""
    operator: float = 60.0
    """Whoever is to make a group's pods has not taken it up."""
    node_lost: float = 60.0
    """Deleted, and yet not gone this long after its grace: its node does not answer."""


def read(told: KubernetesSettings) -> tuple[PodSettings, Patience]:
    """Return what the settings say. Raise `InvalidArgument` for a share that is none."""
    if not 0.0 <= told.request_share <= 1.0:
        raise errors.InvalidArgument(
            f"DAYFLY_KUBERNETES__REQUEST_SHARE is {told.request_share}.", remedy="Name a share between 0 and 1."
        )
    pods = PodSettings(
        told.platform,
        told.namespace,
        told.service_account,
        told.image_pull_policy,
        told.pod_template,
        told.pod_template_name,
        told.environment,
        told.request_share,
        told.gpu_resource,
        told.accelerator_label,
        told.partition_label,
        told.interruptible,
        told.safe,
    )
    patience = Patience(
        told.image_pull_seconds,
        told.create_container_seconds,
        unschedulable=told.unschedulable_seconds,
        pending=told.pending_seconds,
        operator=told.operator_seconds,
    )
    return pods, patience
