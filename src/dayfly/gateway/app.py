"""The HTTP application: its routes, and the promise that every error is JSON with a message.

Routers of other parts (console pages) are handed in by `assembly`; they know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import fastapi
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dayfly.base import errors, ids, logs
from dayfly.gateway import data_links, health, log_files, same_site
from dayfly.ports.blobs import Blobs
from dayfly.ports.links import Links

log = logs.get("dayfly.gateway")

STATUSES: tuple[tuple[type[errors.DayflyError], int, str], ...] = (
    (errors.InvalidArgument, 400, "INVALID_ARGUMENT"),
    (errors.NotFound, 404, "NOT_FOUND"),
    (errors.AlreadyExists, 409, "ALREADY_EXISTS"),
    (errors.FailedPrecondition, 409, "FAILED_PRECONDITION"),
    (errors.ResourceExhausted, 413, "RESOURCE_EXHAUSTED"),
    (errors.PermissionDenied, 403, "PERMISSION_DENIED"),
    (errors.UserError, 400, "INVALID_ARGUMENT"),
    (errors.PlatformError, 503, "UNAVAILABLE"),
    (errors.DayflyError, 500, "INTERNAL"),
)
"""HTTP status, and gRPC's code for the same. First match wins."""

CODES = {status: code for _, status, code in reversed(STATUSES)} | {405: "UNIMPLEMENTED", 415: "INVALID_ARGUMENT"}
"""gRPC's code by HTTP status, where that is all there is."""


def build(
    *,
    blobs: Blobs,
    links: Links,
    logs_of: log_files.LogFiles,
    registry: CollectorRegistry,
    version: str,
    public_url: str = "",
    ready: Callable[[], bool] = lambda: True,
    routers: Sequence[fastapi.APIRouter] = (),
    mounted: Mapping[str, ASGIApp] = MappingProxyType({}),
) -> fastapi.FastAPI:
    """Return the application.

    `public_url` names the host that browsers may use, any if it is empty. `ready` says whether `/healthcheck` shall say
    so; `routers` are served beside ours, and whole applications below the paths they are `mounted` at.
    """
    app = fastapi.FastAPI(title="Dayfly", version=version, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(data_links.router(blobs, links))
    app.include_router(log_files.router(logs_of), dependencies=[same_site.guard(public_url)])
    app.include_router(health.router(registry, ready))
    for router in routers:
        app.include_router(router)
    for path, part in mounted.items():
        app.mount(path, same_site.Guarded(part, public_url))
    _answer_errors(app)
    app.add_middleware(Outermost)
    return app


def _answer_errors(app: fastapi.FastAPI) -> None:
    @app.exception_handler(errors.DayflyError)
    async def refused(_: fastapi.Request, error: errors.DayflyError) -> fastapi.Response:
        status, code = next((status, code) for kind, status, code in STATUSES if isinstance(error, kind))
        return error_response(status, str(error), code=code, remedy=error.remedy)

    @app.exception_handler(HTTPException)
    async def not_served(request: fastapi.Request, error: HTTPException) -> fastapi.Response:
        return error_response(error.status_code, f"{request.method} {request.url.path}: {error.detail}")

    @app.exception_handler(RequestValidationError)
    async def malformed(request: fastapi.Request, error: RequestValidationError) -> fastapi.Response:
        told = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
        return error_response(400, f"{request.url.path}: {told}")


class Outermost:
    """ASGI middleware: what nobody caught becomes a 500 and a log entry, or a cut answer where it had begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  ASGI names and documents it
        began = False

        async def noting(message: Message) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:  # Everything: a door's outermost loop reports, and the server goes on.
            incident = ids.unique()[:12]
            log.error("request failed", path=scope.get("path"), incident=incident, exc_info=True)
            if not began:
                told = f"The server failed; its log has the traceback under incident {incident}."
                await error_response(500, told)(scope, receive, send)


def error_response(status: int, message: str, *, code: str = "", remedy: str = "") -> fastapi.responses.JSONResponse:
    """Return an error as JSON, in the form of `extras.answers.Problem`."""
    told = {"error": message, "code": code or CODES.get(status, "UNKNOWN"), "remedy": remedy}
    return fastapi.responses.JSONResponse(told, status_code=status)
