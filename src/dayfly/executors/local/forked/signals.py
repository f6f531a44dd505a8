"""Signals as readable bytes, so that one `select` waits for them and for sockets alike."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any

HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""Signals to which fork servers and supervisors give a meaning of their own."""


class Wakeup:
    """Signals that have arrived. Only one is alive in a process."""

    def __init__(self, signums: set[signal.Signals]) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        for signum in signums:
            signal.signal(signum, _noted)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Return what becomes readable."""
        return self._reader

    def taken(self) -> set[int]:
        """Return the signals that have come since the last call."""
        found: set[int] = set()
        try:
            while chunk := os.read(self._reader, 512):
                found.update(chunk)
        except BlockingIOError:
            pass
        return found

    def close(self) -> None:
        """Take no more signals."""
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)


@contextlib.contextmanager
def blocked() -> Iterator[None]:
    """Hold all signals back around a fork: a child must not run its parent's handlers."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def handlers() -> dict[int, Any]:
    """Return what these signals do in this process now."""
    return {signum: signal.getsignal(signum) or signal.SIG_DFL for signum in HANDLED}


def reset_in_child(meant: dict[int, Any]) -> None:
    """Give every signal back what it did in the interpreter before it became a server, and let them through."""
    signal.set_wakeup_fd(-1)
    for signum, handler in meant.items():
        signal.signal(signum, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _noted(signum: int, frame: object) -> None:
    """Do nothing: the byte in the pipe is what counts."""
