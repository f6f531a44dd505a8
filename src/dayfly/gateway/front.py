"""One TCP address for gRPC and HTTP/1.1: the first bytes of each connection tell which it is.

HTTP/2 with prior knowledge, which is how gRPC comes, begins with a fixed preface. Such a connection is pumped to the
gRPC server's Unix socket; every other one is handed to uvicorn's protocol in this process, with no second hop.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from dayfly.base import errors, logs
from dayfly.gateway import pumping

log = logs.get("dayfly.gateway")

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""RFC 9113, 3.4. HTTP/1.1 has no method PRI, and nobody else may ever use it."""

FIRST_BYTES_SECONDS = 10.0
"""A connection that has not shown what it is by then is closed."""

BACKLOG = 512
"""Connections that may wait to be accepted."""


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 picks a free one. Raise `UserError` where the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _refused(host, port, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from error
    return listener


async def serve(
    host: str,
    port: int,
    grpc_socket: str,
    app: Any,
    *,
    listener: socket.socket | None = None,
    first_bytes_seconds: float = FIRST_BYTES_SECONDS,
) -> Front:
    """Listen, and return once connections are taken. `grpc_socket` is the path of the gRPC server's Unix socket.

    Raise `UserError` where the address cannot be had. A `listener` from `bind` is used instead, and owned.
    """
    front = Front(listener or bind(host, port), grpc_socket, app, first_bytes_seconds)
    await front.start()
    return front


class Front:
    """A listening address. Made by `serve`."""

    def __init__(self, listener: socket.socket, grpc_socket: str, app: Any, first_bytes_seconds: float) -> None:
        self._listener = listener
        self._grpc_socket = grpc_socket
        self.first_bytes_seconds = first_bytes_seconds
        self._http = uvicorn.Config(
            app,
            http="httptools",
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        self._http_state = ServerState()
        self._open: set[asyncio.BaseTransport] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return int(self._listener.getsockname()[1])

    async def start(self) -> None:
        """Take connections."""
        self._http.load()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Undecided(self), sock=self._listener, backlog=BACKLOG)

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Stop listening, let answers under way finish for up to `grace_seconds`, then cut every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._http_state.connections):
            connection.shutdown()
        if self._http_state.tasks:
            await asyncio.wait(list(self._http_state.tasks), timeout=grace_seconds)
        for task in list(self._http_state.tasks):
            task.cancel()
        for transport in list(self._open):
            transport.abort() if isinstance(transport, asyncio.Transport) else transport.close()
        await asyncio.sleep(0)

    # -- for the protocols ------------------------------------------------------------------------------------------
    def opened(self, transport: asyncio.BaseTransport) -> None:
        """Remember a connection, so that `close` can end it."""
        self._open.add(transport)

    def closed(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection that ended."""
        self._open.discard(transport)

    def hand_to_http(self, transport: asyncio.Transport, first: bytes) -> None:
        """Let uvicorn have the connection, as if it had accepted it."""
        self.closed(transport)  # From here on uvicorn's own list knows it.
        make: Any = self._http.http_protocol_class
        protocol = make(
            config=self._http, server_state=self._http_state, app_state={}, _loop=asyncio.get_running_loop()
        )
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(first)

    def hand_to_grpc(self, transport: asyncio.Transport, first: bytes) -> None:
        """Pump the connection to the gRPC server."""
        pumping.join(transport, first, self._grpc_socket, self.closed)


class Undecided(asyncio.Protocol):
    """A connection that has not shown what it speaks."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._first = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._front.opened(transport)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._front.first_bytes_seconds, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Decide as soon as the bytes differ from the preface, or are long enough to be it."""
        assert self._transport is not None
        self._first += data
        if PREFACE.startswith(self._first[: len(PREFACE)]) and len(self._first) < len(PREFACE):
            return
        self._stop_timer()
        if self._first.startswith(PREFACE):
            self._front.hand_to_grpc(self._transport, self._first)
        else:
            self._front.hand_to_http(self._transport, self._first)

    def connection_lost(self, _: Exception | None) -> None:
        """Forget it."""
        self._stop_timer()
        if self._transport is not None:
            self._front.closed(self._transport)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _refused(host: str, port: int, error: OSError) -> errors.UserError:
    if error.errno == errno.EADDRINUSE:
        return errors.UserError(
            f"Port {port} of {host} is in use by another program.",
            remedy="Stop that program, or choose another port with --port.",
        )
    return errors.UserError(
        f"Cannot listen on {host}:{port}: {error.strerror or error}.",
        remedy="Choose another address with --host and --port.",
    )
