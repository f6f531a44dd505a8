"""Logs of attempts, as ranges of bytes: whoever reads one never holds the whole of it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import AttemptKey


class LogFile(msgspec.Struct, frozen=True):
    """The log of one process of an attempt."""

    role: str
    """`driver`, `scheduler`, `worker-0`."""
    size_bytes: int
    changed_at: Micros
    """When something was written last."""


class Mark(msgspec.Struct, frozen=True):
    """A look at a growing log: at that moment it had so many bytes."""

    at: Micros
    size_bytes: int


class Piece(msgspec.Struct, frozen=True):
    """A range of a log."""

    start: int
    """Offset of its first byte: beyond what was asked for where the log was too long and its middle is left out."""
    data: bytes
    size_bytes: int
    """Of the whole log, when it was read."""
    marks: tuple[Mark, ...] = ()
    """The looks that say when the range was written, oldest first: the last one before it to the first one behind it;
    none where nobody looked."""


class AttemptLogs(Protocol):
    """Where logs are read. Raises `PlatformError` where the disk refuses."""

    async def list_files(self, key: AttemptKey) -> list[LogFile]:
        """Return the logs of an attempt by role, `worker-2` before `worker-10`; none where nothing was written."""
        ...

    async def read(self, key: AttemptKey, role: str, start: int, limit_bytes: int) -> Piece:
        """Return at most `limit_bytes` from `start` on; no bytes at its end or beyond. Raise `NotFound`.

        What is left out of a log keeps its offsets: a range that would begin there begins behind it.
        """
        ...
