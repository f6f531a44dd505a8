"""What this host has to give away, read once at start."""

from __future__ import annotations

import os

from dayfly.executors.local import admission
from dayfly.executors.local.settings import LocalSettings


def capacity(settings: LocalSettings) -> admission.Capacity:
    """Return cores and memory to give away: what the settings say, else what the host has."""
    cpus = settings.cpus or float(len(os.sched_getaffinity(0)))
    memory = settings.memory_bytes
    if memory is None:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        memory = whole - min(settings.memory_reserve_bytes, whole // 5)
    return admission.Capacity(cpus, memory, settings.cpu_overcommit)
