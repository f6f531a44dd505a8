"""From an attempt to its pod, as Flyte builds it. Pure.

Order, from the bottom: the platform's pod template, the task's own pod, its node's, then what the attempt itself says
(command, environment, sizes). Rules: flyteplugins/go/tasks/pluginmachinery/flytek8s/pod_helper.go and
container_helper.go in flyteorg/flyte.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from flyteidl.core import tasks_pb2

from dayfly.executors.kubernetes import merging, mounting, names, placing, sizes
from dayfly.executors.kubernetes.settings import MAIN_PROTOTYPE, PROTOTYPE, PodSettings
from dayfly.model import structs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.ports.executors import AttemptSpec
    from dayfly.ports.pod_groups import Manifest

SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""Annotation by which a cluster that shrinks leaves a running task alone: Flyte's default-annotations."""


def build(spec: AttemptSpec, told: PodSettings, template: Mapping[str, Any], role: str) -> Manifest:
    """Return the pod of the attempt, for this role of its group.

    `template` is the PodTemplate's `template` that stands under it, empty for none. Raise `BadTask`, an
    `InvalidArgument`, for parts that contradict each other.
    """
    task = tasks_pb2.TaskTemplate.FromString(spec.template)
    own, primary = _own(spec)
    base = merging.lay_over(told.template, dict(template))
    pod_spec = _laid_over_prototypes(base.get("spec") or {}, own["spec"], primary)
    for container in pod_spec["containers"]:
        if container["name"] == primary:
            _fill(container, spec, task, told)
    pod_spec["restartPolicy"] = "Never"
    account = spec.service_account or pod_spec.get("serviceAccountName") or told.service_account
    if account:
        pod_spec["serviceAccountName"] = account
    placing.place(pod_spec, spec, task, told)
    mounting.mount_secrets(pod_spec, spec.secrets)
    mounting.share_memory(pod_spec, primary, task)
    metadata = merging.lay_over(base.get("metadata") or {}, own["metadata"])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": names.pod(spec, told.namespace, role),
            "namespace": names.namespace(told.namespace, spec.key),
            "labels": {**metadata.get("labels", {}), **names.labels(spec, told.platform, role)},
            "annotations": {
                SAFE_TO_EVICT: "false",
                **metadata.get("annotations", {}),
                **spec.annotations,
                names.ATTEMPT: spec.key,
                "primary_container_name": primary,
            },
        },
        "spec": pod_spec,
    }


def primary_of(pod: Mapping[str, Any]) -> str:
    """Return the name of the container that is the task."""
    told = (pod["metadata"].get("annotations") or {}).get("primary_container_name")
    return str(told or pod["spec"]["containers"][0]["name"])


def _own(spec: AttemptSpec) -> tuple[dict[str, Any], str]:
    """Return the pod that the task brings, its node's laid over it, and its primary container's name."""
    pods = [tasks_pb2.K8sPod.FromString(each) for each in spec.pods]
    if not pods:
        return {"metadata": {}, "spec": {"containers": [{"name": spec.generated_name}]}}, spec.generated_name
    primary = pods[0].primary_container_name
    laid: dict[str, Any] = {"metadata": {}, "spec": {}}
    for pod in pods:
        over = merging.whole_numbers(structs.to_plain(pod.pod_spec))
        for container in over.get("containers") or []:
            if container.get("name") == pod.primary_container_name:
                container["name"] = primary  # A node's template may call it otherwise.
        metadata = {"labels": dict(pod.metadata.labels), "annotations": dict(pod.metadata.annotations)}
        laid = merging.lay_over(laid, {"metadata": metadata, "spec": over})
    return laid, primary


def _laid_over_prototypes(template: Mapping[str, Any], task: Mapping[str, Any], primary: str) -> dict[str, Any]:
    """Lay the task's pod over the template, whose prototypes go into its containers."""
    base: dict[str, Any] = copy.deepcopy(dict(template))
    own: dict[str, Any] = copy.deepcopy(dict(task))
    for field, main, common in (
        ("containers", MAIN_PROTOTYPE, PROTOTYPE),
        ("initContainers", f"{MAIN_PROTOTYPE}-init", f"{PROTOTYPE}-init"),
    ):
        known = {one["name"]: one for one in base.get(field) or []}
        under = {name: _without_name(known.pop(name, {})) for name in (common, main)}
        base[field] = list(known.values())
        own[field] = [
            merging.lay_over(
                merging.lay_over(under[common], under[main]) if one.get("name") == primary else under[common], one
            )
            for one in own.get(field) or []
        ]
        if not base[field] and not own[field]:
            del base[field], own[field]
    laid: dict[str, Any] = merging.lay_over(base, own)
    return laid


def _without_name(container: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in container.items() if name != "name"}


def _fill(container: dict[str, Any], spec: AttemptSpec, task: tasks_pb2.TaskTemplate, told: PodSettings) -> None:
    """Say in the primary container what the attempt says."""
    if spec.image:
        container["image"] = spec.image
    if told.image_pull_policy:
        container.setdefault("imagePullPolicy", told.image_pull_policy)
    commands = len(task.container.command)
    if spec.argv:
        container.pop("command", None)
        if commands:
            container["command"] = list(spec.argv[:commands])
        container["args"] = list(spec.argv[commands:])
    env = {**told.environment, **spec.env}
    # What a pod takes from elsewhere (`valueFrom`) stays, unless the attempt itself says it.
    kept = [pair for pair in container.get("env") or [] if pair.get("name") not in env]
    container["env"] = [*kept, *({"name": name, "value": value} for name, value in env.items())]
    container["resources"] = merging.lay_over(container.get("resources") or {}, sizes.of_task(spec, task, told))
    # What a container says last is in its state, so that an end can be told even where logs are gone.
    container.setdefault("terminationMessagePolicy", "FallbackToLogsOnError")
