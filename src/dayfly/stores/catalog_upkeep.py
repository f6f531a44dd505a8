"""Looking after the cache: what is in it, what it takes, and removing some of it. Called by `catalog`, in its
transactions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from dayfly.base.clock import Micros
from dayfly.model import caching
from dayfly.ports.catalog import DatasetId, Evicted, Kept, Selection, Usage
from dayfly.ports.definitions import Listed, Page
from dayfly.stores import catalog_artifacts, fields, filtering, pages, schema
from dayfly.stores.pages import Order

_datasets, _artifacts = schema.datasets, schema.artifacts

_SIGNATURES = "-" + "_" * caching.SIGNATURE_LENGTH
"""As a pattern: any one signature, behind its dash."""

_COLUMNS = (
    _artifacts.c.id.label("number"),
    _artifacts.c.artifact_id,
    _artifacts.c.metadata,
    _artifacts.c.made_at,
    _artifacts.c.size_bytes,
    *(_datasets.c[part] for part in catalog_artifacts.DATASET_KEY),
    _datasets.c.metadata.label("dataset_metadata"),
)


def list_entries(connection: sa.Connection, selection: Selection, page: Page) -> Listed[Kept]:
    """Return entries, newest first unless sorted otherwise."""
    query = _chosen(selection, *_COLUMNS).where(*filtering.conditions(page, fields.ENTRIES))
    newest, scope = Order(_artifacts.c.made_at, descending=True), ("entries", *_told(selection))
    rows = pages.listing(query, page, fields.ENTRIES, newest, _artifacts.c.id, scope).read(connection, lambda row: row)
    tags = catalog_artifacts.tags_of(connection, [row.number for row in rows])
    return Listed((_kept(row, tags.get(row.number, [])) for row in rows), rows.position)


def list_usage(connection: sa.Connection, selection: Selection) -> list[Usage]:
    """Return what entries take by task, the largest first."""
    task = (_datasets.c.project, _datasets.c.domain, _datasets.c.name)
    size: sa.ColumnElement[int] = sa.cast(sa.func.sum(_artifacts.c.size_bytes), sa.BigInteger)
    made = _artifacts.c.made_at
    query = _chosen(selection, *task, sa.func.count(), size, sa.func.min(made), sa.func.max(made)).group_by(*task)
    rows = connection.execute(query.order_by(size.desc(), *task)).all()
    return [
        Usage(
            project, domain, name.removeprefix(caching.DATASET_PREFIX), entries, taken, Micros(oldest), Micros(newest)
        )
        for project, domain, name, entries, taken, oldest, newest in rows
    ]


def choose(connection: sa.Connection, selection: Selection) -> list[int]:
    """Return the numbers of the entries that are meant."""
    return list(connection.execute(_chosen(selection, _artifacts.c.id)).scalars())


def evict(connection: sa.Connection, selection: Selection, numbers: Sequence[int]) -> Evicted:
    """Remove those of some entries that are meant still, with their tags and partitions."""
    chosen = _chosen(selection, _artifacts.c.id, _artifacts.c.size_bytes).where(_artifacts.c.id.in_(numbers))
    rows = connection.execute(chosen.with_for_update(of=_artifacts)).all()
    connection.execute(_artifacts.delete().where(_artifacts.c.id.in_([row.id for row in rows])))
    return Evicted(len(rows), sum(row.size_bytes for row in rows))


def _chosen(selection: Selection, *columns: Any) -> sa.Select[Any]:
    joined = sa.select(*columns).join_from(_artifacts, _datasets, _datasets.c.id == _artifacts.c.dataset_id)
    return joined.where(*_conditions(selection))


def _conditions(selection: Selection) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    for part in ("project", "domain"):
        if getattr(selection, part):
            where.append(_datasets.c[part] == getattr(selection, part))
    if selection.task:
        # What others keep in the catalog may be named as they like.
        where.append(_datasets.c.name.in_((f"{caching.DATASET_PREFIX}{selection.task}", selection.task)))
    if selection.cache_version:
        where.append(_of_version(selection.cache_version))
    if selection.execution is not None:
        named = msgspec.structs.asdict(selection.execution)
        where.extend(_artifacts.c[f"execution_{part}"] == text for part, text in named.items())
    if selection.before is not None:
        where.append(_artifacts.c.made_at < selection.before)
    if selection.artifact:
        where.append(_artifacts.c.artifact_id == selection.artifact)
    return where


def _of_version(cache_version: str) -> sa.ColumnElement[bool]:
    escaped = cache_version.replace("/", "//").replace("_", "/_").replace("%", "/%")
    signed = _datasets.c.version.like(f"{escaped}{_SIGNATURES}{_SIGNATURES}", escape="/")
    return sa.or_(signed, _datasets.c.version == cache_version)


def _told(selection: Selection) -> tuple[str, ...]:
    """Return the selection as text, which names the list among others."""
    return tuple(str(part) for part in msgspec.structs.astuple(selection))


def _kept(row: Any, tags: list[str]) -> Kept:
    dataset = DatasetId(*(getattr(row, part) for part in catalog_artifacts.DATASET_KEY))
    source = caching.read_source(
        json.loads(row.metadata), json.loads(row.dataset_metadata), project=row.project, domain=row.domain
    )
    return Kept(dataset, row.artifact_id, source, Micros(row.made_at), row.size_bytes, tuple(tags))
