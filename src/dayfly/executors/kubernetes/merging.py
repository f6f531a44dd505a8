"""Pod specs laid over each other, part by part, as Kubernetes' own strategic merge does. Pure.

Lists whose entries have a name (containers, volumes, variables, ports, mounts) are merged entry by entry; tolerations
and the like are added to. Which field names an entry: the patchMergeKey tags of k8s.io/api/core/v1.
"""

from __future__ import annotations

from typing import Any

_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}

_ADDED = frozenset({"tolerations", "envFrom", "nodeSelectorTerms", "matchExpressions", "readinessGates"})
"""Lists to which entries are added."""


def lay_over(base: Any, over: Any, field: str = "") -> Any:
    """Return `base` with `over` laid over it; neither is changed. `field` is the name of what they are."""
    if isinstance(base, dict) and isinstance(over, dict):
        merged = dict(base)
        for name, value in over.items():
            merged[name] = lay_over(base[name], value, name) if name in base else value
        return merged
    if isinstance(base, list) and isinstance(over, list):
        if field in _KEYS:
            return _by_key(base, over, _KEYS[field])
        if field in _ADDED:
            return [*base, *(one for one in over if one not in base)]
    return over


def whole_numbers(value: Any) -> Any:
    """Return `value` with floats that are whole as integers: a protobuf Struct knows floats alone, and Kubernetes
    refuses a port of 80.0."""
    if isinstance(value, dict):
        return {name: whole_numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [whole_numbers(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _by_key(base: list[Any], over: list[Any], key: str) -> list[Any]:
    laid = {_name(one, key): one for one in over}
    merged = [lay_over(one, laid.pop(_name(one, key))) if _name(one, key) in laid else one for one in base]
    return [*merged, *laid.values()]


def _name(entry: Any, key: str) -> Any:
    # What has no name is like nothing else.
    return entry[key] if isinstance(entry, dict) and key in entry else id(entry)
