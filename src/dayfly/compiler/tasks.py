"""What is wrong with a task template by itself, before it is registered.

Checks only what needs no settings of the platform: limits that an operator sets are the doors' matter. Rules:
flyteadmin/pkg/manager/impl/validation/task_validator.go and flytepropeller/pkg/compiler/task_compiler.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from flyteidl.core import identifier_pb2, tasks_pb2

from dayfly.base import errors as base_errors
from dayfly.compiler import errors, interfaces
from dayfly.compiler.errors import CompileError
from dayfly.model import identifiers, quantities, structs
from dayfly.model.identifiers import EntityId

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""A DNS-1123 label: what Kubernetes takes as a container's name."""

_UNLIMITED_KINDS = frozenset({tasks_pb2.Resources.UNKNOWN, tasks_pb2.Resources.STORAGE})
"""Kinds whose requests Flyte does not compare with their limits."""


def check(template: tasks_pb2.TaskTemplate, id: EntityId) -> list[CompileError]:
    """Return everything that is wrong with the template that is to be registered as `id`; empty when it is right."""
    path = f"task {id.name}"
    found: list[CompileError] = []
    _check_id(id, path, found)
    if not template.type:
        found.append(CompileError(errors.VALUE_REQUIRED, path, "it has no type"))
    _check_metadata(template, path, found)
    _check_interface(template, path, found)
    target = template.WhichOneof("target")
    if target == "container":
        _check_container(template, path, found)
    elif target == "k8s_pod":
        _check_pod(template.k8s_pod, path, found)
    return found


def check_resources(resources: tasks_pb2.Resources, path: str, found: list[CompileError]) -> None:
    """Add what is wrong with requests and limits to `found`: quantities that are none, limits below requests."""
    requests = _read_entries(resources.requests, f"{path}, request", found)
    limits = _read_entries(resources.limits, f"{path}, limit", found)
    for kind in sorted(requests.keys() & limits.keys()):
        name, request, limit = _name(kind), requests[kind], limits[kind]
        if kind == tasks_pb2.Resources.GPU and request != limit:
            message = "a GPU cannot be shared: request and limit must be equal"
            found.append(CompileError(errors.INVALID_VALUE, f"{path}, {name}", message))
        elif kind not in _UNLIMITED_KINDS and limit < request:
            message = f"the limit ({limit:f}) is below the request ({request:f})"
            found.append(CompileError(errors.INVALID_VALUE, f"{path}, {name}", message))


def _check_id(id: EntityId, path: str, found: list[CompileError]) -> None:
    if id.kind != identifier_pb2.TASK:
        kind = identifiers.kind_name(id.kind)
        found.append(CompileError(errors.INVALID_VALUE, path, f"its id is that of a {kind}, not of a task"))
    for field in ("project", "domain", "name", "version"):
        if not getattr(id, field):
            found.append(CompileError(errors.VALUE_REQUIRED, path, f"its id has no {field}"))


def _check_metadata(template: tasks_pb2.TaskTemplate, path: str, found: list[CompileError]) -> None:
    if not template.HasField("metadata"):
        found.append(CompileError(errors.VALUE_REQUIRED, path, "it has no metadata"))
    elif template.metadata.HasField("runtime") and not template.metadata.runtime.version:
        found.append(CompileError(errors.VALUE_REQUIRED, path, "its runtime has no version"))


def _check_interface(template: tasks_pb2.TaskTemplate, path: str, found: list[CompileError]) -> None:
    if not template.HasField("interface"):
        found.append(CompileError(errors.VALUE_REQUIRED, path, "it has no interface"))
    for word, variables in (("input", template.interface.inputs), ("output", template.interface.outputs)):
        for name in interfaces.untyped(variables):
            found.append(CompileError(errors.VALUE_REQUIRED, f"{path}, {word} {name}", "it has no type"))


def _check_container(template: tasks_pb2.TaskTemplate, path: str, found: list[CompileError]) -> None:
    container = template.container
    if not container.image:
        found.append(CompileError(errors.VALUE_REQUIRED, f"{path}, container", "it has no image"))
    interface = template.interface
    has_data = bool(interface.inputs.variables or interface.outputs.variables)
    if has_data and not container.command and not container.args:
        message = "it has neither command nor arguments, so inputs and outputs would not reach it"
        found.append(CompileError(errors.VALUE_REQUIRED, f"{path}, container", message))
    check_resources(container.resources, f"{path}, container", found)


def _read_entries(
    entries: Iterable[tasks_pb2.Resources.ResourceEntry], path: str, found: list[CompileError]
) -> dict[int, Decimal]:
    read: dict[int, Decimal] = {}
    for entry in entries:
        place = f"{path} {_name(entry.name)}"
        if entry.name in read:
            found.append(CompileError(errors.VALUE_COLLISION, place, "it is given more than once"))
            continue
        try:
            amount = quantities.parse(entry.value)
        except base_errors.InvalidArgument as error:
            found.append(CompileError(errors.INVALID_VALUE, place, str(error)))
            continue
        read[entry.name] = amount
        if amount < 0:
            found.append(CompileError(errors.INVALID_VALUE, place, f"{entry.value} is negative"))
        if entry.name == tasks_pb2.Resources.GPU and amount != amount.to_integral_value():
            found.append(CompileError(errors.INVALID_VALUE, place, f"{entry.value} is not a whole number of GPUs"))
    return read


def _name(kind: int) -> str:
    return str(tasks_pb2.Resources.ResourceName.Name(kind)).lower() if kind <= _LAST_KIND else f"resource {kind}"


_LAST_KIND = max(tasks_pb2.Resources.ResourceName.values())


def _check_pod(pod: tasks_pb2.K8sPod, path: str, found: list[CompileError]) -> None:
    spec = structs.to_plain(pod.pod_spec)
    containers = spec.get("containers")
    if not isinstance(containers, list) or not containers:
        found.append(CompileError(errors.INVALID_VALUE, f"{path}, pod", "its spec has no containers"))
        return
    for container in containers:
        name = container.get("name") if isinstance(container, dict) else None
        if not isinstance(name, str) or not _LABEL.fullmatch(name):
            message = f"a container is called {name!r}; Kubernetes wants lower-case letters, digits and dashes"
            found.append(CompileError(errors.INVALID_VALUE, f"{path}, pod", message))
