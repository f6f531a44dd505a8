"""Entries of the cache by their key, and who is making one. Called by `catalog`, in its transactions.

An entry's artifact is named after the attempt that made it, so that keeping the same outputs twice keeps them once.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.base.clock import SECOND, Micros
from dayfly.model import caching
from dayfly.model.caching import CacheKey, Source
from dayfly.ports.catalog import (
    MAX_HEARTBEAT_SECONDS,
    MISSED_HEARTBEATS,
    Artifact,
    Dataset,
    DatasetId,
    Entry,
    Reservation,
)
from dayfly.stores import catalog_artifacts, schema, upserting

_datasets, _artifacts, _tags = schema.datasets, schema.artifacts, schema.artifact_tags
_reservations = schema.reservations
_KEY = (*catalog_artifacts.DATASET_KEY, "tag")

_ENTRY = (
    sa.select(
        _artifacts.c.artifact_id,
        _artifacts.c.metadata,
        _datasets.c.metadata.label("dataset_metadata"),
        _artifacts.c.made_at,
        _artifacts.c.data,
    )
    .join_from(_datasets, _tags, _tags.c.dataset_id == _datasets.c.id)
    .join(_artifacts, _artifacts.c.id == _tags.c.artifact)
    .where(
        *(_datasets.c[part] == sa.bindparam(f"in_{part}") for part in catalog_artifacts.DATASET_KEY),
        _tags.c.tag == sa.bindparam("in_tag"),
    )
)
_THIS = sa.and_(*(_reservations.c[part] == sa.bindparam(f"in_{part}") for part in _KEY))
_EXPIRED = _reservations.delete().where(_reservations.c.expires_at <= sa.bindparam("now"))
_HELD = sa.select(_reservations.c.owner, _reservations.c.expires_at).where(_THIS)
_RELEASE = _reservations.delete().where(_THIS, _reservations.c.owner == sa.bindparam("by"))


def find(connection: sa.Connection, key: CacheKey) -> Entry | None:
    """Return the entry, None if there is none."""
    row = connection.execute(_ENTRY, _in_key(key)).one_or_none()
    return None if row is None else _entry(key, row)


def put(connection: sa.Connection, key: CacheKey, outputs: bytes, source: Source, at: Micros) -> Entry:
    """Keep outputs, unless the key has an entry already; return the one that is there now."""
    found = find(connection, key)
    if found is not None:
        return found
    dataset = _dataset(key)
    catalog_artifacts.keep_dataset(connection, Dataset(dataset, at, caching.dataset_metadata(source)))
    number = catalog_artifacts.get_dataset_row(connection, dataset).id
    artifact = Artifact(dataset, _artifact_id(key, source), outputs, at, caching.source_metadata(source))
    added = catalog_artifacts.keep(connection, number, artifact)
    if added is not None and not catalog_artifacts.keep_tag(connection, number, key.tag, added):
        # Somebody else was first, by a moment.
        connection.execute(_artifacts.delete().where(_artifacts.c.id == added))
    return find(connection, key) or Entry(key, artifact.id, outputs, source, at)


def overwrite(connection: sa.Connection, key: CacheKey, outputs: bytes, source: Source, at: Micros) -> Entry:
    """Keep outputs in place of those that the key may have."""
    metadata = caching.source_metadata(source)
    try:
        artifact_id = catalog_artifacts.update(connection, _dataset(key), outputs, metadata, at, tag=key.tag)
    except errors.NotFound:
        return put(connection, key, outputs, source, at)
    return Entry(key, artifact_id, outputs, source, at)


def reserve(connection: sa.Connection, key: CacheKey, owner: str, heartbeat_seconds: float, now: Micros) -> Reservation:
    """Reserve the key for `owner`, or extend what it holds. Return who holds it now."""
    heartbeat = min(heartbeat_seconds, MAX_HEARTBEAT_SECONDS)
    until = Micros(now + int(heartbeat * MISSED_HEARTBEATS * SECOND))
    connection.execute(_EXPIRED, {"now": now})
    row = {**{part: getattr(key, part) for part in _KEY}, "owner": owner, "expires_at": until}
    connection.execute(upserting.extending(connection.dialect.name, _reservations, _KEY, "owner", ("expires_at",)), row)
    held = connection.execute(_HELD, _in_key(key)).one()
    return Reservation(held.owner, heartbeat, Micros(held.expires_at))


def release(connection: sa.Connection, key: CacheKey, owner: str) -> bool:
    """Give a reservation back. Return whether `owner` held it."""
    return bool(connection.execute(_RELEASE, {**_in_key(key), "by": owner}).rowcount)


def _in_key(key: CacheKey) -> dict[str, str]:
    return {f"in_{part}": getattr(key, part) for part in _KEY}


def _dataset(key: CacheKey) -> DatasetId:
    return DatasetId(key.project, key.domain, key.name, key.version)


def _artifact_id(key: CacheKey, source: Source) -> str:
    made = f"{key}/{source.execution}/{source.node}/{source.attempt}"
    return hashlib.sha256(made.encode()).hexdigest()[:32]


def _entry(key: CacheKey, row: Any) -> Entry:
    metadata, of_dataset = json.loads(row.metadata), json.loads(row.dataset_metadata)
    source = caching.read_source(metadata, of_dataset, project=key.project, domain=key.domain)
    return Entry(key, row.artifact_id, bytes(row.data), source, Micros(row.made_at))
