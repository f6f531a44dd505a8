"""What an attempt counts for on this host while it runs. Pure.

A task that asks for something counts for that. One that asks for nothing counts for what the platform assumes, but on
a host of one's own such tasks mostly wait: they count for little CPU, and for no more memory than would let as many of
them run as the cores allow. So a small host is never kept idle by what nobody asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.executors.local.settings import LocalSettings
    from dayfly.ports.executors import AttemptSpec


def count(spec: AttemptSpec, host: LocalSettings) -> tuple[float, int]:
    """Return the cores and the bytes of memory that the attempt occupies."""
    cpu = spec.cpu_request or spec.cpu_limit or min(spec.assumed_cpu, host.default_cpu)
    memory = spec.memory_request_bytes or spec.memory_limit_bytes
    return cpu, memory or min(spec.assumed_memory_bytes, _share(cpu or host.default_cpu, host))


def _share(cpu: float, host: LocalSettings) -> int:
    """Return the memory there is for each of as many tasks as have room by their CPU; nothing if that is not known."""
    if host.cpus is None or host.memory_bytes is None:
        return 0
    return int(host.memory_bytes * min(1.0, cpu / (host.cpus * host.cpu_overcommit)))
