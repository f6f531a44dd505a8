"""What changes while a workflow runs: small frozen structs, replaced, never mutated.

`engine.step` alone makes new ones; `controller.turn` alone stores them.
"""

from __future__ import annotations

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import ROOT, ExecutionId, NodeId
from dayfly.model.phases import (
    TERMINAL_ATTEMPT,
    TERMINAL_EXECUTION,
    TERMINAL_NODE,
    AttemptPhase,
    CacheStatus,
    ExecutionPhase,
    FailureKind,
    NodePhase,
    ScopePhase,
)
from dayfly.model.plan import NodeKind

RECENT_EVENTS = 12
"""Events kept as the story of an execution."""


class Failure(msgspec.Struct, frozen=True):
    """Why something failed."""

    kind: FailureKind
    code: str
    message: str
    at: Micros
    node: NodeId | None = None
    """The node whose failure this is, where it is passed on."""
    where: str = ""
    """The way to it, as people read it. Of an execution that has ended: the whole; before that what clients know no
    node of, such as an array's element."""


class Reason(msgspec.Struct, frozen=True):
    """What the platform said of an attempt, and when."""

    at: Micros
    message: str


class LogLink(msgspec.Struct, frozen=True):
    """Where an attempt's log can be read."""

    name: str
    uri: str


class AttemptState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt of one node."""

    number: int
    """0-based; the retry_attempt that clients see."""
    phase: AttemptPhase
    queued_at: Micros
    interruptible: bool = False
    started_at: Micros | None = None
    """When it was first seen RUNNING."""
    ended_at: Micros | None = None
    updated_at: Micros = Micros(0)
    failure: Failure | None = None
    reasons: tuple[Reason, ...] = ()
    logs: tuple[LogLink, ...] = ()
    custom_info: bytes = b""
    """A serialized google.protobuf.Struct, as clients read it; for Dask: workers and tasks done."""
    stopping: Failure | None = None
    """Why it was asked to stop; None while it may go on. Its end then counts as this failure, whatever it is; only an
    attempt stopped for a timeout may still succeed."""
    updates: int = 0
    """Progress reports taken; the phase_version that clients see."""

    @property
    def live(self) -> bool:
        """Say whether the world may still hold something of it."""
        return self.phase not in TERMINAL_ATTEMPT


class ScopeState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What runs inside the execution itself, a sub-workflow or a dynamic node."""

    phase: ScopePhase = ScopePhase.CLOSED
    round: int = 0
    """Which time it is run: part of its children's names, and the number of the folder its outputs lie in."""
    grown: str = ""
    """Of a dynamic node: the digest of the plan it grew."""
    cursor: int = 0
    """How many of the graph's roots that take a place have been started."""
    ready: tuple[NodeId, ...] = ()
    """Other nodes whose upstreams have succeeded and that wait for room, in registered order, by their plan's ids."""
    live: int = 0
    """Children that have started and not ended."""
    succeeded: int = 0
    failure: Failure | None = None
    """The error it ends with, once it is known; the last one so far while other children may still run."""


class ArrayState(msgspec.Struct, frozen=True, omit_defaults=True):
    """An array's elements, counted: those that are live have a node's state of their own, the others none."""

    size: int
    required: int
    """How many must succeed."""
    cursor: int = 0
    """How many have been started."""
    live: int = 0
    succeeded: int = 0
    failed: int = 0
    failure: Failure | None = None
    """Of the first element that failed."""
    failing: bool = False
    """Too many failed: the rest are being stopped."""


