"""Ephemeral Dask clusters: one cluster is one attempt, made with the driver that uses it and gone when that ends.

What `executors.dask` needs from each kind of cluster, be it forked processes, a DaskJob resource, pods, or any class of
`distributed.deploy`. A provider makes, watches, ends and proves; what an end means, `executors.dask` says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum
from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import AttemptKey
from dayfly.model.run import LogLink
from dayfly.ports.executors import AttemptSpec


class RoleResources(msgspec.Struct, frozen=True):
    """What one process or pod may take. A request equals the limit where the user gave only one; 0 is not said."""

    cpu_request: float = 0.0
    """Cores."""
    cpu_limit: float = 0.0
    memory_request_bytes: int = 0
    memory_limit_bytes: int = 0
    gpus: int = 0


class SchedulerSpec(msgspec.Struct, frozen=True):
    """The scheduler."""

    image: str = ""
    resources: RoleResources = RoleResources()


class WorkerGroup(msgspec.Struct, frozen=True):
    """Some workers alike."""

    name: str
    """`default` for the one group that a Flyte task has; part of the workers' names for others."""
    count: int
    """How many there are at the beginning, each with `processes` processes that Dask counts as workers."""
    image: str = ""
    threads: int = 0
    """`--nthreads`, of each process: the CPU limit rounded up; 0 is not said, and the provider chooses."""
    memory_limit_bytes: int = 0
    """`--memory-limit`, of each process, at which Dask spills and pauses; 0 is not said, and the provider chooses."""
    resources: RoleResources = RoleResources()
    interruptible: bool = False
    """Whether these workers may run on machines that can be taken away."""
    processes: int = 1
    """`--nworkers`: they share what `resources` gives."""
    env: dict[str, str] = {}
    """Laid over the driver's environment."""
    command: tuple[str, ...] = ()
    """What starts a worker, given the scheduler's address and the options of `dask worker`; empty is that itself."""
    preload: tuple[str, ...] = ()
    """`--preload`, each."""
    nanny: bool | None = None
    """None is not said, and the provider chooses."""
    minimum: int = 0
    maximum: int = 0
    """Bounds within which the number of workers follows the work; a maximum of 0 is none, and the number is fixed."""

    @property
    def most(self) -> int:
        """Return how many workers there may be at once."""
        return max(self.count, self.maximum)


class ClusterSpec(msgspec.Struct, frozen=True):
    """One cluster, whole."""

    key: AttemptKey
    name: str
    """DNS-safe, at most 50 characters; names whatever is made."""
    driver: AttemptSpec
    """What uses the cluster. The provider adds DASK_SCHEDULER_ADDRESS to its environment."""
    scheduler: SchedulerSpec
    groups: tuple[WorkerGroup, ...]
    quorum: int
    """The driver is started when so many workers are there."""
    startup_timeout_seconds: float = 60.0
    """From the moment there is room until the quorum; then the cluster ends with STARTUP_TIMEOUT."""
    restart_limit: int = 0
    """Workers made anew in all, before the cluster ends with RESTARTS_EXHAUSTED; 0 is no limit."""
    notes: tuple[str, ...] = ()
    """How the cluster differs from what was asked for, for its logs."""
    idle_timeout_seconds: float = 0.0
    """Without work for so long, scheduler and workers end, and the driver goes on alone; 0 is never."""
    reuse_seconds: float = 0.0
    """How long a fresh cluster may stand by, once the driver has ended, for another that asks for the same; 0 is not at
    all."""

    @property
    def worker_count(self) -> int:
        """Return how many workers, as Dask counts them, are wanted in all at the beginning."""
        return sum(group.count * group.processes for group in self.groups)


class ClusterState(Enum):
    """How far a cluster is."""

    QUEUED = "queued"
    """Waiting for room."""
    STARTING = "starting"
    """Being made: there is no quorum yet."""
    READY = "ready"
    """The quorum is there and the driver has been started."""
    ENDED = "ended"


