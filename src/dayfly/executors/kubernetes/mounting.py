"""What a pod finds mounted: secrets of the cluster, and memory that its processes share. Pure.

Secrets are as Flyte's webhook has them (flytepropeller/pkg/webhook/k8s_secrets.go in flyteorg/flyte): a Kubernetes
Secret is the group, its entries are the keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.base import errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flyteidl.core import tasks_pb2

    from dayfly.ports.secrets import SecretRequest

SECRETS = "/etc/flyte/secrets"

ENV_PREFIX = "_FSEC_"

DEFAULT_SHARED = ("/dev/shm", "flyte-shared-memory")
"""Where shared memory goes, and what its volume is called, unless said."""


class BadTask(errors.InvalidArgument):
    """Parts of a task that no pod can have together."""

    code = "BadTaskSpecification"


def mount_secrets(pod_spec: dict[str, Any], asked: Iterable[SecretRequest]) -> None:
    """Bring the secrets to every container; one that does not exist leaves the pod without, and its task says so."""
    env: list[dict[str, Any]] = []
    items: dict[str, list[str]] = {}
    for secret in asked:
        name = "_".join(filter(None, (secret.group, secret.version, secret.key))).upper()
        path = f"{SECRETS}/{secret.group.lower()}/{secret.key.lower()}"
        if secret.as_variable:
            source = {"secretKeyRef": {"name": secret.group, "key": secret.key, "optional": True}}
            env += [{"name": one, "valueFrom": source} for one in (f"{ENV_PREFIX}{name}", secret.variable) if one]
        else:
            items.setdefault(secret.group, []).append(secret.key)
            if secret.variable:
                env.append({"name": secret.variable, "value": path})
    if not env and not items:
        return
    env += [
        {"name": "FLYTE_SECRETS_ENV_PREFIX", "value": ENV_PREFIX},
        {"name": "FLYTE_SECRETS_DEFAULT_DIR", "value": SECRETS},
        {"name": "FLYTE_SECRETS_FILE_PREFIX", "value": ""},
    ]
    mounts = []
    for number, (group, keys) in enumerate(items.items()):
        told: dict[str, Any] = {"secretName": group, "optional": True}
        if all(keys):
            told["items"] = [{"key": key, "path": key.lower()} for key in keys]
        _add(pod_spec, "volumes", {"name": f"secrets-{number}", "secret": told})
        mounts.append({"name": f"secrets-{number}", "mountPath": f"{SECRETS}/{group.lower()}", "readOnly": True})
    for container in pod_spec["containers"]:
        container["env"] = [*(container.get("env") or []), *env]
        container["volumeMounts"] = [*(container.get("volumeMounts") or []), *mounts]


def share_memory(pod_spec: dict[str, Any], primary: str, task: tasks_pb2.TaskTemplate) -> None:
    """Give the primary container the shared memory that the task asks for. Raise `BadTask` where its place is taken."""
    if not task.extended_resources.HasField("shared_memory"):
        return
    asked = task.extended_resources.shared_memory
    path, name = asked.mount_path or DEFAULT_SHARED[0], asked.mount_name or DEFAULT_SHARED[1]
    container = next(one for one in pod_spec["containers"] if one["name"] == primary)
    if any(one["name"] == name for one in pod_spec.get("volumes") or []):
        raise BadTask(f"The pod has a volume {name!r} already, and shared memory was to be called so.")
    if any(one["mountPath"] == path for one in container.get("volumeMounts") or []):
        raise BadTask(f"The pod has something mounted at {path} already, where shared memory was to be.")
    limit = {"sizeLimit": asked.size_limit} if asked.size_limit else {}
    _add(pod_spec, "volumes", {"name": name, "emptyDir": {"medium": "Memory", **limit}})
    _add(container, "volumeMounts", {"name": name, "mountPath": path})


def _add(owner: dict[str, Any], field: str, entry: dict[str, Any]) -> None:
    owner[field] = [*(owner.get(field) or []), entry]
