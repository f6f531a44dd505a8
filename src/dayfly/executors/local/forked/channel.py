"""How a role speaks with the other roles of its group: it publishes facts and waits for theirs.

Handed to a role's entry. The supervisor is at the other end; it passes facts on, and tells the platform.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import Any

from . import wire


class Channel:
    """One role's end. Blocking, and safe to use from several threads.

    `role` is the name of the role, `restarted` how often it has been made anew: 0 for the first.
    """

    def __init__(
        self, sock: socket.socket, role: str, restarted: int, facts: dict[str, Any], received: bytearray | None = None
    ) -> None:
        sock.setblocking(True)
        self.role = role
        self.restarted = restarted
        self._sock = sock
        self._facts = dict(facts)
        self._buffer = bytearray() if received is None else received
        self._sending = threading.Lock()
        self._reading = threading.Lock()

    @property
    def facts(self) -> dict[str, Any]:
        """Return the facts heard so far, without waiting."""
        with self._reading:
            self._read(0)
            return dict(self._facts)

    def publish(self, name: str, value: Any = True) -> None:
        """Tell a fact: plain JSON. `ready` counts to the quorum; names that begin with `progress` go to the platform
        only, twice a second at most. Raises `OSError` when the supervisor is gone."""
        with self._sending:
            self._sock.sendall(wire.pack({"publish": name, "value": value}))

    def wait(self, name: str, timeout: float | None = None) -> Any:
        """Return the value of a fact as soon as a role has published it. Raises `TimeoutError` after `timeout` seconds
        and `ConnectionError` when the supervisor is gone."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._reading:
                if name in self._facts:
                    return self._facts[name]
                left = 1.0 if end is None else end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{self.role}: no role has published {name!r} within {timeout} s")
                # In short rounds, so that other threads can look for their own facts meanwhile.
                self._read(min(left, 0.2))

    def fileno(self) -> int:
        """Return the socket's descriptor: readable when there is something for `facts`."""
        return self._sock.fileno()

    def _read(self, timeout: float) -> None:
        for message in wire.take(self._buffer):  # what came with the order
            self._facts.update(message["facts"])
            timeout = 0
        while select.select([self._sock], [], [], timeout)[0]:
            chunk = self._sock.recv(65536)
            if not chunk:
                raise ConnectionError(f"{self.role}: the supervisor is gone")
            self._buffer += chunk
            for message in wire.take(self._buffer):
                self._facts.update(message["facts"])
            timeout = 0
