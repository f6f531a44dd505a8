"""Who may call a server on loopback, and from which page."""

from __future__ import annotations

from typing import Any

import fastapi
import pytest
from starlette.requests import HTTPConnection

from dayfly.gateway import same_site

OWN = "http://127.0.0.1:30080"


def connection(kind: str, method: str = "", **headers: str) -> HTTPConnection:
    scope = {"type": kind, "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    return HTTPConnection(scope | ({"method": method} if method else {}))


@pytest.mark.parametrize(
    ("method", "host", "origin", "allowed"),
    [
        ("GET", "127.0.0.1:30080", None, True),
        ("GET", "localhost:30080", "http://evil.example", True),  # the browser keeps the answer from that page
        ("GET", "[::1]:30080", None, True),
        ("GET", "evil.example:30080", None, False),  # a name of theirs that leads here
        ("POST", "127.0.0.1:30080", None, True),
        ("POST", "127.0.0.1:30080", "http://127.0.0.1:30080", True),
        ("POST", "127.0.0.1:30080", "http://evil.example", False),
        ("POST", "127.0.0.1:30080", "null", False),
        ("DELETE", "127.0.0.1:30080", "http://127.0.0.1:1", False),
    ],
)
def test_requests(method: str, host: str, origin: str | None, allowed: bool) -> None:
    asked = connection("http", method, host=host, **({"origin": origin} if origin else {}))
    if allowed:
        same_site.check(asked, OWN)
    else:
        with pytest.raises(fastapi.HTTPException, match=r"may not change|is not"):
            same_site.check(asked, OWN)


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("127.0.0.1:30080", None, True),
        ("127.0.0.1:30080", "null", True),
        ("127.0.0.1:30080", "http://127.0.0.1:30080", True),
        ("127.0.0.1:30080", "http://evil.example", False),
        ("evil.example", "http://evil.example", False),
    ],
)
def test_sockets(host: str, origin: str | None, allowed: bool) -> None:
    asked = connection("websocket", host=host, **({"origin": origin} if origin else {}))
    if allowed:
        same_site.check_socket(asked, OWN)
    else:
        with pytest.raises(fastapi.HTTPException):
            same_site.check_socket(asked, OWN)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [(None, True), (OWN, True), ("http://evil.example", False), ("null", False)],
)
async def test_sockets_of_a_whole_application_are_closed_before_they_open(origin: str | None, allowed: bool) -> None:
    seen: list[str] = []
    sent: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asked = connection("websocket", host="127.0.0.1:30080", **({"origin": origin} if origin else {}))
    await same_site.Guarded(inner, OWN)(asked.scope, receive, send)
    assert seen == (["websocket"] if allowed else [])
    assert [(one["type"], one["code"]) for one in sent] == ([] if allowed else [("websocket.close", 1008)])


def test_a_public_server_has_any_name() -> None:
    same_site.check(connection("http", "GET", host="dayfly.example"), "https://dayfly.example")
