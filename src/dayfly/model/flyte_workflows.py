"""The `FlyteWorkflow` resource, by which Kubernetes shows an execution: its kind, its marks, its names. Pure.

Executors make it before the first pod of an execution, which it is to own; the operator makes it for executions that
have none yet, and keeps its status. Both find it by one label, so that neither need know who made it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from dayfly.model.identifiers import ExecutionId

GROUP, VERSION, KIND, PLURAL = "dayfly.dev", "v1", "FlyteWorkflow", "flyteworkflows"
"""A group of its own: Flyte's resource of the same kind is in `flyte.lyft.com`."""

API_VERSION = f"{GROUP}/{VERSION}"

GET_IT = "dayfly deploy kubernetes --crd | kubectl apply -f -"
"""By this a cluster comes to know the kind."""

PLATFORM = "dayfly.dev/platform"
"""Label: which platform an object is of, when several share a cluster."""

EXECUTION = "dayfly.dev/execution"
"""Label: stands for project, domain and name together. Annotation: these three, for those that users made."""

FINALIZER = "dayfly.dev/execution"
"""Keeps a resource that is deleted until its execution has ended and nothing of it is left."""

_PLAIN_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def mark(execution: ExecutionId) -> str:
    """Return the value of the label by which the execution's resource is found."""
    return hashlib.sha256(str(execution).encode()).hexdigest()[:32]


def own_name(execution: ExecutionId, *, shared: bool) -> str:
    """Return what the platform calls the resource: as the execution, with a few characters more where several projects
    share a namespace or where Kubernetes takes no such name."""
    if not shared and _PLAIN_NAME.fullmatch(execution.name):
        return execution.name
    plain = re.sub(r"[^a-z0-9]+", "-", execution.name.lower()).strip("-")
    return f"{plain}-{mark(execution)[:6]}".lstrip("-")


def execution_name(uid: str) -> str:
    """Return the name of the execution that a user's own resource starts: the same whoever starts it, so that it is
    started once."""
    return "u" + hashlib.sha256(uid.encode()).hexdigest()[:19]


def build(execution: ExecutionId, namespace: str, platform: str, *, shared: bool) -> dict[str, Any]:
    """Return the resource as the platform makes it; `platform` is the value of its label."""
    parts = {"project": execution.project, "domain": execution.domain, "name": execution.name}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": own_name(execution, shared=shared),
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "dayfly",
                PLATFORM: platform,
                EXECUTION: mark(execution),
            },
            "finalizers": [FINALIZER],
        },
        "spec": {"executionId": parts},
    }


def execution_of(manifest: Mapping[str, Any]) -> ExecutionId | None:
    """Return which execution a resource stands for; None for one that is yet to start its own, or that says something
    which its label does not bear out."""
    metadata, spec = manifest["metadata"], manifest.get("spec") or {}
    if "executionId" in spec:
        told = spec["executionId"]
        found = ExecutionId(told.get("project", ""), told.get("domain", ""), told.get("name", ""))
    else:
        words = (metadata.get("annotations") or {}).get(EXECUTION, "").split("/")
        if len(words) != 3 or words[2] != execution_name(metadata["uid"]):
            return None
        found = ExecutionId(*words)
    return found if (metadata.get("labels") or {}).get(EXECUTION) == mark(found) else None
