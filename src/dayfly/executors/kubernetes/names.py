"""Names, labels and annotations of what is made for an attempt. Pure.

Labels are Flyte's own (flyteplugins/go/tasks/pluginmachinery/flytek8s and flytepropeller's labels in flyteorg/flyte),
so that dashboards and selectors which know Flyte's pods know these; `dayfly.dev/...` are ours.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from dayfly.model import identifiers
from dayfly.ports.pod_groups import GROUP, PLATFORM, ROLE, TOLD_APART_BY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.executors import AttemptSpec

MAIN = "driver"
"""The role that every group has."""

ATTEMPT = "dayfly.dev/attempt"
"""Annotation: the attempt's key, which no label may hold."""

MAX_LABEL = 63

_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9_.-]+")
_EDGES = "_.-"


def namespace(template: str, key: AttemptKey) -> str:
    """Return where the attempt's objects go. `template` may hold `{project}` and `{domain}`."""
    execution, _, _ = identifiers.parse_attempt_key(key)
    return namespace_of(template, execution.project, execution.domain)


def namespace_of(template: str, project: str, domain: str) -> str:
    """Return where the objects of a project and domain go."""
    return template.format(project=project, domain=domain).lower()


def is_shared(template: str) -> bool:
    """Say whether several projects or domains may have one namespace."""
    return "{project}" not in template or "{domain}" not in template


def one_namespace(template: str) -> str:
    """Return the one namespace that all is in, or nothing for all: a platform with rights in one alone sees none
    beside it."""
    return "" if "{" in template else template


def group(key: AttemptKey) -> str:
    """Return the value of the group's label: the same for the same key, and as long as a label may be."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def pod(spec: AttemptSpec, namespace_template: str, role: str) -> str:
    """Return the pod's name: the driver's is the attempt's own; where projects share a namespace, a few characters tell
    them apart."""
    shared = is_shared(namespace_template)
    words = [spec.generated_name, *([group(spec.key)[:6]] if shared else []), *([role] if role != MAIN else [])]
    return "-".join(words)


def label(text: str) -> str:
    """Return `text` as the value of a label: what such a value may not hold is a dash."""
    made = _NOT_IN_LABELS.sub("-", text).strip(_EDGES)
    return made[:MAX_LABEL].strip(_EDGES)


def labels(spec: AttemptSpec, platform: str, role: str) -> dict[str, str]:
    """Return the labels of a pod: the execution's own have the last word, ours apart."""
    execution, node, _ = identifiers.parse_attempt_key(spec.key)
    workflow = spec.env.get("FLYTE_INTERNAL_EXECUTION_WORKFLOW", "").rpartition(":")[2]
    return {
        "execution-id": label(execution.name),
        "project": label(execution.project),
        "domain": label(execution.domain),
        "workflow-name": label(workflow),
        "node-id": label(node),
        "task-name": label(spec.task.name),
        "interruptible": "true" if spec.interruptible else "false",
        **{name: label(value) for name, value in spec.labels.items()},
        **own_labels(spec.key, platform, role),
    }


def own_labels(key: AttemptKey, platform: str, role: str = "") -> dict[str, str]:
    """Return the labels by which the platform finds an object again."""
    own = {"app.kubernetes.io/managed-by": "dayfly", PLATFORM: label(platform), GROUP: group(key)}
    return {**own, ROLE: role} if role else own


def selector(platform: str, key: AttemptKey | None = None) -> str:
    """Return what selects the objects of a platform, or of one of its groups."""
    told = f"{PLATFORM}={label(platform)}"
    return told if key is None else f"{told},{GROUP}={group(key)}"


def role_of(manifest: Mapping[str, Any]) -> str:
    """Return what an object is to its group: `worker-0`, or, of pods that are told apart by a variable, `worker-` and
    the last word of its value. Empty if it is nothing."""
    metadata = manifest["metadata"]
    role = str((metadata.get("labels") or {}).get(ROLE, ""))
    variable = (metadata.get("annotations") or {}).get(TOLD_APART_BY)
    if not variable:
        return role
    pairs = [pair for one in (manifest.get("spec") or {}).get("containers") or [] for pair in one.get("env") or []]
    value = next((str(pair.get("value", "")) for pair in pairs if pair["name"] == variable), "")
    return f"{role}-{label(value.rpartition('-')[2])}" if value else role
