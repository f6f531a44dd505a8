"""Groups of pods in a Kubernetes cluster: one group is one attempt, be it a lone pod or a whole Dask cluster.

What `executors.kubernetes` offers to whoever needs pods: manifests of a task's containers, and groups of objects that
are made, watched, ended and proved to be gone together. What a pod's end means for the attempt, each executor says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from enum import Enum
from typing import Any, Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model import flyte_workflows
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.dashboards import Way
from dayfly.ports.executors import AttemptSpec

Manifest = dict[str, Any]
"""A Kubernetes object as plain JSON."""

PLATFORM = flyte_workflows.PLATFORM
"""Label: which platform made it, when several share a cluster."""

GROUP = "dayfly.dev/group"
"""Label: the objects of one attempt have the same."""

ROLE = "dayfly.dev/role"
"""Label: what the pod is to its group."""

TOLD_APART_BY = "dayfly.dev/told-apart-by"
"""Annotation of pods that are made from one template, so that their label is the same: the variable whose value's last
word, after a dash, is to follow it."""


class PodPhase(Enum):
    """How far a pod is, by its primary container."""

    QUEUED = "queued"
    """Not on a node yet."""
    INITIALIZING = "initializing"
    """On a node; images are pulled, volumes mounted, init containers run."""
    RUNNING = "running"
    EXITED = "exited"
    """The primary container has ended by itself, whatever its sidecars do."""
    LOST = "lost"
    """It ended by another's hand, or cannot begin: `code` and `message` say why."""


class PodSeen(msgspec.Struct, frozen=True):
    """One pod, as it was last seen."""

    name: str
    role: str
    """`driver`, `scheduler`, `worker-0`: what it is to its group."""
    uid: str
    """Another one of the same name has another."""
    phase: PodPhase
    reason: str = ""
    """For people, in Kubernetes' own words: what it waits for."""
    node: str = ""
    address: str = ""
    """Its IP; empty before it has one."""
    memory_limit_bytes: int = 0
    """Of its primary container; 0 is no limit."""
    restarts: int = 0
    """How often the kubelet has started its primary container again; the `last_...` tell of the end before."""
    last_exit_code: int = 0
    """Negative: the signal."""
    last_ended_at: float = 0.0
    """Seconds since the epoch."""
    last_out_of_memory: bool = False
    last_words: str = ""
    """What the primary container has left as the message of its end; where it runs again, of the end before."""
    exit_code: int | None = None
    signal: int | None = None
    ended_at: float = 0.0
    """When the primary container ended, in whole seconds since the epoch; 0 where it has not, or never was."""
    code: str = ""
    """LOST: `OOMKilled`, `Evicted`, `ImagePullBackOff`..."""
    message: str = ""
    users_fault: bool = False
    """LOST: whether the task's author is to change something."""
    recoverable: bool = True
    """LOST: whether another pod may fare better."""


class Maker(msgspec.Struct, frozen=True):
    """Somebody in the cluster who makes a group's pods once its first object is there: an operator."""

    name: str
    """For people: `the Dask operator`."""
    main: str
    """What it calls the main pod."""
    takes_up: str
    """Field of the first object's status that it sets as soon as it has seen it."""
    has_made: str
    """The same, once it has made the main pod."""
    kinds: tuple[str, ...]
    """Of all that it makes, in the order in which they are to be deleted: they carry the labels of the group."""
    pods: int
    """How many pods there are to be at the least: where there are fewer, it is told what keeps them."""
    absent: str
    """Code of a group that it does not take up."""
    remedy: str
    """What to do then."""


class PodGroupSpec(msgspec.Struct, frozen=True):
    """Everything of one attempt."""

    key: AttemptKey
    namespace: str
    objects: tuple[Manifest, ...]
    """Made side by side; all carry the labels that `PodGroups.manifests` gives. The first one owns the others: with it,
    Kubernetes itself removes them."""
    main: str
    """Role of the pod whose end is the group's: the first object, unless there is a `maker`."""
    remade: frozenset[str] = frozenset()
    """Roles whose pods are made anew when they are lost or deleted, for as long as the group lives."""
    later: frozenset[str] = frozenset()
    """Those of them whose pods are not made before `PodGroups.want` asks for them."""
    teller: str = ""
    """Role of a pod that tells of the others: when the main pod has ended, it ends before them, for their ends are no
    news."""
    teller_seconds: float = 5.0
    """What it may take to end, telling its last."""
    maker: Maker | None = None
    """Who makes the pods, where they are not among the objects."""
    followers: tuple[Manifest, ...] = ()
    """Objects that are made once the main pod is there, and owned by who owns that."""


