"""From a cluster and the pods of its roles to the `DaskJob` that asks the operator for them. Pure.

Rules: dask_kubernetes/operator/controller/controller.py and the CRDs of dask/dask-kubernetes; what Flyte's own plugin
says in a DaskJob: flyteplugins/go/tasks/plugins/k8s/dask/dask.go in flyteorg/flyte. The operator drops `idleTimeout` of
a DaskJob, so that the scheduler is told itself; it makes one Deployment for each worker, whose pods are told apart by
the name that it gives them in `DASK_WORKER_NAME`.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from dayfly.base import errors
from dayfly.executors.dask import naming
from dayfly.executors.dask.pods import roles
from dayfly.ports import pod_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dayfly.ports.clusters import ClusterSpec, WorkerGroup
    from dayfly.ports.pod_groups import Manifest

API_VERSION = "kubernetes.dask.org/v1"

JOB, GROUP, AUTOSCALER = "DaskJob", "DaskWorkerGroup", "DaskAutoscaler"

CLUSTER_NAME, COMPONENT = "dask.org/cluster-name", "dask.org/component"
"""Labels by which the operator knows what is whose."""

WORKER_NAME = "DASK_WORKER_NAME"

MAX_NAME = 53
"""Of a cluster, for the operator adds `-scheduler` to it (dask_kubernetes/constants.py)."""

MAX_LABEL = 63

GRACE, USUAL_GRACE_SECONDS = "terminationGracePeriodSeconds", 30
"""Of a pod that says nothing else."""

DIGEST = 6

MAX_BYTES = 240 * 1024
"""Of a resource: the operator keeps a copy of each among its annotations, which may have 256 KiB in all."""


class Unfit(errors.InvalidArgument):
    """A cluster that no DaskJob can ask for, and plain pods can be."""

    code = "BadTaskSpecification"


class NotAllowed(Unfit):
    """A DaskJob that the platform's account may not have."""

    code = "Forbidden"


def name_of(generated: str, spec: ClusterSpec) -> str:
    """Return what the DaskJob is called: a name that is too long for what the operator adds to it is cut, and stays one
    of its own. Raise `Unfit` where a group's name leaves no room."""
    longest = max((group.name for group in spec.groups), key=len)
    room = min(MAX_NAME, MAX_LABEL - 1 - len(longest))
    if len(generated) <= room:
        return generated
    if room < 3 * DIGEST:
        raise Unfit(
            f"A group of workers is called {longest!r}, which is too long for a DaskJob.",
            remedy="Give it a shorter name.",
        )
    digest = hashlib.sha256(generated.encode()).hexdigest()[:DIGEST]
    return f"{generated[: room - DIGEST - 1].rstrip('-')}-{digest}"


def check_size(manifest: Manifest) -> None:
    """Raise `Unfit` for a resource that the operator could not handle."""
    size = len(json.dumps(manifest["spec"]))
    if size > MAX_BYTES:
        raise Unfit(
            f"The cluster's {manifest['kind']} would have {size >> 10} KiB, and the operator takes {MAX_BYTES >> 10}.",
            remedy="Shorten the task's environment, which each role has.",
        )


def job(name: str, spec: ClusterSpec, pods: Mapping[str, Manifest]) -> Manifest:
    """Return the DaskJob of a cluster; `pods` are those of driver, scheduler and the first group's workers, by role."""
    first = spec.groups[0]
    whole = _metadata(name, pods[naming.DRIVER]["metadata"])
    runner = _as_defined(pods[naming.DRIVER]["spec"])
    runner["restartPolicy"] = "Never"  # The operator would have it started again for ever.
    return {
        "apiVersion": API_VERSION,
        "kind": JOB,
        "metadata": whole,
        "spec": {
            "job": {"metadata": _own(pods[naming.DRIVER], whole), "spec": runner},
            "cluster": {
                "spec": {
                    "scheduler": {
                        "metadata": _own(pods[naming.SCHEDULER], whole),
                        "spec": _scheduler(pods[naming.SCHEDULER], roles.last_seconds(spec)),
                        "service": service(name),
                    },
                    "worker": _workers(first, pods[naming.prefix(first)], whole),
                }
            },
        },
    }


def worker_group(name: str, group: WorkerGroup, pod: Manifest) -> Manifest:
    """Return the DaskWorkerGroup of a group beside the first one of DaskJob `name`."""
    whole = _metadata(f"{name}-{group.name}", pod["metadata"])
    return {
        "apiVersion": API_VERSION,
        "kind": GROUP,
        "metadata": whole,
        "spec": {"cluster": name, "worker": _workers(group, pod, whole)},
    }


def autoscaler(name: str, group: WorkerGroup, job: Manifest) -> Manifest:
    """Return the DaskAutoscaler of DaskJob `name`, whose first group it is."""
    return {
        "apiVersion": API_VERSION,
        "kind": AUTOSCALER,
        "metadata": {**job["metadata"], "name": name},
        "spec": {"cluster": name, "minimum": group.minimum, "maximum": group.maximum},
    }


