"""What shall be done: imperative, frozen, each with a key that names what it makes, so that doing it twice is harmless.

`engine.step` gives them, the run's commit stores them, `controller.performing` carries them out. Timer commands are
carried out by the commit itself: a timer is a row.
"""

from __future__ import annotations

from typing import TypeAlias, Union

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import NodeId


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


class WriteOutputs(msgspec.Struct, frozen=True, tag=True):
    """Resolve the end node's bindings and store the execution's outputs."""

    @property
    def key(self) -> str:
        """Return the key, unique in its execution."""
        return "outputs"


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


Command: TypeAlias = Union[StartAttempt, StopAttempt, WriteOutputs, SetTimer, CancelTimer]

_DECODER: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)


def encode(command: Command) -> bytes:
    """Return the command as bytes (msgpack)."""
    return msgspec.msgpack.encode(command)


def decode(raw: bytes) -> Command:
    """Return the command that `encode` wrote."""
    return _DECODER.decode(raw)
