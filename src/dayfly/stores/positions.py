"""Where a page of a list ended: the sort key and number of its last row, as text that travels in the list's token.

A page that begins at such a position costs what its own rows cost, however many come before it. The text is not secret
and needs no signature: whatever a client makes of it is one more condition on rows that the client may list anyway.
What it must not do is to continue another list, hence the fingerprint of the one it was made for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import NamedTuple

import msgspec

from dayfly.base import errors
from dayfly.ports.definitions import Page


class Position(NamedTuple):
    """The last row of a page."""

    key: int | str
    number: int | str


class _Written(msgspec.Struct, array_like=True):
    of: bytes
    key: int | str
    number: int | str


_DECODER = msgspec.msgpack.Decoder(_Written)


def fingerprint(scope: tuple[str, ...], page: Page) -> bytes:
    """Return what tells one list from another: whose it is, its filters and its order."""
    told = msgspec.msgpack.encode((scope, page.filters, page.sort_key, page.descending))
    return hashlib.blake2b(told, digest_size=6).digest()


def write(position: Position, of: bytes) -> str:
    """Return the position as text, of characters that need no quoting in a URL."""
    raw = msgspec.msgpack.encode(_Written(of, position.key, position.number))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read(text: str, of: bytes, kinds: tuple[type, type]) -> Position | None:
    """Return the position, None where it is one of another list. Raises `InvalidArgument` where it is none at all."""
    try:
        written = _DECODER.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise errors.InvalidArgument("The list's token is not one that this server gave.") from error
    if written.of != of or not (isinstance(written.key, kinds[0]) and isinstance(written.number, kinds[1])):
        return None
    return Position(written.key, written.number)
