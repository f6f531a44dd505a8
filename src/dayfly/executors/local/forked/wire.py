"""JSON messages over a stream socket, each behind its length in four bytes, big-endian.

The fork server and the supervisors never block on a peer: what cannot be sent at once waits in `Peer`.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any

LENGTH = struct.Struct(">I")

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Longer messages are a broken peer."""

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""A peer that lets more than this pile up does not read any more, and is dropped."""


def listen(path: str) -> socket.socket:
    """Return a socket that listens at `path`, which is short enough for one; what was there before is dead."""
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(16)
    return listener


def pack(message: dict[str, Any]) -> bytes:
    """Return the message as it goes over the wire."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return LENGTH.pack(len(body)) + body


def take(buffer: bytearray) -> list[dict[str, Any]]:
    """Take all whole messages off the front of `buffer`. Raise `ValueError` for what is none."""
    messages = []
    while len(buffer) >= LENGTH.size:
        (length,) = LENGTH.unpack_from(buffer)
        if length > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message of {length} bytes was announced; the limit is {MAX_MESSAGE_BYTES}")
        end = LENGTH.size + length
        if len(buffer) < end:
            break
        messages.append(json.loads(bytes(buffer[LENGTH.size : end])))
        del buffer[:end]
    return messages


def wait_for_one(sock: socket.socket, buffer: bytearray) -> dict[str, Any] | None:
    """Wait for a message; None at the end of the stream. What follows it stays in `buffer`."""
    sock.setblocking(True)
    while True:
        if len(buffer) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(buffer)[0]
            if len(buffer) >= end:
                message: dict[str, Any] = json.loads(bytes(buffer[LENGTH.size : end]))
                del buffer[:end]
                return message
        chunk = sock.recv(65536)
        if not chunk:
            return None
        buffer += chunk


class Peer:
    """A non-blocking end of a conversation. Once `closed`, it only waits to be forgotten."""

    def __init__(self, sock: socket.socket, received: bytearray | None = None) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.closed = False
        self._in = bytearray() if received is None else received
        self._out = bytearray()

    @property
    def waiting(self) -> bool:
        """Say whether something is still to be sent."""
        return bool(self._out) and not self.closed

    def send(self, message: dict[str, Any]) -> None:
        """Send now what the socket takes, the rest at the next `flush`."""
        if self.closed:
            return
        self._out += pack(message)
        self.flush()
        if len(self._out) > MAX_WAITING_BYTES:
            self.closed = True

    def flush(self) -> None:
        """Send what waits."""
        try:
            while self._out and not self.closed:
                del self._out[: self.sock.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that have come; sets `closed` at the end of the stream."""
        try:
            while chunk := self.sock.recv(65536):
                self._in += chunk
            self.closed = True
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True
        try:
            return take(self._in)
        except ValueError:
            self.closed = True
            return []

    def close(self) -> None:
        """Close the socket."""
        self.closed = True
        self.sock.close()
