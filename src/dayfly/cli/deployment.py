"""The objects that are Dayfly in a Kubernetes cluster: who it is, what it may, and where it runs. Pure.

Called by `dayfly deploy`. The chart in `deploy/helm` says the same in Helm's words; a test compares them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from dayfly.base import errors

Manifest = dict[str, Any]

PORT = 30080

FOLDER = "/var/lib/dayfly"
"""Where the volume of its own is: database, logs, flight records."""

SHARED = "/store"
"""Where the volume is that it shares with all tasks, if there is one."""

RULES: tuple[Manifest, ...] = (
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get", "list", "watch", "delete"]},
    {"apiGroups": [""], "resources": ["pods/log", "pods/proxy", "podtemplates"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["services"], "verbs": ["create", "get", "list", "delete"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
    {"apiGroups": ["apps"], "resources": ["deployments", "replicasets"], "verbs": ["get", "list", "delete"]},
    {
        "apiGroups": ["kubernetes.dask.org"],
        "resources": ["daskjobs", "daskclusters", "daskworkergroups", "daskautoscalers"],
        "verbs": ["create", "get", "list", "patch", "delete"],
    },
    {
        "apiGroups": ["dayfly.dev"],
        "resources": ["flyteworkflows"],
        "verbs": ["create", "get", "list", "watch", "patch", "delete"],
    },
    {"apiGroups": ["dayfly.dev"], "resources": ["flyteworkflows/status"], "verbs": ["patch"]},
)
"""What the platform does with a cluster, and no more; the tests on a real one run with these rights alone."""

CLUSTER_RULES: tuple[Manifest, ...] = ({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create"]},)
"""Beside them where each project and domain has a namespace."""


@dataclass(frozen=True)
class Deployment:
    """What can be chosen. Of the volumes one at most is given; none is a new claim of `volume_size`."""

    image: str
    """With Dayfly in it, as `deploy/Containerfile` makes it."""
    storage: str = ""
    """fsspec address of inputs and outputs, which tasks reach too; empty where there is a shared claim."""
    name: str = "dayfly"
    namespace: str = "dayfly"
    namespaced: bool = False
    """All in one namespace, without any right beside it."""
    public_url: str = f"http://localhost:{PORT}"
    """How clients reach it."""
    shared_claim: str = ""
    """PersistentVolumeClaim for many readers and writers, in the place of an object store; only where all is in one
    namespace."""
    volume_size: str = "10Gi"
    volume_claim: str = ""
    secrets: tuple[str, ...] = ()
    """Secrets whose entries are the platform's environment: DAYFLY_DATA__DATABASE, the object store's credentials."""
    environment: dict[str, str] = field(default_factory=dict)
    """Of the platform."""
    task_environment: dict[str, str] = field(default_factory=dict)
    """Of every task."""


def build(told: Deployment) -> list[Manifest]:
    """Return the objects, in the order they are made.

    Raise `InvalidArgument` where tasks would have no place for their inputs and outputs.
    """
    if told.shared_claim and not told.namespaced:
        raise errors.InvalidArgument(
            f"The claim {told.shared_claim} is in one namespace, and tasks run in one for each project and domain.",
            remedy="Add --namespaced, or name an object store with --storage.",
        )
    if not told.storage and not told.shared_claim:
        raise errors.InvalidArgument(
            "Tasks run as pods, which reach no folder of the platform's own.",
            remedy="Name an object store with --storage s3://bucket, or a volume for all with --shared-claim.",
        )
    objects: list[Manifest] = [_object(told, "v1", "ServiceAccount"), *_rights(told)]
    if not told.volume_claim:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": told.volume_size}}}
        objects.append(_object(told, "v1", "PersistentVolumeClaim", spec=spec))
    return [*objects, _deployment(told), _service(told)]


def _rights(told: Deployment) -> list[Manifest]:
    kind = "Role" if told.namespaced else "ClusterRole"
    rules = [*RULES, *(() if told.namespaced else CLUSTER_RULES)]
    return [
        _object(told, "rbac.authorization.k8s.io/v1", kind, rules=rules),
        _object(
            told,
            "rbac.authorization.k8s.io/v1",
            f"{kind}Binding",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": _name(told, kind)},
            subjects=[{"kind": "ServiceAccount", "name": told.name, "namespace": told.namespace}],
        ),
    ]


def _deployment(told: Deployment) -> Manifest:
    # One at a time: the new one waits for the data folder until the old one has let it go.
    spec = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": _selector(told)},
        "template": {"metadata": {"labels": _selector(told)}, "spec": _pod(told)},
    }
    return _object(told, "apps/v1", "Deployment", spec=spec)


def _pod(told: Deployment) -> Manifest:
    volumes: list[Manifest] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": told.volume_claim or told.name}},
        {"name": "tmp", "emptyDir": {}},
    ]
    mounts = [{"name": "data", "mountPath": FOLDER}, {"name": "tmp", "mountPath": "/tmp"}]
    if told.shared_claim:
        volumes.append({"name": "store", "persistentVolumeClaim": {"claimName": told.shared_claim}})
        mounts.append({"name": "store", "mountPath": SHARED})
    return {
        "serviceAccountName": told.name,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000},
        "containers": [
            {
                "name": "dayfly",
                "image": told.image,
                "args": ["dayfly", "up", "--backend", "kubernetes"],
                "env": [{"name": name, "value": value} for name, value in sorted(_environment(told).items())],
                "envFrom": [{"secretRef": {"name": name}} for name in told.secrets],
                "ports": [{"name": "http", "containerPort": PORT}],
                "readinessProbe": {"httpGet": {"path": "/healthcheck", "port": "http"}, "periodSeconds": 2},
                "livenessProbe": {
                    "httpGet": {"path": "/healthcheck", "port": "http"},
                    "initialDelaySeconds": 30,
                    "timeoutSeconds": 5,
                    "failureThreshold": 6,
                },
                "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }


def _environment(told: Deployment) -> dict[str, str]:
    made = {
        "DAYFLY_SERVER__HOST": "0.0.0.0",
        "DAYFLY_SERVER__PORT": str(PORT),
        "DAYFLY_SERVER__PUBLIC_URL": told.public_url,
        "DAYFLY_DATA__FOLDER": FOLDER,
        "DAYFLY_DATA__STORAGE": told.storage or f"file://{SHARED}",
        "DAYFLY_KUBERNETES__PLATFORM": told.name,
        "HOME": FOLDER,
    }
    if told.namespaced:
        made["DAYFLY_KUBERNETES__NAMESPACE"] = told.namespace
    if told.task_environment:
        made["DAYFLY_KUBERNETES__ENVIRONMENT"] = _json(told.task_environment)
    if told.shared_claim:
        volume = {"name": "store", "persistentVolumeClaim": {"claimName": told.shared_claim}}
        container = {"name": "default", "volumeMounts": [{"name": "store", "mountPath": SHARED}]}
        made["DAYFLY_KUBERNETES__POD_TEMPLATE"] = _json({"spec": {"containers": [container], "volumes": [volume]}})
    return made | told.environment


def _service(told: Deployment) -> Manifest:
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    return _object(told, "v1", "Service", spec={"selector": _selector(told), "ports": ports})


def _object(told: Deployment, version: str, kind: str, **more: Any) -> Manifest:
    metadata: Manifest = {"name": _name(told, kind)}
    if not kind.startswith("ClusterRole"):
        metadata["namespace"] = told.namespace
    metadata["labels"] = _selector(told)
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _name(told: Deployment, kind: str) -> str:
    """Rights over a whole cluster are named after whose they are."""
    return f"{told.namespace}-{told.name}" if kind.startswith("ClusterRole") else told.name


def _selector(told: Deployment) -> dict[str, str]:
    return {"app.kubernetes.io/name": "dayfly", "app.kubernetes.io/instance": told.name}


def _json(value: Any) -> str:
    """Return it with sorted names, as Helm's `toJson` does."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
