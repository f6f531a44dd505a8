"""One log view: the lines of all processes of an attempt, merged by time, a page at a time.

Each log is read in ranges, only as far as its next line is needed. What a page may read is bounded, so that one in
which nothing is found comes back empty, with the token to go on from.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from dayfly.base.clock import Micros
from dayfly.gateway.extras import choosing, lines
from dayfly.gateway.extras.choosing import Wanted
from dayfly.gateway.extras.lines import Line, Reading
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import AttemptLogs, LogFile, Piece

MAX_SCANNED_BYTES = 32 * 1024 * 1024
"""Read for one page."""

MAX_PARSED_LINES = 100_000
"""Taken apart for one page: half a second."""

MAX_TOLD_BYTES = 1024 * 1024
"""A page ends behind the line with which it has so much text."""

BUFFERED_BYTES = 4 * 1024 * 1024
"""Held of all logs together."""

MAX_RANGE_BYTES = 256 * 1024
MIN_RANGE_BYTES = 2 * lines.MAX_LINE_BYTES

KEPT_BYTES = 8 * 1024
"""What has nothing that is looked for is passed over, but for so much before the next find: it tells the time."""


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
        self._scanned = self._parsed = 0

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
            if page.at_end or self._exhausted:
                return Page(list(told), readings, page.at_end)

    async def _find_start(self, file: LogFile, limit: int, most: int) -> int:
        start = max(0, file.size_bytes - most)
        piece = await self._logs.read(self._key, file.role, start, file.size_bytes - start)
        while piece.data and (end := piece.start + len(piece.data)) < file.size_bytes:
            piece = await self._logs.read(self._key, file.role, end, file.size_bytes - end)  # behind what is left out
        start, data = piece.start, piece.data
        place = len(data) - 1  # The line end at the very end begins no line.
        if self._wanted.level or self._wanted.search:
            place = -1
        for _ in range(limit):
            if place < 0:
                break
            place = data.rfind(b"\n", 0, place)
        if place < 0 and start:
            place = data.find(b"\n")
            if place == len(data) - 1:
                place = -1  # The last line is longer than what was read: its end is more than nothing.
        return start + place + 1

    async def _fill(self, streams: Sequence[_Stream]) -> bool:
        """Read until each log has a line waiting or has no more; say whether that was done within the bounds."""
        for stream in streams:
            while not stream.pending and not stream.at_end:
                if self._exhausted:
                    return False
                piece = await self._logs.read(self._key, stream.role, stream.reading.offset, stream.range_bytes)
                self._scanned += len(piece.data)
                stream.at_end = not piece.data or piece.start + len(piece.data) >= piece.size_bytes
                # On a thread: a range has thousands of lines, and the loop has others to serve.
                self._parsed += await asyncio.to_thread(
                    stream.add, piece, self._wanted, whole=stream.at_end and self._whole
                )
        return True

    @property
    def _exhausted(self) -> bool:
        return self._scanned >= MAX_SCANNED_BYTES or self._parsed >= MAX_PARSED_LINES


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

    def add(self, piece: Piece, wanted: Wanted, *, whole: bool) -> int:
        """Take in what follows the last line; return how many lines were taken apart for it."""
        if piece.start > self._behind.offset:  # what is between was left out
            self._behind = msgspec.structs.replace(self._behind, offset=piece.start)
        data, signs = piece.data, choosing.Signs(piece.data, wanted.signs())
        parsed = start = 0
        taken = wanted.goes_on(self._behind)
        while True:
            if not taken:
                start = self._pass_over(piece, start, signs.find(start))
            found = lines.find_end(data, start, whole=whole)
            if found is None:
                return parsed
            raw, start = data[start : found[0]], found[1]
            reading = self._behind
            line, self._behind = lines.read_line(reading, self.role, raw, piece.start + start, piece.marks)
            parsed += 1
            taken = wanted.takes(line, raw)
            if taken:
                self.pending.append((line, reading))

    def _pass_over(self, piece: Piece, start: int, sign: int | None) -> int:
        """Return where to go on: a little before the next sign, or before the end."""
        before = (len(piece.data) if sign is None else sign) - KEPT_BYTES
        after = piece.data.rfind(b"\n", start, before) + 1 if before > start else start
        if after <= start:
            return start
        self._behind = Reading(piece.start + after, self._behind.at)
        return after


def _next_time(stream: _Stream) -> tuple[Micros, str]:
    return stream.pending[0][0].at, stream.role
