"""What a role that is a pod tells the platform: lines among those that it writes to its standard output.

Whoever keeps the logs of pods keeps these lines too, also while no platform is there and when the role has died; the
platform takes them out of the log again (`executors.dask.relay.splitting`). A line is

    DAYFLY-TOLD 1 KIND ID PART/PARTS CRC BASE64

KIND says what is told, ID is the same for all parts of one thing, CRC is that of the part's text. All parts together
are a zlib stream. A line is short enough for the kernel to write it whole, whoever else writes to the same pipe, and
for container runtimes not to break it. Standard library only.
"""

from __future__ import annotations

import base64
import os
import queue
import select
import threading
import zlib
from collections.abc import Callable, Iterator

MARK = "DAYFLY-TOLD 1"

LINE_BYTES = 4000
"""Below PIPE_BUF, 4096."""

PART_BYTES = LINE_BYTES - 100
"""Of base64, in one line."""

MOST_WAITING = 60
"""Things to be told that are not told yet, before others are dropped: the pipe is stuck."""

OUT = 1


class Teller:
    """Tells things in their order, on a thread: a pipe may be full, and compressing takes time.

    What is told is a kind and what makes its bytes, which is called on that thread.
    """

    def __init__(self, out: int = OUT) -> None:
        self._out = out
        self._waiting: queue.Queue[tuple[str, Callable[[], bytes]] | None] = queue.Queue(MOST_WAITING)
        self._mark = os.urandom(4).hex()
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="dayfly-teller", daemon=True)
        self._thread.start()

    def tell(self, kind: str, make: Callable[[], bytes]) -> bool:
        """Have something told; False if it is dropped."""
        try:
            self._waiting.put_nowait((kind, make))
        except queue.Full:
            return False
        return True

    def close(self, seconds: float) -> None:
        """Tell what is waiting, in so many seconds at most."""
        try:
            self._waiting.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _run(self) -> None:
        while (told := self._waiting.get()) is not None:
            kind, make = told
            self._count += 1
            try:
                for line in lines(kind, f"{self._mark}{self._count:x}", make()):
                    write(self._out, line)
            except OSError:
                return  # Nobody reads any more: the pod is going.


def lines(kind: str, name: str, body: bytes) -> Iterator[bytes]:
    """Yield the lines that tell it."""
    text = base64.b64encode(zlib.compress(body, 1))
    parts = [text[start : start + PART_BYTES] for start in range(0, len(text), PART_BYTES)]
    for number, part in enumerate(parts, 1):
        head = f"{MARK} {kind} {name} {number}/{len(parts)} {zlib.crc32(part):08x} "
        yield head.encode() + part + b"\n"


def write(out: int, line: bytes) -> None:
    """Write a line whole; a pipe that is full is waited for, also where somebody has made it not wait."""
    while line:
        try:
            line = line[os.write(out, line) :]
        except BlockingIOError:
            select.select([], [out], [])
