"""Tokens of one log view: where each of its logs is read on, and what the lines before have said. Pure."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping

import msgspec

from dayfly.base import errors
from dayfly.gateway.extras.lines import Reading

MAX_BYTES = 256 * 1024
"""A token unpacked: thousands of logs."""


def write(readings: Mapping[str, Reading]) -> str:
    """Return the token."""
    return base64.urlsafe_b64encode(zlib.compress(msgspec.msgpack.encode(readings))).decode().rstrip("=")


def read(token: str) -> dict[str, Reading]:
    """Return what `write` was given. Raise `InvalidArgument` for what it never wrote."""
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        raw = zlib.decompressobj().decompress(packed, MAX_BYTES)
        readings = msgspec.msgpack.decode(raw, type=dict[str, Reading])
    except (binascii.Error, ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise _refused(token) from error
    if any(one.offset < 0 or one.at < 0 for one in readings.values()):
        raise _refused(token)
    return readings


def _refused(token: str) -> errors.InvalidArgument:
    return errors.InvalidArgument(
        f"The token {token[:40]!r} is not one that this log view gave.", remedy="Begin without a token."
    )
