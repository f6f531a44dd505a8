"""The cache of outputs: what is in it, what it takes, and removing some of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import fastapi

from dayfly.base import clock, errors
from dayfly.gateway.extras import answers, asking, describing, examples
from dayfly.model import caching
from dayfly.model.caching import DATASET_PREFIX
from dayfly.model.identifiers import ExecutionId
from dayfly.ports.catalog import Catalog, Kept, Selection, Usage
from dayfly.ports.definitions import Page

MAX_TEXT = 1024
"""Characters of a condition."""


def _asked(told: str) -> Any:
    # No database has NUL characters in its texts.
    return fastapi.Query(description=told, max_length=MAX_TEXT, pattern=r"^[^\x00]*$")


def selection(
    project: Annotated[str, _asked("Only of this project's tasks.")] = "",
    domain: Annotated[str, _asked("Only of this domain.")] = "",
    task: Annotated[str, _asked("Only of the task of this name.")] = "",
    cache_version: Annotated[str, _asked("Only of this `cache_version` of the tasks.")] = "",
    execution: Annotated[str, _asked("Only what this execution made: `PROJECT/DOMAIN/NAME`.")] = "",
    artifact: Annotated[str, _asked("Only the one of this id.")] = "",
    before: Annotated[datetime | None, fastapi.Query(description="Only what was made before, RFC 3339.")] = None,
) -> Selection:
    """Return which entries a query means. Raise `InvalidArgument`."""
    return Selection(
        project=project,
        domain=domain,
        task=task,
        cache_version=cache_version,
        execution=_execution(execution) if execution else None,
        before=clock.from_datetime(before) if before is not None else None,
        artifact=artifact,
    )


Chosen = Annotated[Selection, fastapi.Depends(selection)]
All = Annotated[bool, fastapi.Query(alias="all", description="Remove everything, where no condition is given.")]


def router(catalog: Catalog) -> fastapi.APIRouter:
    """Return the routes."""
    routes = fastapi.APIRouter(prefix="/cache", tags=["cache"])

    @routes.get(
        "/entries",
        summary="Cached outputs, newest first",
        responses=describing.answer("A page of entries.", examples.CACHE_PAGE),
    )
    async def list_cache_entries(
        chosen: Chosen, limit: asking.Limit = 100, token: asking.Token = ""
    ) -> fastapi.Response:
        offset, position = asking.read_position(token)
        page = Page(limit=limit, offset=offset, position=position, sort_key="")
        found = await catalog.list_entries(chosen, page)
        return asking.respond(answers.CachePage([_entry(one) for one in found], asking.write_position(page, found)))

    @routes.get(
        "/sizes",
        summary="What cached outputs take, by task",
        responses=describing.answer("The tasks, the largest first, and all together.", examples.CACHE_SIZES),
    )
    async def read_cache_sizes(chosen: Chosen) -> fastapi.Response:
        tasks = [_usage(one) for one in await catalog.list_usage(chosen)]
        return asking.respond(
            answers.CacheSizes(tasks, sum(one.entries for one in tasks), sum(one.size_bytes for one in tasks))
        )

    @routes.delete(
        "/entries",
        summary="Remove cached outputs",
        description="Their tasks run again when they are asked for next. What they point to, such as files, stays.",
        responses=describing.answer("What was removed.", examples.CACHE_EVICTED),
    )
    async def evict_cache_entries(chosen: Chosen, everything: All = False) -> fastapi.Response:
        if chosen == Selection() and not everything:
            raise errors.InvalidArgument(
                "Nothing says which entries to remove.", remedy="Give a condition, or all=true for everything."
            )
        evicted = await catalog.evict(chosen)
        return asking.respond(answers.CacheEvicted(evicted.entries, evicted.size_bytes))

    return routes


def _execution(text: str) -> ExecutionId:
    parts = text.split("/")
    if len(parts) != 3:
        raise errors.InvalidArgument(
            f"{text[:100]!r} does not name an execution.", remedy="Write it as PROJECT/DOMAIN/NAME."
        )
    asking.check_names(*parts)
    return ExecutionId(*parts)


def _entry(kept: Kept) -> answers.CacheEntry:
    dataset, source = kept.dataset, kept.source
    made = source.execution
    return answers.CacheEntry(
        project=dataset.project,
        domain=dataset.domain,
        task=dataset.name.removeprefix(DATASET_PREFIX),
        cache_version=caching.cache_version(dataset.version),
        task_version=source.task_version,
        execution=answers.CacheSource(made.project, made.domain, made.name, source.node, source.attempt),
        made_at=clock.to_datetime(kept.made_at),
        size_bytes=kept.size_bytes,
        artifact=kept.artifact_id,
        dataset_version=dataset.version,
        tags=list(kept.tags),
    )


def _usage(usage: Usage) -> answers.CacheUsage:
    return answers.CacheUsage(
        usage.project,
        usage.domain,
        usage.task,
        usage.entries,
        usage.size_bytes,
        clock.to_datetime(usage.oldest),
        clock.to_datetime(usage.newest),
    )
