"""Links that let their holder read or write one blob over HTTP, without any other right.

`services` makes them, `gateway` opens them; neither knows the other.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from dayfly.base.clock import Micros


class Grant(msgspec.Struct, frozen=True):
    """What a link allows."""

    method: str
    """PUT or GET; GET allows HEAD too."""
    uri: str
    """The blob."""
    expires_at: Micros
    md5: bytes = b""
    """For PUT: 16 raw bytes that the upload must have; empty allows any."""
    file_name: str = ""
    """What a browser calls the download."""


class Links(Protocol):
    """Signs grants and reads them back."""

    def sign(self, grant: Grant) -> str:
        """Return the URL that carries the grant."""
        ...

    def read(self, token: str, method: str) -> Grant:
        """Return the grant of a URL's token. Raise `PermissionDenied`: forged, expired, or for another method."""
        ...
