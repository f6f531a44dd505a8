"""When a line of a container's log was written, as the kubelet says in front of it. Pure."""

from __future__ import annotations

import datetime
import functools
import re
from typing import NamedTuple

PIECE_BYTES = 16 * 1024
"""Container runtimes keep longer lines in pieces of so many bytes. Kubelets before 1.27 stamp each piece, so that there
are stamps in the middle of a line."""

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")


class Stamped(NamedTuple):
    """A line, and when it was written."""

    at_nanos: int
    """Since the epoch; 0 where it does not say."""
    text: bytes


def split(raw: bytes) -> Stamped:
    """Return a line without its stamp, nor those in its middle."""
    found = _STAMP.match(raw)
    if found is None:
        return Stamped(0, raw)
    text = raw[found.end() :]
    if len(text) > PIECE_BYTES:
        text = b"".join(_pieces(text))
    return Stamped(_nanos(found), text)


def _pieces(text: bytes) -> list[bytes]:
    pieces, start = [], 0
    while start < len(text):
        end = start + PIECE_BYTES
        pieces.append(text[start:end])
        found = _STAMP.match(text, end)
        start = found.end() if found else end
    return pieces


def _nanos(found: re.Match[bytes]) -> int:
    second, fraction, zone = found.groups()
    return _seconds(second + zone.replace(b"Z", b"+00:00")) * 1_000_000_000 + int((fraction or b"0").ljust(9, b"0"))


@functools.lru_cache(maxsize=256)
def _seconds(moment: bytes) -> int:
    """Return a moment in seconds since the epoch. Lines of one second follow each other."""
    try:
        return int(datetime.datetime.fromisoformat(moment.decode()).timestamp())
    except ValueError:
        return 0