class PodGroupReport(msgspec.Struct, frozen=True):
    """What is told of a group. Repeating one is harmless."""

    key: AttemptKey
    at: Micros
    pods: tuple[PodSeen, ...] = ()
    """Main role first. A pod that was deleted by somebody else stays among them as LOST, until it is made anew; where
    another makes them, a while longer, in front of the one that has taken its role."""
    waits_for: str = ""
    """Why its objects could not be made yet, in Kubernetes' own words: a quota, a rate limit."""
    ended: bool = False
    """The main pod has ended, and the others have been asked to; or the group was stopped. A report like this comes at
    least once, when the logs of the main pod and of the teller are complete."""
    stopped: bool = False
    """It ended because it was asked to, and nothing of it is left."""
    log_tail: str = ""
    """Of an ended group: the last lines of the main pod's log."""


class LineTaker(Protocol):
    """Is shown the lines of pods' primary containers while they are brought home, before their logs keep them."""

    def __call__(self, key: AttemptKey, role: str, line: bytes, at: Micros) -> bytes | None:
        """Return what the log keeps of a line that was written `at` this moment, None for nothing.

        Lines of one role come in their order; after a restart of the platform the last ones may come again.
        """
        ...


class PodGroups(Protocol):
    """The cluster's groups of this platform. Raises `ExecutorUnavailable`."""

    def pod_name(self, spec: AttemptSpec, role: str) -> str:
        """Return what the pod of this role is called."""
        ...

    async def look(self) -> str:
        """Return what cluster it is: `Kubernetes v1.20.2`. Raise `ExecutorAway` where its pods cannot be watched."""
        ...

    async def serves(self, kind: str) -> bool:
        """Say whether the cluster knows objects of this kind."""
        ...

    async def lacking(self, spec: PodGroupSpec) -> list[str]:
        """Name what the platform's account may not do that such a group needs, and one of pods and Services alone does
        not: `create and list daskjobs`."""
        ...

    async def manifests(self, by_role: Mapping[str, AttemptSpec]) -> dict[str, Manifest]:
        """Return the pods of one attempt as Kubernetes is asked for them: for each role, what it runs.

        Raise `InvalidArgument` (code `BadTaskSpecification`) for a template that is not there or cannot be laid
        together.
        """
        ...

    async def start(self, spec: PodGroupSpec) -> bytes:
        """Make the group's objects, or find them made; return the handle by which a later platform finds it.

        Objects that a quota or a rate limit forbids for now are tried again; the group's reports say so. Raise
        `InvalidArgument` for what Kubernetes refuses for good.
        """
        ...

    async def recover(self, key: AttemptKey, handle: bytes) -> PodGroupReport | None:
        """Say how a group is that an earlier platform made, and watch it; None if nothing is there."""
        ...

    def watch(self) -> AsyncIterator[PodGroupReport]:
        """Yield what happens to the groups of this caller."""
        ...

    def listen(self, taker: LineTaker) -> None:
        """Show it all lines from now on. Call it before groups are made or taken back."""
        ...

    async def want(self, key: AttemptKey, roles: frozenset[str]) -> None:
        """Have the pods of these roles, and none of others that are `remade`: from now on, whatever becomes of them.

        What goes because it is not wanted is reported no longer. Returns at once; unknown is fine.
        """
        ...

    async def stop(self, key: AttemptKey, *, grace_seconds: float) -> None:
        """Delete the group's objects, pods with this grace; a report with `stopped` follows."""
        ...

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Store what logs there still are, then delete whatever is left, which without a handle the labels of the
        attempt tell. Unknown is fine."""
        ...

    async def list_kept(self) -> list[AttemptKey]:
        """Return the attempts of which there are pods that an earlier platform has had made."""
        ...

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        """Name every object that is left of the group; without a handle, all that carries the labels of the attempt."""
        ...

    async def find_way(self, key: AttemptKey, address: str, *, anew: bool = False) -> Way | None:
        """Return the way to `host:port` of one of the group's pods over the cluster's API; see `dashboards.Ways`."""
        ...

    async def close(self) -> None:
        """Let go: pods go on, and a later platform takes them back. `watch` finishes."""
        ...
