"""Copy bytes both ways between an accepted connection and a Unix socket, no faster than the slower side reads.

Each half knows its peer's transport: what it receives it writes there, and when the peer's buffer is full it stops
reading. An end of one direction is passed on, so that half-closed connections stay so; the second end closes both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dayfly.base import logs

log = logs.get("dayfly.gateway")

Closed = Callable[[asyncio.BaseTransport], None]


class Half(asyncio.Protocol):
    """One side of a pumped connection."""

    def __init__(self, closed: Closed) -> None:
        self._closed = closed
        self.peer: Half | None = None
        self.transport: asyncio.Transport | None = None
        self.ended = False
        """Nothing more is received on this side."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end of this direction on; the other one stays open until it has ended too."""
        self.ended = True
        if self.peer is None or self.peer.ended or self.peer.transport is None:
            return False  # closes this side, which closes the other
        if not self.peer.transport.can_write_eof():
            return False
        self.peer.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        """Let the peer read no more: this side's buffer is full."""
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let the peer read on."""
        if self.peer is not None and self.peer.transport is not None and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """Close the peer too, after what is still to be written to it."""
        if self.transport is not None:
            self._closed(self.transport)
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()


def join(accepted: asyncio.Transport, first: bytes, path: str, closed: Closed) -> None:
    """Connect an accepted connection, whose `first` bytes are read already, to the Unix socket at `path`."""
    near, far = Half(closed), Half(lambda _: None)
    near.connection_made(accepted)
    accepted.pause_reading()
    accepted.set_protocol(near)
    task = asyncio.get_running_loop().create_task(_connect(near, far, first, path))
    _connecting.add(task)
    task.add_done_callback(_connecting.discard)


_connecting: set[asyncio.Task[None]] = set()
"""The loop itself holds tasks weakly."""


async def _connect(near: Half, far: Half, first: bytes, path: str) -> None:
    assert near.transport is not None
    try:
        await asyncio.get_running_loop().create_unix_connection(lambda: far, path)
    except OSError as error:
        log.error("gRPC server not reachable", path=path, error=str(error))
        near.transport.abort()
        return
    assert far.transport is not None
    if near.transport.is_closing():
        far.transport.close()
        return
    near.peer, far.peer = far, near
    far.transport.write(first)
    near.transport.resume_reading()
