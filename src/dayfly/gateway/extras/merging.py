"""One log view: the lines of all processes of an attempt, merged by time, a page at a time.

Each log is read in ranges, only as far as its next line is needed. What a page may read is bounded, so that one in
which nothing is found comes back empty, with the token to go on from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from dayfly.base.clock import Micros
from dayfly.gateway.extras import lines
from dayfly.gateway.extras.lines import Line, Reading
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import AttemptLogs, LogFile, Piece

MAX_SCANNED_BYTES = 32 * 1024 * 1024
"""Read for one page."""

MAX_TOLD_BYTES = 1024 * 1024
"""A page ends behind the line with which it has so much text."""

BUFFERED_BYTES = 4 * 1024 * 1024
"""Held of all logs together."""

MAX_RANGE_BYTES = 256 * 1024
MIN_RANGE_BYTES = 2 * lines.MAX_LINE_BYTES

KEPT_BYTES = 8 * 1024
"""Of a range in which nothing is found, this much of its end is read as lines."""


class Wanted(msgspec.Struct, frozen=True):
    """Which lines are told."""

    level: int = 0
    """This one and worse; 0 is all lines, also plain ones."""
    search: bytes = b""
    """Text that a line has, letters A-Z in lower case, which stand for both cases."""

    def takes(self, line: Line, raw: bytes) -> bool:
        """Say whether a line is told."""
        return line.level >= self.level and (not self.search or self.search in raw.lower())


class Page(msgspec.Struct, frozen=True):
    """Lines, and where to go on."""

    lines: list[Line]
    readings: dict[str, Reading]
    at_end: bool
    """Everything that was there has been told."""


class View:
    """The logs of one attempt, being read for one page. `whole` takes a last line that has no end yet."""

    def __init__(self, logs: AttemptLogs, key: AttemptKey, wanted: Wanted, *, whole: bool) -> None:
        self._logs, self._key, self._wanted, self._whole = logs, key, wanted, whole
        self._scanned = 0

    async def read_page(self, roles: Sequence[str], readings: Mapping[str, Reading], limit: int) -> Page:
        """Return the next `limit` lines at most; a log that `readings` do not name is read from its beginning."""
        range_bytes = max(MIN_RANGE_BYTES, min(MAX_RANGE_BYTES, BUFFERED_BYTES // max(1, len(roles))))
        streams = [_Stream(role, readings.get(role, Reading()), range_bytes) for role in roles]
        told: list[Line] = []
        told_bytes = 0
        while len(told) < limit and told_bytes < MAX_TOLD_BYTES and await self._fill(streams):
            waiting = [stream for stream in streams if stream.pending]
            if not waiting:
                break
            line = min(waiting, key=_next_time).take()
            told.append(line)
            told_bytes += len(line.text)
        after = {**readings, **{stream.role: stream.reading for stream in streams}}
        return Page(told, after, all(stream.at_end and not stream.pending for stream in streams))

    async def read_tail(self, files: Sequence[LogFile], limit: int, *, began: Micros) -> Page:
        """Return the last `limit` lines; those that `search` or `level` choose are looked for in the logs' last part.

        No line is older than `began`.
        """
        most = BUFFERED_BYTES // max(1, len(files))
        readings = {file.role: Reading(await self._find_start(file, limit, most), began) for file in files}
        told: deque[Line] = deque(maxlen=limit)
        while True:
            page = await self.read_page([file.role for file in files], readings, limit)
            told.extend(page.lines)
            readings = page.readings
            if page.at_end or self._scanned >= MAX_SCANNED_BYTES:
                return Page(list(told), readings, page.at_end)

    async def _find_start(self, file: LogFile, limit: int, most: int) -> int:
        start = max(0, file.size_bytes - most)
        data = (await self._logs.read(self._key, file.role, start, file.size_bytes - start)).data
        place = len(data) - 1  # The line end at the very end begins no line.
        if self._wanted.level or self._wanted.search:
            place = -1
        for _ in range(limit):
            if place < 0:
                break
            place = data.rfind(b"\n", 0, place)
        if place < 0 and start:
            place = data.find(b"\n")
        return start + place + 1

    async def _fill(self, streams: Sequence[_Stream]) -> bool:
        """Read until each log has a line waiting or has no more; say whether that was done within the bounds."""
        for stream in streams:
            while not stream.pending and not stream.at_end:
                if self._scanned >= MAX_SCANNED_BYTES:
                    return False
                piece = await self._logs.read(self._key, stream.role, stream.reading.offset, stream.range_bytes)
                self._scanned += len(piece.data)
                stream.at_end = not piece.data or piece.start + len(piece.data) >= piece.size_bytes
                stream.add(piece, self._wanted, whole=stream.at_end and self._whole)
        return True


class _Stream:
    """One log of a view: the lines of it that have been read and not told."""

    def __init__(self, role: str, reading: Reading, range_bytes: int) -> None:
        self.role, self.range_bytes = role, range_bytes
        self.at_end = False
        self.pending: deque[tuple[Line, Reading]] = deque()
        self._behind = reading

    @property
    def reading(self) -> Reading:
        """Return where the first line begins that was not told."""
        return self.pending[0][1] if self.pending else self._behind

    def take(self) -> Line:
        """Return the next line."""
        return self.pending.popleft()[0]

    def add(self, piece: Piece, wanted: Wanted, *, whole: bool) -> None:
        """Take in what follows the last line."""
        data, reading = piece.data, self._behind
        if wanted.search and wanted.search not in data.lower():
            passed = _count_passed(data)
            data, reading = data[passed:], Reading(reading.offset + passed, reading.at)
        base = reading.offset
        for start, end, after in lines.split(data, whole=whole):
            raw = data[start:end]
            line, then = lines.read_line(reading, self.role, raw, base + after, piece.marks)
            if wanted.takes(line, raw):
                self.pending.append((line, reading))
            reading = then
        self._behind = reading


def _count_passed(data: bytes) -> int:
    """Return how much of a range in which nothing is found need not be read as lines: its last ones tell the time."""
    last = data.rfind(b"\n")
    return data.rfind(b"\n", 0, last - KEPT_BYTES) + 1 if last > KEPT_BYTES else 0


def _next_time(stream: _Stream) -> tuple[Micros, str]:
    return stream.pending[0][0].at, stream.role
