"""Runs attempts as processes of this host, forked from warm interpreters.

Knows: processes, sockets, files, the command lines of tasks. Never knows: retries, phases, gRPC, databases.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from dayfly.executors.local import distributions, executor, groups, log_files, log_reading, looking
from dayfly.executors.local.settings import LocalSettings
from dayfly.ports import executor_parts

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.environments import Environments
    from dayfly.ports.executor_parts import ExecutorParts, Plugged
    from dayfly.ports.process_groups import ProcessGroups
    from dayfly.ports.secrets import Secrets

__all__ = ["LocalSettings", "build", "build_distributions", "build_groups", "log_files", "log_reading", "plug"]


def build_groups(settings: LocalSettings, clock: Clock) -> groups.LocalProcessGroups:
    """Return the process groups of this host: one for the platform, of which each executor takes a `share()`."""
    return groups.LocalProcessGroups(settings, clock)


def build_distributions(settings: LocalSettings, blobs: Blobs) -> distributions.Distributions:
    """Return the cache of unpacked code, common to all executors."""
    return distributions.Distributions(blobs, settings.data / "cache" / "distributions")


def build(
    settings: LocalSettings,
    process_groups: ProcessGroups,
    environments: Environments,
    unpack: Callable[[str], Awaitable[str]],
    clock: Clock,
    secrets: Secrets | None = None,
) -> executor.LocalExecutor:
    """Return the executor of plain tasks; `process_groups` is its share."""
    return executor.LocalExecutor(settings, process_groups, environments, unpack, clock, secrets)


def plug(parts: ExecutorParts) -> Plugged:
    """Return the executor of every task that is a command, where no other executor claims its type.

    Where tasks run elsewhere, it still takes back what ran here before.
    """
    settings = LocalSettings(
        data=parts.data, public_url=parts.public_url, cpus=parts.host_cpus, memory_bytes=parts.host_memory_bytes
    )
    share = parts.share_groups()
    made = build(settings, share, parts.environments, parts.unpack, parts.clock, parts.secrets)
    here = parts.settings.engine.backend == executor_parts.LOCAL
    if not here:
        return executor_parts.Plugged(made, ())
    types = (executor_parts.ANY_TYPE, *executor_parts.COMMAND_TYPES)
    return executor_parts.Plugged(made, types, look=looking.Look(share).now)
