"""Refuses what a page of another site makes a browser send, also by a name of its own for this address.

There is no login here: whoever reaches the port may do anything, and a browser on this machine does.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import fastapi
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE = ("GET", "HEAD")
"""Verbs that change nothing; browsers keep their answers from pages of other sites."""


def check(request: HTTPConnection, public_url: str) -> None:
    """Raise `HTTPException` 403 for a request by another name of this address, or a change by another site's page.

    `public_url` names the host that browsers may use.
    """
    check_host(request, public_url)
    origin = request.headers.get("origin")
    if request.scope.get("method") in SAFE or origin is None:
        return
    if urlsplit(origin).netloc != request.headers.get("host"):
        raise fastapi.HTTPException(403, f"a page of {origin} may not change anything here")


def guard(public_url: str) -> Any:
    """Return `check` as a dependency of routes."""

    def guarded(request: fastapi.Request) -> None:
        check(request, public_url)

    return fastapi.Depends(guarded)


def check_socket(request: HTTPConnection, public_url: str) -> None:
    """Raise `HTTPException` 403 for a websocket of another site's page. Sandboxed pages of our own have no origin."""
    check_host(request, public_url)
    origin = request.headers.get("origin", "null")
    if origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        raise fastapi.HTTPException(403, f"a page of {origin} may not look on here")


class Guarded:
    """ASGI middleware: refuses for a whole application what `check` and `check_socket` refuse.

    Pages without an origin are refused too: the application has none that are sandboxed.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app, self._public_url = app, public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  ASGI names and documents it
        if scope["type"] == "websocket":
            try:
                self._check_own_socket(HTTPConnection(scope))
            except fastapi.HTTPException as error:
                # Before it was accepted, this becomes a 403. Handlers of HTTP errors know only requests.
                await send({"type": "websocket.close", "code": 1008, "reason": error.detail})
                return
        elif scope["type"] == "http":
            check(HTTPConnection(scope), self._public_url)
        await self._app(scope, receive, send)

    def _check_own_socket(self, request: HTTPConnection) -> None:
        check_socket(request, self._public_url)
        if request.headers.get("origin") == "null":
            raise fastapi.HTTPException(403, "a page without an origin may not look on here")


def check_host(request: HTTPConnection, public_url: str) -> None:
    """Raise `HTTPException` 403 where the server is on loopback and is called by a name that is not its own."""
    own = urlsplit(public_url).hostname or ""
    host = urlsplit("//" + request.headers.get("host", "")).hostname or ""
    if _is_loopback(own) and not (_is_loopback(host) or host == own):
        raise fastapi.HTTPException(403, f"this server is not {host}; it is at {public_url}")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
