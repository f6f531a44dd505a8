"""Flight records of Dask clusters: what happened in each, which outlives the cluster, its driver and the platform.

Written by the scheduler itself, a frame a second; read while the cluster lives and ever after.
"""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from dayfly.model.identifiers import AttemptKey

FILE_NAME = "cluster.record"
"""Beside the logs of the attempt."""


REPORTS = {"performance.html": "Dask performance report", "state.msgpack.gz": "Dask cluster dump"}
"""Dask's own reports, files beside the record, and the names of their links among an attempt's logs."""


def link_to(public_url: str, key: AttemptKey, name: str) -> str:
    """Return the address of one of Dask's own reports."""
    return f"{public_url}/api/dayfly/v1/clusters/{quote(key)}/reports/{name}"


NOT_NEEDED = "retired, no longer needed"
"""Cause of a worker's going whose number follows the work: Dask had moved its data to others."""

SCALED = "scale"
"""Kind of the events from which on other numbers of workers are `wanted`: by what their group's names begin with."""


class RecordedWorker(msgspec.Struct, frozen=True):
    """One worker, from its first sign of life to its last. Times are seconds since the epoch, memory is in MiB."""

    name: str
    first_seen: float
    last_seen: float
    gone_at: float | None = None
    """When the scheduler missed it; None where it was there at the end of the record."""
    expected: bool = False
    """It was asked to go."""
    cause: str = ""
    """Why it was asked to, where the platform did: `NOT_NEEDED`, or nothing."""
    processing: tuple[str, ...] = ()
    """Keys of tasks that it was given and had not finished when it went."""
    lost: tuple[str, ...] = ()
    """Keys of results that went with it and had to be computed again."""
    threads: int = 0
    memory_limit: int = 0
    """0 is no limit."""
    memory_peak: int = 0
    memory_last: int = 0
    spilled_peak: int = 0
    busy_seconds: float = 0.0
    """Time its threads computed, added up."""


class RecordedPrefix(msgspec.Struct, frozen=True):
    """All tasks of one name."""

    name: str
    done: int = 0
    erred: int = 0
    seconds: float = 0.0
    """Time they computed, added up."""


class RecordedRole(msgspec.Struct, frozen=True):
    """Driver or scheduler: most memory that it ever held, in MiB."""

    name: str
    memory_peak: int = 0
    memory_limit: int = 0
    """0 is no limit."""


class ClusterRecord(msgspec.Struct, frozen=True):
    """A record, summed up."""

    began_at: float = 0.0
    ended_at: float = 0.0
    """Time of the last frame."""
    workers: tuple[RecordedWorker, ...] = ()
    prefixes: tuple[RecordedPrefix, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    """Joins, ends, states, errors, oldest first: `t`, `kind`, `worker` and what the kind has."""
    events_dropped: int = 0
    memory_peak: int = 0
    """Most that all workers held at once, in MiB."""
    roles: tuple[RecordedRole, ...] = ()
    """Driver and scheduler, told when the cluster ends; none where the scheduler died before, or was too busy."""

    @property
    def busy_seconds(self) -> float:
        """Return the time that all workers' threads computed, added up. Prefixes count every task; of very many in one
        second not each is told of its worker."""
        told = sum(worker.busy_seconds for worker in self.workers)
        return max(told, sum(prefix.seconds for prefix in self.prefixes))

    @property
    def idle_share(self) -> float:
        """Return the share of their threads' time in which the workers computed nothing, 0 to 1."""
        had = sum((worker.last_seen - worker.first_seen) * worker.threads for worker in self.workers)
        return max(0.0, 1.0 - self.busy_seconds / had) if had > 0 else 0.0


class Records(Protocol):
    """Where records are read. An attempt without one has no frames."""

    async def frames(
        self,
        key: AttemptKey,
        *,
        since: float = 0.0,
        limit: int = 1000,
        every_seconds: float = 0.0,
        most_tasks: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return at most `limit` frames made after `since`, oldest first, names resolved; see the recorder's form.

        With `every_seconds` one stands for all of so long, with `most_tasks` each tells its longest tasks only.
        """
        ...

    async def reports(self, key: AttemptKey) -> dict[str, int]:
        """Return the size in bytes of each of Dask's own reports that there is, by its name in `REPORTS`."""
        ...

    async def report(self, key: AttemptKey, name: str) -> bytes | None:
        """Return one of Dask's own reports; None where there is none."""
        ...

    async def summary(self, key: AttemptKey) -> ClusterRecord | None:
        """Return the record summed up; None where there is none."""
        ...
