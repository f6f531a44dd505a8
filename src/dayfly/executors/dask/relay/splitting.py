"""Takes what a role tells (`roles/telling.py`) out of the lines of its log. Pure, but for parts that wait for others.

Lines may be missing, cut off or told twice, and users may write what looks alike: what is not whole, or does not have
its checksum, is passed over or stays in the log as it is.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import NamedTuple

MARK = b"DAYFLY-TOLD 1 "

MAX_PARTS = 4096
"""Of one thing that is told: 16 MB of text."""

MAX_BYTES = 32 * 1024 * 1024
"""Of one thing, unpacked."""

_LINE = re.compile(
    rb"DAYFLY-TOLD 1 (?P<kind>[a-z]+) (?P<name>[0-9a-f]+) (?P<number>\d{1,4})/(?P<count>\d{1,4}) "
    rb"(?P<crc>[0-9a-f]{8}) (?P<part>[A-Za-z0-9+/=]+)\r?$"
)


class Told(NamedTuple):
    """One thing that a role has told."""

    kind: str
    body: bytes


class Split(NamedTuple):
    """A line of a log, taken apart."""

    kept: bytes | None
    """What of it belongs into the log."""
    told: Told | None = None


class Splitter:
    """Takes apart the lines of one log, in their order."""

    def __init__(self) -> None:
        self._name = b""
        self._parts: list[bytes] = []

    def split(self, line: bytes) -> Split:
        """Return what of a line stays in the log, and what it completes of that which is told."""
        at = line.rfind(MARK)
        found = _LINE.match(line, at) if at >= 0 else None
        if found is None or int(found["crc"], 16) != zlib.crc32(found["part"]):
            return Split(line)
        # Somebody else had written without an end of line before.
        return Split(line[:at] or None, self._add(found))

    def _add(self, found: re.Match[bytes]) -> Told | None:
        number, count = int(found["number"]), int(found["count"])
        if number == 1:
            self._name, self._parts = found["name"], []
        elif found["name"] != self._name or number != len(self._parts) + 1 or number > min(count, MAX_PARTS):
            self._name, self._parts = b"", []
            return None
        self._parts.append(found["part"])
        if number < count:
            return None
        text, self._name, self._parts = b"".join(self._parts), b"", []
        body = _unpack(text)
        return None if body is None else Told(found["kind"].decode(), body)


def _unpack(text: bytes) -> bytes | None:
    """Return what was packed; None for what was not, or is larger than anything that is told."""
    try:
        unpacking = zlib.decompressobj()
        body = unpacking.decompress(base64.b64decode(text, validate=True), MAX_BYTES)
    except (zlib.error, binascii.Error):
        return None
    return body if unpacking.eof else None
