"""Keys of a terminal for `dayfly top`: read one by one, also where a connection delivers them in pieces."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator

ESCAPE = "\x1b"

ESCAPE_SECONDS = 0.08
"""An escape that nothing follows for so long is the key itself; arrows begin with one."""

NAMES = {
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "\x1b[D": "back",
    "\x1bOD": "back",
    "\x1b[C": "open",
    "\x1bOC": "open",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
    "\x1b[H": "first",
    "\x1b[F": "last",
    "\r": "open",
    "\n": "open",
    "\x7f": "back",
    "\x1b": "back",
    "k": "up",
    "j": "down",
    "g": "first",
    "G": "last",
    "\x03": "q",
}
"""What keys mean; any other printable one is itself."""


def split(pressed: str) -> tuple[list[str], str]:
    """Return the keys in what a terminal has sent, and the beginning of one that is not whole yet. Pure."""
    found: list[str] = []
    while pressed:
        if pressed[0] != ESCAPE:
            key, pressed = pressed[0], pressed[1:]
            if key in NAMES or key.isprintable():
                found.append(NAMES.get(key, key))
            continue
        if len(pressed) == 1 or (pressed[1] in "[O" and len(pressed) == 2):
            return found, pressed
        if pressed[1] not in "[O":
            found.append(NAMES[ESCAPE])
            pressed = pressed[1:]
            continue
        end = next((at for at, one in enumerate(pressed[2:], 3) if one.isalpha() or one == "~"), 0)
        if not end:
            return found, pressed
        if pressed[:end] in NAMES:
            found.append(NAMES[pressed[:end]])
        pressed = pressed[end:]
    return found, ""


class Keyboard:
    """Calls `press` with each key. Give it what a terminal sends; it waits for what is not whole."""

    def __init__(self, press: Callable[[str], None]) -> None:
        self._press, self._rest = press, ""
        self._waiting: asyncio.TimerHandle | None = None

    def feed(self, sent: str) -> None:
        """Take what was sent."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        found, self._rest = split(self._rest + sent)
        for key in found:
            self._press(key)
        if self._rest:
            self._waiting = asyncio.get_running_loop().call_later(ESCAPE_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._rest, self._waiting = "", None
        self._press(NAMES[ESCAPE])


@contextlib.contextmanager
def reading(press: Callable[[str], None]) -> Iterator[None]:
    """Read keys of the terminal, one by one and unseen, as long as the context lives; then it is as it was."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    keyboard = Keyboard(press)
    loop = asyncio.get_running_loop()

    def read() -> None:
        sent = os.read(terminal, 1024)
        if sent:
            keyboard.feed(sent.decode(errors="replace"))
        else:  # The terminal is gone.
            loop.remove_reader(terminal)
            press("q")

    try:
        tty.setcbreak(terminal)
        loop.add_reader(terminal, read)
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
