"""A way to the cluster's API that can be cut: what a platform sees of an API server that is gone for a while."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit


class Way:
    """Forwards connections to the API server, or takes none."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections, and those that are tried."""
        self._open = False
        for end in self._ends:
            _close(end)
        self._ends.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self._open = True

    def close(self) -> None:
        """End it."""
        self.cut()
        _close(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                if not self._open:
                    near.close()
                    continue
                far = socket.create_connection(self._to)
            except OSError:
                return  # It was closed.
            self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(1 << 16):
            other.sendall(data)
    except OSError:
        pass  # It was cut.
    _close(one)
    _close(other)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextlib.contextmanager
def way(kubeconfig: Path) -> Iterator[Way]:
    """Write a kubeconfig that leads over a way of its own to the cluster of this environment."""
    words = ["kubectl", "config", "view", "--raw", "--minify", "--output", "json"]
    told = json.loads(subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ).stdout)
    cluster = told["clusters"][0]["cluster"]
    server = urlsplit(cluster["server"])
    made = Way((server.hostname or "", server.port or 443))
    cluster["server"] = f"https://127.0.0.1:{made.port}"
    kubeconfig.write_text(json.dumps(told))
    try:
        yield made
    finally:
        made.close()
