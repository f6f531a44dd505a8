"""What shall be done: imperative, frozen, each with a key that names what it makes, so that doing it twice is harmless.

`engine.step` gives them, the run's commit stores them, `controller.performing` carries them out. Timer commands are
carried out by the commit itself: a timer is a row.
"""

from __future__ import annotations

from typing import TypeAlias, Union

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import ROOT, NodeId


class StartAttempt(msgspec.Struct, frozen=True, tag=True):
    """Resolve the node's inputs (once per node), then start this attempt."""

    node: NodeId
    attempt: int
    interruptible: bool = False
    out_of_memory: int = 0
    """How many attempts of the node ran out of memory before: it may ask for more."""

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"start/{self.node}/{self.attempt}"


class StopAttempt(msgspec.Struct, frozen=True, tag=True):
    """End this attempt: SIGTERM, grace, SIGKILL, or whatever its executor knows."""

    node: NodeId
    attempt: int
    why: str = ""

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"stop/{self.node}/{self.attempt}"


class PrepareNode(msgspec.Struct, frozen=True, tag=True):
    """Resolve and store the node's inputs, and what else its kind begins with: choose the branch, launch the child,
    measure the array, open the gate."""

    node: NodeId

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"prepare/{self.node}"


class StopChild(msgspec.Struct, frozen=True, tag=True):
    """End the execution that a launch plan's node made or is about to make."""

    node: NodeId
    why: str = ""

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"stop-child/{self.node}"


class Grow(msgspec.Struct, frozen=True, tag=True):
    """Compile what this attempt of a dynamic task left."""

    node: NodeId
    attempt: int

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"grow/{self.node}/{self.attempt}"


class LookUpCache(msgspec.Struct, frozen=True, tag=True):
    """Find the node's result in the cache, or the right to make it."""

    node: NodeId
    look: int = 0

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"look/{self.node}/{self.look}"


class FillCache(msgspec.Struct, frozen=True, tag=True):
    """Keep the node's result in the cache, and give up the right to make it."""

    node: NodeId

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"fill/{self.node}"


class LeaveCache(msgspec.Struct, frozen=True, tag=True):
    """Give up the right to make the result: the node ended without one."""

    node: NodeId

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"leave/{self.node}"


class RecoverNode(msgspec.Struct, frozen=True, tag=True):
    """Take over what the node came to in the execution that is recovered."""

    node: NodeId

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"recover/{self.node}"


class WriteOutputs(msgspec.Struct, frozen=True, tag=True):
    """Put together and store the outputs of the execution, or of a node that is no task."""

    node: NodeId = ROOT
    round: int = 0

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"outputs/{self.node}/{self.round}" if self.node else "outputs"


class SetTimer(msgspec.Struct, frozen=True, tag=True):
    """Let `TimerFired(timer)` happen at `due_at`."""

    timer: str
    due_at: Micros

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"timer/{self.timer}"


class CancelTimer(msgspec.Struct, frozen=True, tag=True):
    """Forget the timer, if it has not fired."""

    timer: str

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return f"cancel/{self.timer}"


Command: TypeAlias = Union[
    StartAttempt,
    StopAttempt,
    PrepareNode,
    StopChild,
    Grow,
    LookUpCache,
    FillCache,
    LeaveCache,
    RecoverNode,
    WriteOutputs,
    SetTimer,
    CancelTimer,
]

_DECODER: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)


def encode(command: Command) -> bytes:
    """Return the command as bytes (msgpack)."""
    return msgspec.msgpack.encode(command)


def decode(raw: bytes) -> Command:
    """Return the command that `encode` wrote."""
    return _DECODER.decode(raw)
