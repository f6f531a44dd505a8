"""Is it alive, and what has it counted."""

from __future__ import annotations

from collections.abc import Callable

import fastapi
import prometheus_client


def router(registry: prometheus_client.CollectorRegistry, ready: Callable[[], bool]) -> fastapi.APIRouter:
    """Return the routes."""
    routes = fastapi.APIRouter()

    @routes.get("/healthcheck")
    async def healthcheck() -> fastapi.Response:
        return fastapi.responses.JSONResponse({"ready": ready()}, status_code=200 if ready() else 503)

    @routes.get("/metrics")
    async def metrics() -> fastapi.Response:
        return fastapi.Response(
            prometheus_client.generate_latest(registry), media_type=prometheus_client.CONTENT_TYPE_LATEST
        )

    return routes
