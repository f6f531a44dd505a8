"""Flight records of Dask clusters over HTTP: summed up, or frame by frame for a replay; while they grow and after."""

from __future__ import annotations

from typing import Annotated, Any

import fastapi
import msgspec

from dayfly.base import errors
from dayfly.gateway import log_files, same_site
from dayfly.model import identifiers
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.records import Records

PATH = "/{project}/{domain}/{execution}/{node}/{attempt}"

MAX_FRAMES = 1000
"""In one answer: a quarter of an hour."""

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def router(records: Records, *, public_url: str) -> fastapi.APIRouter:
    """Return the routes. `public_url` names the host that browsers may use."""
    routes = fastapi.APIRouter(
        prefix="/api/dayfly/v1/records", tags=["links"], dependencies=[same_site.guard(public_url)]
    )

    @routes.get(PATH, summary="A cluster's record, summed up", operation_id="read_linked_record")
    async def summary(project: str, domain: str, execution: str, node: str, attempt: int) -> fastapi.Response:
        key = _key(project, domain, execution, node, attempt)
        found = await records.summary(key)
        if found is None:
            raise errors.NotFound(f"There is no record of a Dask cluster for attempt {attempt} of {execution}/{node}.")
        told: dict[str, Any] = msgspec.to_builtins(found)
        return _json({**told, "idle_share": found.idle_share})

    @routes.get(PATH + "/frames", summary="A cluster's record, second by second", operation_id="read_linked_frames")
    async def frames(
        project: str,
        domain: str,
        execution: str,
        node: str,
        attempt: int,
        since: float = 0.0,
        limit: Annotated[int, fastapi.Query(ge=1, le=MAX_FRAMES)] = MAX_FRAMES,
    ) -> fastapi.Response:
        key = _key(project, domain, execution, node, attempt)
        return _json({"frames": await records.frames(key, since=since, limit=limit)})

    return routes


def _key(project: str, domain: str, execution: str, node: str, attempt: int) -> AttemptKey:
    for part in (project, domain, execution, node):
        if not log_files.PART.fullmatch(part) or part in (".", ".."):
            raise errors.InvalidArgument(f"{part!r} is not a name that a record can have.")
    return identifiers.attempt_key(
        identifiers.ExecutionId(project, domain, execution), identifiers.NodeId(node), attempt
    )


def _json(told: dict[str, Any]) -> fastapi.Response:
    return fastapi.Response(msgspec.json.encode(told), media_type="application/json", headers=HEADERS)
