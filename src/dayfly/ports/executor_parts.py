"""What an executor may be made of. Every executor, ours included, is an entry point of the group `dayfly.executors`.

Each entry point names a function `plug(parts) -> Plugged | None`, which `assembly` calls once; None is an executor that
the settings leave out. A package installed beside Dayfly so adds task types without a change here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.base.settings import Settings
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.dashboards import Ways
    from dayfly.ports.environments import Environments
    from dayfly.ports.executors import Executor
    from dayfly.ports.pod_groups import PodGroups
    from dayfly.ports.process_groups import ProcessGroups
    from dayfly.ports.secrets import Secrets

GROUP = "dayfly.executors"

ANY_TYPE = "*"
"""The task type of the executor that takes whatever no other claims."""


COMMAND_TYPES = (
    "python-task",
    "container",
    "raw-container",
    "sidecar",
    "container_array",
    "dynamic-task",
    "eager_failure_handler_task",
    "sqlite",
    "sqlalchemy",
)
"""Types that are commands, so that no connector need be asked whether it knows them."""

LOCAL, KUBERNETES = "local", "kubernetes"
"""Backends: where commands and Dask clusters run."""


@dataclass(frozen=True)
class ExecutorParts:
    """What `assembly` offers."""

    settings: Settings
    data: Path
    """The platform's data folder; logs belong below `logs/<attempt key>/`."""
    clock: Clock
    blobs: Blobs
    environments: Environments
    share_groups: Callable[[], ProcessGroups]
    """Returns this host's process groups, as one executor sees them: its own only."""
    share_pods: Callable[[], PodGroups]
    """The same for groups of pods. Raises `FailedPrecondition` where the extra for Kubernetes is not installed."""
    host_cpus: float
    """Cores that tasks on this host may take."""
    host_memory_bytes: int
    unpack: Callable[[str], Awaitable[str]]
    """Unpacks fast-registered code, once per address; returns the local folder."""
    public_url: str
    """What links begin with."""
    log_uri: Callable[[AttemptKey, str], str]
    """Where the log of one role can be read."""
    secrets: Secrets


class Condition(NamedTuple):
    """How it is with what an executor runs tasks on."""

    state: Literal["well", "warning", "failing"]
    told: str
    """What was seen, in words."""
    remedy: str = ""
    """What to do about it; empty where it is well."""


@dataclass(frozen=True)
class Plugged:
    """An executor, and which task types are its own."""

    executor: Executor
    task_types: tuple[str, ...]
    claims: Callable[[str], Awaitable[bool]] | None = None
    """Says whether it takes a type that is nobody's own; asked where nobody names the type."""
    ways: Ways | None = None
    """To dashboards of its attempts, where their own addresses may be out of reach."""
    look: Callable[[], Awaitable[Condition]] | None = None
    """Looks now how it is with what tasks run on. Raises `DayflyError` where that does not answer."""
