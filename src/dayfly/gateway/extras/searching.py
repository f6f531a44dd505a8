"""Finds text in one log, with line numbers and what stands around it, a bounded part of the log at a time."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dayfly.gateway.extras import lines
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import AttemptLogs

RANGE_BYTES = 1024 * 1024

MAX_SCANNED_BYTES = 128 * 1024 * 1024
"""Read for one answer."""

CONTEXT_BYTES = 16 * 1024
"""Read at most on either side of a line for what stands around it."""

MAX_TEXT = 4096
"""Bytes shown of a line that is longer; what was found is among them."""


class Place(msgspec.Struct, frozen=True):
    """Where a search goes on: the beginning of a line."""

    offset: int = 0
    line: int = 1
    """Number of the line that begins there."""


class Found(msgspec.Struct, frozen=True):
    """A line that has the text."""

    line: int
    offset: int
    """Of the line's first byte."""
    text: str
    before: list[str]
    after: list[str]


class Result(msgspec.Struct, frozen=True):
    """What a part of the log has."""

    found: list[Found]
    then: Place
    scanned_bytes: int
    size_bytes: int
    at_end: bool


async def search(
    logs: AttemptLogs, key: AttemptKey, role: str, wanted: str, place: Place, *, limit: int, context: int
) -> Result:
    """Return at most `limit` lines that have `wanted`, from `place` on, each with `context` lines on either side.

    Letters A-Z stand for both cases. Raise `NotFound` for a log that is not there.
    """
    needle = wanted.encode().lower()
    found: list[Found] = []
    scanned = 0
    while True:
        piece = await logs.read(key, role, place.offset, RANGE_BYTES)
        at_end = not piece.data or piece.start + len(piece.data) >= piece.size_bytes
        data = piece.data
        place = Place(piece.start, place.line)
        part = len(data) if at_end else _whole_lines(data, len(needle))
        scanned += part
        for start, end, number in _matches(data, part, needle, place.line):
            offset = place.offset + start
            around = await _context(logs, key, role, offset, place.offset + end, context) if context else ([], [])
            found.append(Found(number, offset, _excerpt(data[start:end], needle), *around))
            if len(found) == limit:
                then = Place(place.offset + min(end + 1, len(data)), number + (end < len(data)))
                return Result(found, then, scanned, piece.size_bytes, at_end and then.offset >= piece.size_bytes)
        place = Place(place.offset + part, place.line + data.count(b"\n", 0, part))
        if at_end or scanned >= MAX_SCANNED_BYTES:
            return Result(found, place, scanned, piece.size_bytes, at_end)


def _whole_lines(data: bytes, overlap: int) -> int:
    """Return how much of `data` is whole lines; of one endless line, what the next range does not begin with."""
    return data.rfind(b"\n") + 1 or max(1, len(data) - overlap)


def _matches(data: bytes, part: int, needle: bytes, line: int) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and number of each line that has the text in the first `part` bytes; `line` is the first one's
    number."""
    lowered = data.lower()
    counted = 0
    at = lowered.find(needle)
    while 0 <= at < part:
        start = data.rfind(b"\n", 0, at) + 1
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        line += data.count(b"\n", counted, start)
        counted = start
        yield start, end, line
        at = lowered.find(needle, end)


async def _context(
    logs: AttemptLogs, key: AttemptKey, role: str, start: int, end: int, count: int
) -> tuple[list[str], list[str]]:
    first = max(0, start - CONTEXT_BYTES)
    piece = await logs.read(key, role, first, start - first)
    before = piece.data[: max(0, start - piece.start)].split(b"\n")[:-1]
    if first:
        before = before[1:]  # It has begun further up.
    after = (await logs.read(key, role, end + 1, CONTEXT_BYTES)).data.split(b"\n")
    if after[-1] == b"":
        after.pop()
    return [_shortened(one) for one in before[-count:]], [_shortened(one) for one in after[:count]]


def _excerpt(raw: bytes, needle: bytes) -> str:
    if len(raw) <= MAX_TEXT:
        return lines.shown(raw) if needle in lines.shown(raw).encode().lower() else raw.decode(errors="replace")
    at = raw.lower().find(needle)
    first = max(0, min(at - MAX_TEXT // 4, len(raw) - MAX_TEXT))
    return raw[first : first + MAX_TEXT].decode(errors="replace")


def _shortened(raw: bytes) -> str:
    return lines.shown(raw[:MAX_TEXT])