class NodeState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One node. A node that has not started has no state at all."""

    phase: NodePhase
    queued_at: Micros
    started_at: Micros | None = None
    ended_at: Micros | None = None
    updated_at: Micros = Micros(0)
    attempts: tuple[AttemptState, ...] = ()
    user_failures: int = 0
    system_failures: int = 0
    failure: Failure | None = None
    has_deck: bool = False
    spec_id: NodeId = ROOT
    """Its name in the compiled workflow."""
    parent: NodeId = ROOT
    kind: NodeKind = NodeKind.TASK
    inner: ScopeState | None = None
    """What runs inside a sub-workflow or a dynamic node, once it was opened."""
    array: ArrayState | None = None
    """Of an array, once it was measured."""
    chosen: int | None = None
    """Of a branch: the case it took."""
    child: ExecutionId | None = None
    """Of a launch plan: the execution it launched."""
    stopping: Failure | None = None
    """Why a node that is no task's attempt was asked to stop."""
    watched: bool = False
    """A timer for the whole node is set."""
    writing: bool = False
    """Its outputs are being put together."""
    cache: CacheStatus = CacheStatus.DISABLED
    looks: int = 0
    """How often the cache was asked."""
    busy: int = 0
    """How often another node was making the same result."""
    waits: int = 0
    """How often it was put off until it looks into the cache again."""
    catalog: bytes = b""
    """A serialized `flyteidl.core.CatalogMetadata`: where a cached result came from or went to."""
    dynamic: bool = False
    """Its task made further nodes."""
    recovering: bool = False
    """It waits to be told what it had come to in the execution that is recovered; nothing else was begun for it."""
    recovered_from: str = ""
    """Where the checkpoints of the execution that is recovered lie, for the first attempt."""

    @property
    def ended(self) -> bool:
        """Say whether nothing can change any more."""
        return self.phase in TERMINAL_NODE

    @property
    def round(self) -> int:
        """Return the number of the folder its outputs lie in: the last attempt's or round's."""
        if self.attempts:
            return self.attempts[-1].number
        return self.inner.round if self.inner is not None else 0

    @property
    def takes_place(self) -> bool:
        """Say whether it counts under `max_parallelism` now.

        A dynamic task that has ended does not, nor a node that waits until another has made the result it wants.
        """
        if self.ended or self.waits_for_cache:
            return False
        return self.kind in _PLACED and self.phase is not NodePhase.DYNAMIC_RUNNING

    @property
    def waits_for_cache(self) -> bool:
        """Say whether it waits to look into the cache again, while another node makes the same result."""
        return 0 < self.looks == self.busy and not self.attempts and not self.ended


_PLACED = (NodeKind.TASK, NodeKind.LAUNCH_PLAN, NodeKind.ARRAY)


class RunOptions(msgspec.Struct, frozen=True):
    """What CreateExecution settled for this run."""

    max_parallelism: int = 25
    """Task nodes queued or running at once; 0 is no limit."""
    interruptible: bool | None = None
    system_retries: int = 3
    """System failures that are retried, per node, beside the user's attempts."""
    overwrite_cache: bool = False
    """Make every cached result anew."""
    recovers: bool = False
    """Take over what succeeded in the execution that this one recovers."""
    elements_at_once: int = 100
    """Elements of one array that are live at a time, where the array says nothing itself."""


class Abort(msgspec.Struct, frozen=True):
    """Who ended the execution, and why."""

    cause: str
    principal: str
    at: Micros


class RunState(msgspec.Struct, frozen=True):
    """One execution, whole."""

    phase: ExecutionPhase = ExecutionPhase.UNDEFINED
    options: RunOptions = RunOptions()
    launched_at: Micros | None = None
    started_at: Micros | None = None
    ended_at: Micros | None = None
    updated_at: Micros = Micros(0)
    nodes: dict[NodeId, NodeState] = {}
    """By unique id: those of the workflow itself and those inside others, side by side."""
    root: ScopeState = ScopeState()
    """What runs in the workflow itself."""
    live: int = 0
    """Nodes that count under `max_parallelism` now, kept so that nobody needs to look through all nodes."""
    queue: tuple[NodeId, ...] = ()
    """Whose children wait for room, first come, first served: `ROOT` or the nodes they are inside of."""
    signals: tuple[str, ...] = ()
    """Signals that have a value."""
    failure: Failure | None = None
    """The error the execution ends with, once it is known; the last one so far while other nodes may still run."""
    abort: Abort | None = None
    recent: tuple[str, ...] = ()
    """The last events, for the story of an illegal move."""

    @property
    def ended(self) -> bool:
        """Say whether nothing can change any more."""
        return self.phase in TERMINAL_EXECUTION

    @property
    def grown(self) -> set[str]:
        """Return the digests of the plans that dynamic nodes grew."""
        return {state.inner.grown for state in self.nodes.values() if state.inner is not None and state.inner.grown}

    def scope(self, owner: NodeId) -> ScopeState | None:
        """Return what runs inside `owner`, None where nothing was opened."""
        if owner == ROOT:
            return self.root
        found = self.nodes.get(owner)
        return None if found is None else found.inner


def encode(state: RunState) -> bytes:
    """Return the state as bytes (msgpack)."""
    return msgspec.msgpack.encode(state)


def decode(raw: bytes) -> RunState:
    """Return the state that `encode` wrote."""
    return msgspec.msgpack.decode(raw, type=RunState)
