"""What has happened and is kept, as people look back on it: the events of executions, and all Dask clusters."""

from __future__ import annotations

from typing import Protocol

import msgspec

from dayfly.model.identifiers import ExecutionId
from dayfly.ports.runs import AttemptRow, UnreadEvent

CLUSTER_TASK_TYPE = "dask"
"""Each attempt of such a task has a cluster of its own."""


class WantedClusters(msgspec.Struct, frozen=True):
    """Which clusters are listed. Empty fields say nothing."""

    project: str = ""
    domain: str = ""
    execution: str = ""
    """Name of the execution; wants project and domain too."""
    live: bool | None = None
    """True for those whose attempt has not ended, False for all others."""
    task: str = ""
    """Name of the task, in whatever version."""


class ClusterList(msgspec.Struct, frozen=True):
    """Attempts that have or had a cluster, newest first."""

    attempts: list[AttemptRow]
    then: int = 0
    """Where the list goes on, 0 where it ends. A list may go on and be short, where few attempts have clusters."""


class History(Protocol):
    """What is kept. Raises `StoreUnavailable`."""

    async def list_events(self, execution: ExecutionId, *, after: int, limit: int) -> list[UnreadEvent]:
        """Return at most `limit` events with a larger sequence than `after`, oldest first. Raise `NotFound`."""
        ...

    async def list_clusters(self, wanted: WantedClusters, *, then: int, limit: int) -> ClusterList:
        """Return at most `limit` attempts; `then` is 0, or the one of the list before."""
        ...
