"""Signed links: a grant and its HMAC-SHA256, in one URL below the gateway's data route.

The token is `<payload>.<signature>`, both base64url. Anything in the grant is covered by the signature; nothing else
in the request is, so a client may send whatever headers it likes (flytekit has two uploaders that differ in this).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.parse

import msgspec

from dayfly.base import clock, errors
from dayfly.ports.links import Grant

ROUTE = "/api/dayfly/v1/data"
"""Where the gateway serves them."""


class SignedLinks:
    """Implements `ports.links.Links` with a secret that stays on the server."""

    def __init__(self, secret: bytes, public_url: str, now: clock.Clock) -> None:
        self._secret = secret
        self._public_url = public_url.rstrip("/")
        self._clock = now

    def sign(self, grant: Grant) -> str:
        """Return the URL that carries the grant; its last part is the blob's file name, for people and browsers."""
        payload = _encode(msgspec.msgpack.encode(grant))
        token = f"{payload}.{_encode(self._signature(payload))}"
        name = urllib.parse.quote(grant.file_name or grant.uri.rsplit("/", 1)[-1], safe="")
        return f"{self._public_url}{ROUTE}/{token}/{name}"

    def read(self, token: str, method: str) -> Grant:
        """Return the grant of a URL's token. Raise `PermissionDenied`: forged, expired, or for another method."""
        payload, _, signature = token.partition(".")
        if not hmac.compare_digest(_encode(self._signature(payload)).encode(), signature.encode()):
            raise errors.PermissionDenied("The link's signature does not hold.", remedy="Ask the API for a new link.")
        grant = msgspec.msgpack.decode(base64.urlsafe_b64decode(_padded(payload)), type=Grant)
        if grant.expires_at < self._clock.now():
            expired = clock.to_datetime(grant.expires_at).isoformat(timespec="seconds")
            raise errors.PermissionDenied(f"The link expired at {expired}.", remedy="Ask the API for a new link.")
        if method != grant.method:
            raise errors.PermissionDenied(f"The link is for {grant.method}, not for {method}.")
        return grant

    def _signature(self, payload: str) -> bytes:
        return hmac.new(self._secret, payload.encode(), hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
