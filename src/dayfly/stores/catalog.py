"""The catalog of cached outputs in SQL. Implements `ports.catalog.Catalog`.

What the engine's side does is in `catalog_entries`, datasets and artifacts in `catalog_artifacts`, looking after them
in `catalog_upkeep`; this is where their transactions begin.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from dayfly.base.clock import Clock, Micros
from dayfly.model.caching import CacheKey, Source
from dayfly.ports.catalog import (
    Artifact,
    Dataset,
    DatasetId,
    Entry,
    Evicted,
    Kept,
    Reservation,
    Selection,
    Usage,
)
from dayfly.ports.definitions import Listed, Page
from dayfly.stores import catalog_artifacts, catalog_entries, catalog_upkeep, server_time
from dayfly.stores.connections import Connections


class SqlCatalog:
    """`Catalog` over a database."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections, self._clock = connections, clock

    # -- the engine's side --------------------------------------------------------------------------------------------
    async def find(self, key: CacheKey, *, since: Micros | None = None) -> Entry | None:
        """Return the entry, None where there is none, or only one made before `since`."""
        found = await self._connections.read(lambda connection: catalog_entries.find(connection, key))
        return None if found is None or (since is not None and found.made_at < since) else found

    async def put(self, key: CacheKey, outputs: bytes, source: Source, at: Micros) -> Entry:
        """Keep outputs, unless the key has an entry already; return the one that is there now."""
        return await self._connections.write(
            lambda connection: catalog_entries.put(connection, key, outputs, source, at)
        )

    async def overwrite(self, key: CacheKey, outputs: bytes, source: Source, at: Micros) -> Entry:
        """Keep outputs in place of those that the key may have."""
        return await self._connections.write(
            lambda connection: catalog_entries.overwrite(connection, key, outputs, source, at)
        )

    async def reserve(self, key: CacheKey, owner: str, heartbeat_seconds: float) -> Reservation:
        """Reserve the key for `owner`, or extend what it holds. Return who holds it now."""
        return await self._connections.write(
            lambda connection: catalog_entries.reserve(
                connection, key, owner, heartbeat_seconds, server_time.now(connection, self._clock)
            )
        )

    async def release(self, key: CacheKey, owner: str) -> bool:
        """Give a reservation back. Return whether `owner` held it."""
        return await self._connections.write(lambda connection: catalog_entries.release(connection, key, owner))

    # -- DataCatalog's side -------------------------------------------------------------------------------------------
    async def create_dataset(self, dataset: Dataset) -> None:
        """Add a dataset. Raise `AlreadyExists`."""
        await self._connections.write(lambda connection: catalog_artifacts.create_dataset(connection, dataset))

    async def find_dataset(self, dataset: DatasetId) -> Dataset | None:
        """Return a dataset, None if unknown."""
        return await self._connections.read(lambda connection: catalog_artifacts.find_dataset(connection, dataset))

    async def list_datasets(self, page: Page) -> Listed[Dataset]:
        """Return datasets."""
        listing = catalog_artifacts.datasets(page)
        return await self._connections.read(lambda connection: listing.read(connection, catalog_artifacts.to_dataset))

    async def create_artifact(self, artifact: Artifact) -> None:
        """Add an artifact. Raise `NotFound` for its dataset, `AlreadyExists`, `InvalidArgument` for its partitions."""
        await self._connections.write(lambda connection: catalog_artifacts.create(connection, artifact))

    async def find_artifact(self, dataset: DatasetId, artifact_id: str) -> Artifact | None:
        """Return an artifact by its id, None if unknown."""
        return await self._connections.read(
            lambda connection: catalog_artifacts.find(connection, dataset, artifact_id=artifact_id)
        )

    async def find_tagged(self, dataset: DatasetId, tag: str) -> Artifact | None:
        """Return the artifact that has the tag, None if none has."""
        return await self._connections.read(lambda connection: catalog_artifacts.find(connection, dataset, tag=tag))

    async def list_artifacts(
        self, dataset: DatasetId, page: Page, *, tags: Sequence[str] = (), partitions: Sequence[tuple[str, str]] = ()
    ) -> Listed[Artifact]:
        """Return artifacts of a dataset that have all these tags and partitions. Raise `NotFound` for the dataset."""
        return await self._connections.read(
            lambda connection: catalog_artifacts.list_artifacts(connection, dataset, page, tags, partitions)
        )

    async def add_tag(self, dataset: DatasetId, tag: str, artifact_id: str) -> None:
        """Name an artifact. Raise `NotFound` for dataset or artifact, `AlreadyExists` where the tag is in use."""
        await self._connections.write(
            lambda connection: catalog_artifacts.add_tag(connection, dataset, tag, artifact_id)
        )

    async def update_artifact(
        self, dataset: DatasetId, data: bytes, metadata: Mapping[str, str], at: Micros, *, artifact_id: str, tag: str
    ) -> str:
        """Replace the outputs, and the metadata where some are given, of an artifact. Return its id. Raise
        `NotFound`."""
        return await self._connections.write(
            lambda connection: catalog_artifacts.update(
                connection, dataset, data, metadata, at, artifact_id=artifact_id, tag=tag
            )
        )

    # -- looking after it ---------------------------------------------------------------------------------------------
    async def list_entries(self, selection: Selection, page: Page) -> Listed[Kept]:
        """Return entries, newest first unless sorted otherwise."""
        return await self._connections.read(lambda connection: catalog_upkeep.list_entries(connection, selection, page))

    async def list_usage(self, selection: Selection) -> list[Usage]:
        """Return what entries take by task, the largest first."""
        return await self._connections.read(lambda connection: catalog_upkeep.list_usage(connection, selection))

    async def evict(self, selection: Selection) -> Evicted:
        """Remove entries; reservations and datasets stay. What is kept meanwhile stays too."""
        numbers = await self._connections.read(lambda connection: catalog_upkeep.choose(connection, selection))
        entries = size_bytes = 0
        for some in catalog_artifacts.portions(numbers):
            done = await self._connections.write(
                functools.partial(catalog_upkeep.evict, selection=selection, numbers=some)
            )
            entries, size_bytes = entries + done.entries, size_bytes + done.size_bytes
        return Evicted(entries, size_bytes)