class ClusterEnd(Enum):
    """Why a cluster ended. Whatever the reason, nothing of it runs any more when it is told."""

    DRIVER_EXITED = "driver_exited"
    """By itself; `exit_code` or `signal` say how."""
    DRIVER_OUT_OF_MEMORY = "driver_out_of_memory"
    SCHEDULER_LOST = "scheduler_lost"
    """With it went all that the cluster knew: only a new attempt helps."""
    STARTUP_TIMEOUT = "startup_timeout"
    RESTARTS_EXHAUSTED = "restarts_exhausted"
    """The workers died again and again."""
    STOPPED = "stopped"
    """As it was asked to."""
    INTERRUPTED = "interrupted"
    """The platform was told to end."""
    LOST = "lost"
    """It vanished, or nobody watched over it for longer than its lease."""
    PART_LOST = "part_lost"
    """A part of it that it cannot do without cannot begin, or was ended by another's hand; `fault` says more."""


class Progress(msgspec.Struct, frozen=True):
    """What the scheduler counts, over the life of the cluster."""

    workers: int = 0
    wanted: int = 0
    tasks_total: int = 0
    tasks_done: int = 0
    tasks_processing: int = 0
    memory_bytes: int = 0
    """What the workers hold now, all together."""


class Death(msgspec.Struct, frozen=True):
    """The end of one process of a cluster that nobody asked for."""

    role: str
    """`scheduler`, `worker-0`."""
    at: float
    """Seconds since the epoch."""
    exit_code: int = 0
    """Negative: the signal."""
    restarts: int = 0
    """How often the role had been made anew before."""
    over_limit_bytes: int = 0
    """What it held when it was killed for its memory; 0 if it was not."""
    limit_bytes: int = 0
    peak_bytes: int = 0
    told: str = ""
    """The same in words."""
    cause: str = ""
    """Where it ended by another's hand, as the place where it runs says: it was evicted, its node does not answer."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a part of a cluster, as the place where it runs says."""

    code: str
    """`ImagePullBackOff`, `Evicted`..."""
    users: bool = False
    """Whether the task's author is to change something."""
    recoverable: bool = True


class ClusterReport(msgspec.Struct, frozen=True):
    """What is told of a cluster. Repeating one is harmless."""

    key: AttemptKey
    at: Micros
    state: ClusterState
    reason: str = ""
    """For people: what it waits for, which worker died of what."""
    scheduler_address: str = ""
    dashboard_address: str = ""
    """`host:port` of the scheduler's HTTP server, serving `ports.dashboards.prefix_of(key)`; empty: none does."""
    progress: Progress = Progress()
    logs: tuple[LogLink, ...] = ()
    """Driver first, then scheduler and workers."""
    end: ClusterEnd | None = None
    """Set when ENDED, and only then."""
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""
    """Ends other than DRIVER_EXITED and STOPPED: what happened, in words."""
    log_tail: str = ""
    """Ends: the last lines of the log of the role whose end it was."""
    worker_log_tail: str = ""
    """Ends: the last lines of the log of the worker that died last; empty if none did."""
    fault: Fault | None = None
    """Set for PART_LOST, and only then."""
    deaths: tuple[Death, ...] = ()
    """Ends of workers and scheduler that nobody asked for, the last ones, oldest first."""
    more_room: str = "Free space in the platform's data folder"
    """What to do where workers have no room to spill to."""
    stood_by: bool = False
    """It had been made, for whoever asks for it, before this attempt did."""


class ClusterProvider(Protocol):
    """Makes clusters of one kind. Every verb may be repeated. Raises `ExecutorUnavailable`."""

    async def make(self, spec: ClusterSpec) -> bytes:
        """Make the cluster and its driver, or find it made or ended by its key; return the handle, which outlives the
        platform. Raise `InvalidArgument` for a spec that this kind cannot make."""
        ...

    async def recover(self, key: AttemptKey, handle: bytes) -> ClusterReport | None:
        """Say how a cluster is that an earlier platform made, and watch it; None if nothing is known of it."""
        ...

    def watch(self) -> AsyncIterator[ClusterReport]:
        """Yield reports of all clusters made or recovered here; READY when it is, the end at least once."""
        ...

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """Ask the driver to end (SIGTERM), end everything after the grace. Returns at once; ENDED, STOPPED follows."""
        ...

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Drop what is kept of an ended cluster, logs apart. Unknown is fine."""
        ...

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        """Look for what is left of the cluster and name it: processes, ports, files, resources. Empty when clean; never
        empty while it runs, also for who has no handle."""
        ...

    async def close(self, *, grace_seconds: float) -> None:
        """End all clusters within the grace, as INTERRUPTED; `watch` yields these ends and finishes."""
        ...