def service(name: str) -> dict[str, Any]:
    """Return the spec of the scheduler's Service."""
    ports = [("tcp-comm", roles.COMM_PORT), ("http-dashboard", roles.HTTP_PORT)]
    return {
        "type": "ClusterIP",
        "selector": {CLUSTER_NAME: name, COMPONENT: "scheduler"},
        # Roles look for it before it is ready, and it is ready once it listens.
        "publishNotReadyAddresses": True,
        "ports": [{"name": port, "protocol": "TCP", "port": number, "targetPort": port} for port, number in ports],
    }


def _metadata(name: str, pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of an object for which pods are made: it hands its labels and annotations down to them."""
    labels = {label: value for label, value in pod["labels"].items() if label != pod_groups.ROLE}
    return {"name": name, "namespace": pod["namespace"], "labels": labels, "annotations": dict(pod["annotations"])}


def _own(pod: Manifest, whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a role's pods say of themselves beside what the whole hands down to them. Kubernetes 1.20 takes no
    empty text here."""
    return {
        word: {name: text for name, text in pod["metadata"][word].items() if text and text != whole[word].get(name)}
        for word in ("labels", "annotations")
    }


def _scheduler(pod: Manifest, last_seconds: float) -> dict[str, Any]:
    made = _in_deployment(pod)
    # Whoever ends it here does not know what its last takes to tell.
    grace = made.get(GRACE, USUAL_GRACE_SECONDS)
    made[GRACE] = max(grace, math.ceil(last_seconds))
    main = _primary(pod, made)
    main["ports"] = [
        *(port for port in main.get("ports") or [] if port.get("name") not in ("tcp-comm", "http-dashboard")),
        {"name": "tcp-comm", "containerPort": roles.COMM_PORT, "protocol": "TCP"},
        {"name": "http-dashboard", "containerPort": roles.HTTP_PORT, "protocol": "TCP"},
    ]
    # Whoever scales asks whether it is ready. The resource definition takes the names of ports alone.
    main.setdefault("readinessProbe", {"tcpSocket": {"port": "tcp-comm"}, "periodSeconds": 2})
    return made


def _workers(group: WorkerGroup, pod: Manifest, whole: Mapping[str, Any]) -> dict[str, Any]:
    metadata, made = _own(pod, whole), _in_deployment(pod)
    metadata["annotations"][pod_groups.TOLD_APART_BY] = WORKER_NAME
    main = _primary(pod, made)
    # The operator adds it where it is not said.
    main["env"] = [pair for pair in main.get("env") or [] if pair["name"] != WORKER_NAME]
    return {"metadata": metadata, "replicas": group.count, "spec": made}


def _in_deployment(pod: Manifest) -> dict[str, Any]:
    made: dict[str, Any] = _as_defined(pod["spec"])
    made["restartPolicy"] = "Always"  # A Deployment allows nothing else.
    return made


def _as_defined(part: Any, field: str = "") -> Any:
    """Return a copy of a part of a pod's spec as the operator's definitions take it: to them sizes are texts alone, and
    to Kubernetes 1.20 an empty text is none, which says the same."""
    if isinstance(part, dict):
        return {
            name: str(value) if _is_size(field, name, value) else _as_defined(value, name)
            for name, value in part.items()
            if (name, value) != ("value", "")
        }
    return [_as_defined(one) for one in part] if isinstance(part, list) else part


def _is_size(field: str, name: str, value: Any) -> bool:
    return isinstance(value, (int, float)) and (field in ("limits", "requests") or name in ("sizeLimit", "divisor"))


def _primary(pod: Manifest, made: dict[str, Any]) -> dict[str, Any]:
    name = pod["metadata"]["annotations"]["primary_container_name"]
    found: dict[str, Any] = next(one for one in made["containers"] if one["name"] == name)
    return found


def is_scaled(spec: ClusterSpec) -> bool:
    """Say whether a DaskAutoscaler can heed what the task says of the number of its workers: it counts workers as Dask
    does and takes each for a pod, and whichever of them Dask gives up for one of the first group."""
    first = spec.groups[0]
    return bool(first.maximum) and first.processes == 1 and len(spec.groups) == 1


def unheeded(spec: ClusterSpec) -> Iterator[str]:
    """Yield a sentence for each thing that is asked for and that such clusters do not have."""
    if any(group.maximum for group in spec.groups) and not is_scaled(spec):
        why = "one of several groups" if len(spec.groups) > 1 else "workers of several processes"
        yield f"The number of workers stays as it is: the Dask operator does not scale {why}."
    if spec.idle_timeout_seconds:
        yield "It does not end when it is idle: the operator's Deployments would start it again."
    if spec.reuse_seconds:
        yield "No cluster stands by for the next attempt."
