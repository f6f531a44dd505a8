"""What a task may take: its own requests and limits, those of its node, and what the platform allows. Pure.

Preparing an attempt settles its sizes here; the API checks what is registered against the platform's limits. Rules:
flyteplugins/go/tasks/pluginmachinery/flytek8s/container_helper.go and
flyteadmin/pkg/manager/impl/validation/task_validator.go in flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec
from flyteidl.admin import matchable_resource_pb2
from flyteidl.core import tasks_pb2

from dayfly.model import quantities

_KIND = tasks_pb2.Resources.ResourceName


class Ceiling(msgspec.Struct, frozen=True):
    """What the platform gives one task at most; 0 is no limit."""

    cpu: float = 0.0
    memory_bytes: int = 0
    ephemeral_storage_bytes: int = 0
    gpus: int = 0


class Sizes(msgspec.Struct, frozen=True):
    """What one attempt asks for; 0 is not said."""

    cpu_request: float = 0.0
    cpu_limit: float = 0.0
    memory_request_bytes: int = 0
    memory_limit_bytes: int = 0


def merge(own: tasks_pb2.Resources, node: tasks_pb2.Resources) -> tasks_pb2.Resources:
    """Return the task's resources with those of its node laid over them, kind by kind.

    A node that says only one of request and limit may contradict what the task says of the other: that then gives way.
    """
    requests = _by_kind(own.requests) | _by_kind(node.requests)
    limits = _by_kind(own.limits) | _by_kind(node.limits)
    asked, bounded = _by_kind(node.requests), _by_kind(node.limits)
    for kind in requests.keys() & limits.keys():
        if quantities.parse(requests[kind]) > quantities.parse(limits[kind]):
            if kind in asked and kind not in bounded:
                limits[kind] = requests[kind]
            else:
                requests[kind] = limits[kind]
    merged = tasks_pb2.Resources()
    for kind in sorted(requests):
        merged.requests.add(name=kind, value=requests[kind])
    for kind in sorted(limits):
        merged.limits.add(name=kind, value=limits[kind])
    return merged


def settle(asked: tasks_pb2.Resources, ceiling: Ceiling) -> Sizes:
    """Return the sizes of an attempt: a request stands in for a limit and the other way round, nothing is above what
    the platform allows."""
    requests, limits = _by_kind(asked.requests), _by_kind(asked.limits)
    cpu_request, cpu_limit = _settle(requests, limits, _KIND.Value("CPU"), Decimal(str(ceiling.cpu)))
    memory_request, memory_limit = _settle(requests, limits, _KIND.Value("MEMORY"), Decimal(ceiling.memory_bytes))
    return Sizes(float(cpu_request), float(cpu_limit), _whole(memory_request), _whole(memory_limit))


def limited(ceiling: Ceiling, told: matchable_resource_pb2.TaskResourceSpec) -> Ceiling:
    """Return the ceiling with what attributes say of it laid over. Raise `InvalidArgument` for what is no quantity."""
    return Ceiling(
        quantities.cores(told.cpu) if told.cpu else ceiling.cpu,
        quantities.size_bytes(told.memory) if told.memory else ceiling.memory_bytes,
        quantities.size_bytes(told.ephemeral_storage) if told.ephemeral_storage else ceiling.ephemeral_storage_bytes,
        quantities.size_bytes(told.gpu) if told.gpu else ceiling.gpus,
    )


def find_excess(asked: tasks_pb2.Resources, ceiling: Ceiling) -> list[str]:
    """Say in words what is above what the platform allows; quantities that are none are passed over."""
    allowed = {
        "CPU": Decimal(str(ceiling.cpu)),
        "MEMORY": Decimal(ceiling.memory_bytes),
        "EPHEMERAL_STORAGE": Decimal(ceiling.ephemeral_storage_bytes),
        "GPU": Decimal(ceiling.gpus),
    }
    told = []
    for word, entries in (("request", asked.requests), ("limit", asked.limits)):
        for entry in entries:
            name = _KIND.Name(entry.name) if entry.name in _KIND.values() else ""
            most = allowed.get(name, Decimal(0))
            if most and quantities.is_one(entry.value) and quantities.parse(entry.value) > most:
                what = name.lower().replace("_", " ")
                told.append(f"the {word} of {what} is {entry.value}; this platform allows {most:f}")
    return told


def _settle(requests: dict[int, str], limits: dict[int, str], kind: int, most: Decimal) -> tuple[Decimal, Decimal]:
    request, limit = (quantities.parse(each.get(kind) or "0") for each in (requests, limits))
    request, limit = request or limit, limit or request
    if most:
        limit = min(limit or most, most)
    return (min(request, limit) if limit else request), limit


def _whole(size: Decimal) -> int:
    return quantities.size_bytes(f"{size:f}")


def _by_kind(entries: Iterable[tasks_pb2.Resources.ResourceEntry]) -> dict[int, str]:
    return {entry.name: entry.value for entry in entries}
