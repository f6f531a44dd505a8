"""What happened: past tense, frozen, complete.

Services and `controller.observing` append them; `engine.step` reads them.
"""

from __future__ import annotations

from typing import TypeAlias, Union

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import ROOT, ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase, CacheStatus, ExecutionPhase, FailureKind
from dayfly.model.run import LogLink, RunOptions


class Launched(msgspec.Struct, frozen=True, tag=True):
    """A client created the execution; its inputs are stored."""

    at: Micros
    options: RunOptions


class AbortRequested(msgspec.Struct, frozen=True, tag=True):
    """A client asked to end the execution."""

    at: Micros
    cause: str
    principal: str = ""


class AttemptProgressed(msgspec.Struct, frozen=True, tag=True):
    """The executor says how a live attempt is doing. Empty fields say nothing new."""

    at: Micros
    node: NodeId
    attempt: int
    phase: AttemptPhase
    """QUEUED, WAITING_FOR_RESOURCES, INITIALIZING or RUNNING."""
    reason: str = ""
    logs: tuple[LogLink, ...] = ()
    custom_info: bytes = b""


class AttemptSucceeded(msgspec.Struct, frozen=True, tag=True):
    """The attempt ended and its outputs are stored and checked."""

    at: Micros
    node: NodeId
    attempt: int
    has_deck: bool = False
    grows: bool = False
    """It left further nodes instead of outputs: a dynamic task."""


class AttemptFailed(msgspec.Struct, frozen=True, tag=True):
    """The attempt ended without outputs, by itself. `recoverable` says whether a retry may help."""

    at: Micros
    node: NodeId
    attempt: int
    kind: FailureKind
    code: str
    message: str
    recoverable: bool
    has_deck: bool = False


class AttemptStopped(msgspec.Struct, frozen=True, tag=True):
    """The attempt ended because it was told to; nothing of it is left."""

    at: Micros
    node: NodeId
    attempt: int
    told: str = ""
    """What it was at then, for one that took too long; in words."""


class InputsPrepared(msgspec.Struct, frozen=True, tag=True):
    """The inputs of a sub-workflow's node are stored, for its own nodes to begin with."""

    at: Micros
    node: NodeId


class BranchChosen(msgspec.Struct, frozen=True, tag=True):
    """A conditional was worked out."""

    at: Micros
    node: NodeId
    case: int
    """The place among the plan node's cases."""


class ArrayMeasured(msgspec.Struct, frozen=True, tag=True):
    """The inputs of an array are stored, and this is how many elements they make."""

    at: Micros
    node: NodeId
    size: int


class GateOpened(msgspec.Struct, frozen=True, tag=True):
    """The signal that a gate waits for can be set from now on."""

    at: Micros
    node: NodeId


class ChildLaunched(msgspec.Struct, frozen=True, tag=True):
    """The execution of a launch plan's node exists."""

    at: Micros
    node: NodeId
    child: ExecutionId


class ChildEnded(msgspec.Struct, frozen=True, tag=True):
    """The execution of a launch plan's node came to its end. It may be told before `ChildLaunched`."""

    at: Micros
    node: NodeId
    phase: ExecutionPhase
    kind: FailureKind = FailureKind.UNKNOWN
    code: str = ""
    message: str = ""
    child: ExecutionId | None = None
    where: str = ""
    """The way to what failed in it, as people read it."""


class NodeFailed(msgspec.Struct, frozen=True, tag=True):
    """What the platform was to do for a node cannot be done, now or later."""

    at: Micros
    node: NodeId
    kind: FailureKind
    code: str
    message: str


class Grown(msgspec.Struct, frozen=True, tag=True):
    """What a dynamic task left was compiled; `digest` names the plan that came of it."""

    at: Micros
    node: NodeId
    attempt: int
    digest: str


class CacheHit(msgspec.Struct, frozen=True, tag=True):
    """The node's result was there already, and is stored as its outputs."""

    at: Micros
    node: NodeId
    catalog: bytes = b""
    """A serialized `flyteidl.core.CatalogMetadata`."""


class CacheMissed(msgspec.Struct, frozen=True, tag=True):
    """The node's result is not there; where that matters, making it is this node's right."""

    at: Micros
    node: NodeId
    status: CacheStatus = CacheStatus.MISS
    catalog: bytes = b""


class CacheBusy(msgspec.Struct, frozen=True, tag=True):
    """Another node makes the same result just now."""

    at: Micros
    node: NodeId
    look: int
    """Which of the node's looks this answers."""


class CacheFilled(msgspec.Struct, frozen=True, tag=True):
    """The node's result was kept, or could not be, as `status` says."""

    at: Micros
    node: NodeId
    status: CacheStatus = CacheStatus.POPULATED
    catalog: bytes = b""


class NodeRecovered(msgspec.Struct, frozen=True, tag=True):
    """The node had succeeded in the execution that is recovered; inputs and outputs are stored as its own."""

    at: Micros
    node: NodeId
    has_deck: bool = False


class NothingRecovered(msgspec.Struct, frozen=True, tag=True):
    """The node had not succeeded there: it runs."""

    at: Micros
    node: NodeId
    checkpoints: str = ""
    """Where its last attempt there had put checkpoints."""
    grew: int | None = None
    """The attempt under which what its dynamic task had left is stored as its own; None where it left nothing."""


class OutputsWritten(msgspec.Struct, frozen=True, tag=True):
    """The outputs of the execution, or of a node that is no task, are stored."""

    at: Micros
    node: NodeId = ROOT
    round: int = 0


class OutputsRejected(msgspec.Struct, frozen=True, tag=True):
    """The outputs of the execution, or of a node that is no task, cannot be put together."""

    at: Micros
    kind: FailureKind
    code: str
    message: str
    node: NodeId = ROOT
    round: int = 0


class TimerFired(msgspec.Struct, frozen=True, tag=True):
    """A timer that the engine set came due."""

    at: Micros
    timer: str


class SignalSet(msgspec.Struct, frozen=True, tag=True):
    """Somebody gave a value to a signal that gates may wait for; it is stored."""

    at: Micros
    signal_id: str


Event: TypeAlias = Union[
    Launched,
    AbortRequested,
    AttemptProgressed,
    AttemptSucceeded,
    AttemptFailed,
    AttemptStopped,
    InputsPrepared,
    BranchChosen,
    ArrayMeasured,
    GateOpened,
    ChildLaunched,
    ChildEnded,
    NodeFailed,
    Grown,
    CacheHit,
    CacheMissed,
    CacheBusy,
    CacheFilled,
    NodeRecovered,
    NothingRecovered,
    OutputsWritten,
    OutputsRejected,
    TimerFired,
    SignalSet,
]

_DECODER: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode(event: Event) -> bytes:
    """Return the event as bytes (msgpack)."""
    return msgspec.msgpack.encode(event)


def decode(raw: bytes) -> Event:
    """Return the event that `encode` wrote."""
    return _DECODER.decode(raw)
