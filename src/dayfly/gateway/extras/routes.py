"""All routes of Dayfly's own HTTP API, and the document that describes them."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import fastapi

from dayfly.base.clock import Clock
from dayfly.gateway import same_site
from dayfly.gateway.extras import (
    advice,
    asking,
    cache,
    clusters,
    describing,
    event_log,
    health,
    log_view,
    logs,
    overview,
    previews,
)
from dayfly.ports.attempt_logs import AttemptLogs
from dayfly.ports.blobs import Blobs
from dayfly.ports.catalog import Catalog
from dayfly.ports.history import History
from dayfly.ports.overview import Overview
from dayfly.ports.records import Records
from dayfly.ports.runs import Runs


class Sources(NamedTuple):
    """Where answers come from."""

    logs: AttemptLogs
    runs: Runs
    history: History
    records: Records
    catalog: Catalog
    blobs: Blobs
    overview: Overview
    platform: health.Platform
    clock: Clock


def router(sources: Sources, *, version: str, public_url: str, closing: asyncio.Event) -> fastapi.APIRouter:
    """Return the routes. `public_url` names the host that browsers may use; `closing` ends what is followed."""
    routes = fastapi.APIRouter(
        prefix=describing.PREFIX,
        dependencies=[same_site.guard(public_url)],
        generate_unique_id_function=lambda route: route.name,
    )
    find_attempt = sources.runs.find_attempt
    for one in (
        event_log.router(sources.history, sources.runs.find_execution, closing),
        logs.router(sources.logs, find_attempt, closing),
        log_view.router(sources.logs, find_attempt, closing),
        clusters.router(sources.history, sources.records, find_attempt),
        advice.router(sources.history, sources.records),
        cache.router(sources.catalog),
        previews.router(sources.blobs),
        overview.router(sources.overview, sources.clock),
        health.router(sources.overview, sources.platform, sources.clock, version),
    ):
        routes.include_router(one)

    @routes.get(describing.PATH.removeprefix(describing.PREFIX), include_in_schema=False)
    async def describe(request: fastapi.Request) -> fastapi.Response:
        return asking.respond(describing.build(request.app.routes, version))

    return routes
