"""What happened: past tense, frozen, complete.

Services and `controller.observing` append them; `engine.step` reads them.
"""

from __future__ import annotations

from typing import TypeAlias, Union

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import AttemptPhase, FailureKind
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


class AttemptFailed(msgspec.Struct, frozen=True, tag=True):
    """The attempt ended without outputs, by itself. `recoverable` says whether a retry may help."""

    at: Micros
    node: NodeId
    attempt: int
    kind: FailureKind
    code: str
    message: str
    recoverable: bool


class AttemptStopped(msgspec.Struct, frozen=True, tag=True):
    """The attempt ended because it was told to; nothing of it is left."""

    at: Micros
    node: NodeId
    attempt: int


class OutputsWritten(msgspec.Struct, frozen=True, tag=True):
    """The execution's outputs are stored."""

    at: Micros


class OutputsRejected(msgspec.Struct, frozen=True, tag=True):
    """The execution's outputs cannot be put together."""

    at: Micros
    kind: FailureKind
    code: str
    message: str


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
