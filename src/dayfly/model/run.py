"""What changes while a workflow runs: small frozen structs, replaced, never mutated.

`engine.step` alone makes new ones; `controller.turn` alone stores them.
"""

from __future__ import annotations

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import (
    TERMINAL_ATTEMPT,
    TERMINAL_EXECUTION,
    AttemptPhase,
    ExecutionPhase,
    FailureKind,
    NodePhase,
)

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


class Reason(msgspec.Struct, frozen=True):
    """What the platform said of an attempt, and when."""

    at: Micros
    message: str


class LogLink(msgspec.Struct, frozen=True):
    """Where an attempt's log can be read."""

    name: str
    uri: str


class AttemptState(msgspec.Struct, frozen=True):
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


class NodeState(msgspec.Struct, frozen=True):
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


class RunOptions(msgspec.Struct, frozen=True):
    """What CreateExecution settled for this run."""

    max_parallelism: int = 25
    """Task nodes queued or running at once; 0 is no limit."""
    interruptible: bool | None = None
    system_retries: int = 3
    """System failures that are retried, per node, beside the user's attempts."""


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
    live: int = 0
    """Nodes that have a live attempt, counted so that nobody needs to look through all nodes."""
    waiting: tuple[NodeId, ...] = ()
    """Nodes whose upstreams have succeeded and that wait for room under `max_parallelism`, in registered order."""
    failure: Failure | None = None
    """The error the execution ends with, once it is known; the last one so far while other nodes may still run."""
    abort: Abort | None = None
    finishing: bool = False
    """All nodes are done and the outputs are being written."""
    outputs_written: bool = False
    recent: tuple[str, ...] = ()
    """The last events, for the story of an illegal move."""

    @property
    def ended(self) -> bool:
        """Say whether nothing can change any more."""
        return self.phase in TERMINAL_EXECUTION


def encode(state: RunState) -> bytes:
    """Return the state as bytes (msgpack)."""
    return msgspec.msgpack.encode(state)


def decode(raw: bytes) -> RunState:
    """Return the state that `encode` wrote."""
    return msgspec.msgpack.decode(raw, type=RunState)
