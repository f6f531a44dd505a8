"""On which nodes a pod may run: spot or safe, and with which accelerator. Pure.

Rules: flyteplugins/go/tasks/pluginmachinery/flytek8s/pod_helper.go (`ApplyInterruptibleNodeAffinity`,
`ApplyGPUNodeSelectors`) in flyteorg/flyte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.executors.kubernetes import merging

if TYPE_CHECKING:
    from flyteidl.core import tasks_pb2

    from dayfly.executors.kubernetes.settings import PodSettings
    from dayfly.ports.executors import AttemptSpec


def place(pod_spec: dict[str, Any], spec: AttemptSpec, task: tasks_pb2.TaskTemplate, told: PodSettings) -> None:
    """Say in a pod's spec where it may run."""
    _lay_over(pod_spec, told.interruptible if spec.interruptible else told.safe)
    if task.extended_resources.HasField("gpu_accelerator"):
        _with_accelerator(pod_spec, task.extended_resources.gpu_accelerator, told)


def _with_accelerator(pod_spec: dict[str, Any], asked: tasks_pb2.GPUAccelerator, told: PodSettings) -> None:
    needs, tolerated = [], []
    if asked.device:
        needs.append({"key": told.accelerator_label, "operator": "In", "values": [asked.device]})
        tolerated.append(_tolerates(told.accelerator_label, asked.device))
    partition = asked.WhichOneof("partition_size_value")
    if partition == "unpartitioned":
        needs.append({"key": told.partition_label, "operator": "DoesNotExist"})
    elif partition == "partition_size":
        needs.append({"key": told.partition_label, "operator": "In", "values": [asked.partition_size]})
        tolerated.append(_tolerates(told.partition_label, asked.partition_size))
    if not needs:
        return
    affinity = pod_spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    required = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {})
    # Terms are alternatives: each of them has to ask for it.
    terms = required.get("nodeSelectorTerms") or [{}]
    required["nodeSelectorTerms"] = [
        {**term, "matchExpressions": [*term.get("matchExpressions", []), *needs]} for term in terms
    ]
    pod_spec["tolerations"] = [*pod_spec.get("tolerations", []), *tolerated]


def _tolerates(key: str, value: str) -> dict[str, str]:
    return {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"}


def _lay_over(pod_spec: dict[str, Any], over: dict[str, Any]) -> None:
    laid = merging.lay_over(pod_spec, over)
    pod_spec.clear()
    pod_spec.update(laid)
