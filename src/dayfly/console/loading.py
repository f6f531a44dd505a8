"""The console as an ASGI application that costs nothing until somebody opens it.

NiceGUI takes half a second and some 30 MB to load, which `dayfly up` shall not wait for: the first request does. Used
by `assembly`, which mounts it at `addresses.ROOT`.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import TYPE_CHECKING, Any

import fastapi
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dayfly.console import addresses

if TYPE_CHECKING:
    from dayfly.console.site import Site

POLICY = "; ".join(
    (
        "default-src 'self'",
        # Vue compiles templates in the browser, and NiceGUI's page is a script within it.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        # Its websockets are its own as well.
        "connect-src 'self'",
        "frame-src 'self' blob:",
        "frame-ancestors 'self'",
        "object-src 'none'",
        "base-uri 'self'",
    )
)
"""Nothing comes from elsewhere: the console works with no internet."""

HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


def entrance() -> fastapi.APIRouter:
    """Return the route that leads from the server's root to the console."""
    routes = fastapi.APIRouter()

    @routes.get("/", include_in_schema=False)
    @routes.get(addresses.ROOT, include_in_schema=False)
    async def enter() -> fastapi.responses.RedirectResponse:
        return fastapi.responses.RedirectResponse(addresses.home())

    return routes


class Console:
    """The application. Close it when the server ends."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._loading = asyncio.Lock()
        self._app: ASGIApp | None = None
        self._life = contextlib.AsyncExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  ASGI names and documents it
        app = self._app or await self._load()

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await app(scope, receive, with_headers if scope["type"] == "http" else send)

    async def close(self) -> None:
        """End what pages left running."""
        await self._life.aclose()

    async def _load(self) -> ASGIApp:
        async with self._loading:
            app = self._app
            if app is None:
                # In a thread, so that executions go on meanwhile.
                building: Any = await asyncio.to_thread(importlib.import_module, "dayfly.console.building")
                started: ASGIApp = await self._life.enter_async_context(building.running(self._site))
                app = self._app = started
            return app
