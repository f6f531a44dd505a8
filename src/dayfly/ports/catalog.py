"""Outputs that are kept for the next who asks for the same: the store behind the cache, and behind DataCatalog's API.

An artifact is the outputs of one attempt. It is in a dataset, which stands for a task with its cache version and its
interface, and is found there by a tag, which stands for the inputs; how the two are named is in `model.caching`.
Artifacts keep literals, not the files that they point to: whoever takes an entry sees to it that those are still there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.caching import CacheKey, Source
from dayfly.model.identifiers import ExecutionId
from dayfly.ports.definitions import Listed, Page

MAX_HEARTBEAT_SECONDS = 10.0
"""A reservation is extended at least this often; who says a longer time is held to this one. Flyte's default."""

MISSED_HEARTBEATS = 3
"""How many heartbeats a reservation outlives its owner. Flyte's default."""


class DatasetId(msgspec.Struct, frozen=True):
    """A dataset."""

    project: str
    domain: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"dataset {self.project}:{self.domain}:{self.name}:{self.version}"


class Dataset(msgspec.Struct, frozen=True):
    """What a dataset is registered with."""

    id: DatasetId
    created_at: Micros
    metadata: dict[str, str] = {}
    partition_keys: tuple[str, ...] = ()
    """Keys of which each artifact has a value."""


class Artifact(msgspec.Struct, frozen=True):
    """Outputs in a dataset."""

    dataset: DatasetId
    id: str
    data: bytes
    """A flyteidl.core.LiteralMap."""
    created_at: Micros
    metadata: dict[str, str] = {}
    partitions: dict[str, str] = {}
    tags: tuple[str, ...] = ()


class Reservation(msgspec.Struct, frozen=True):
    """Who is making an entry, while others wait for it."""

    owner: str
    heartbeat_seconds: float
    """How often the owner has to extend it."""
    expires_at: Micros
    """By the database's time, when the owner counts as gone."""


class Entry(msgspec.Struct, frozen=True):
    """Outputs that may be taken instead of running a task."""

    key: CacheKey
    artifact_id: str
    outputs: bytes
    """A flyteidl.core.LiteralMap."""
    source: Source
    made_at: Micros
    """When these outputs were kept, which is later than the artifact's creation where others were overwritten."""


class Selection(msgspec.Struct, frozen=True):
    """Which entries are meant: those that meet every condition that is given; all, where none is."""

    project: str = ""
    domain: str = ""
    task: str = ""
    """The task's name, without Flyte's prefix."""
    cache_version: str = ""
    """As the task was registered with, without the signature of its interface."""
    execution: ExecutionId | None = None
    """The one that made them."""
    before: Micros | None = None
    """Made before this moment."""
    artifact: str = ""
    """The one of this id."""


class Kept(msgspec.Struct, frozen=True):
    """An entry in a list: all but its outputs."""

    dataset: DatasetId
    artifact_id: str
    source: Source
    made_at: Micros
    """As in `Entry`."""
    size_bytes: int
    """Of the outputs as they are kept here; files that they point to are not counted."""
    tags: tuple[str, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """What the entries of one task take."""

    project: str
    domain: str
    task: str
    entries: int
    size_bytes: int
    """As in `Kept`."""
    oldest: Micros
    newest: Micros


class Evicted(msgspec.Struct, frozen=True):
    """What was removed."""

    entries: int
    size_bytes: int


class Catalog(Protocol):
    """Entries in the database. Raises `StoreUnavailable`; lists raise `InvalidArgument` for unknown fields."""

    # -- the engine's side: entries by their key ----------------------------------------------------------------------
    async def find(self, key: CacheKey, *, since: Micros | None = None) -> Entry | None:
        """Return the entry, None where there is none, or only one made before `since`."""
        ...

    async def put(self, key: CacheKey, outputs: bytes, source: Source, at: Micros) -> Entry:
        """Keep outputs. Where the key has an entry already it stays as it is; return the one that is there now."""
        ...

    async def overwrite(self, key: CacheKey, outputs: bytes, source: Source, at: Micros) -> Entry:
        """Keep outputs in place of those that the key may have."""
        ...

    async def reserve(self, key: CacheKey, owner: str, heartbeat_seconds: float) -> Reservation:
        """Reserve the key for `owner`, or extend what it holds. Return who holds it now: somebody else, where that one
        was there first and has not expired."""
        ...

    async def release(self, key: CacheKey, owner: str) -> bool:
        """Give a reservation back. Return whether `owner` held it; if not, nothing changes."""
        ...

    # -- DataCatalog's side: datasets, artifacts, tags ----------------------------------------------------------------
    async def create_dataset(self, dataset: Dataset) -> None:
        """Add a dataset. Raise `AlreadyExists`."""
        ...

    async def find_dataset(self, dataset: DatasetId) -> Dataset | None:
        """Return a dataset, None if unknown."""
        ...

    async def list_datasets(self, page: Page) -> Listed[Dataset]:
        """Return datasets; fields: project, domain, name, version, created_at."""
        ...

    async def create_artifact(self, artifact: Artifact) -> None:
        """Add an artifact, whose `tags` are left alone. Raise `NotFound` for its dataset, `AlreadyExists`,
        `InvalidArgument` unless it has a value for each of the dataset's partition keys and for nothing else."""
        ...

    async def find_artifact(self, dataset: DatasetId, artifact_id: str) -> Artifact | None:
        """Return an artifact by its id, None if unknown."""
        ...

    async def find_tagged(self, dataset: DatasetId, tag: str) -> Artifact | None:
        """Return the artifact that has the tag, None if none has."""
        ...

    async def list_artifacts(
        self, dataset: DatasetId, page: Page, *, tags: Sequence[str] = (), partitions: Sequence[tuple[str, str]] = ()
    ) -> Listed[Artifact]:
        """Return artifacts of a dataset that have all these tags and partitions; fields: artifact_id, created_at. Raise
        `NotFound` for the dataset."""
        ...

    async def add_tag(self, dataset: DatasetId, tag: str, artifact_id: str) -> None:
        """Name an artifact. Raise `NotFound` for dataset or artifact, `AlreadyExists` where the tag is in use."""
        ...

    async def update_artifact(
        self, dataset: DatasetId, data: bytes, metadata: Mapping[str, str], at: Micros, *, artifact_id: str, tag: str
    ) -> str:
        """Replace the outputs, and the metadata where some are given, of the artifact that `artifact_id` or else `tag`
        names. Return its id. Raise `NotFound`."""
        ...

    # -- looking after it ---------------------------------------------------------------------------------------------
    async def list_entries(self, selection: Selection, page: Page) -> Listed[Kept]:
        """Return entries, newest first unless sorted otherwise; fields: project, domain, name, version, artifact_id,
        made_at, size_bytes."""
        ...

    async def list_usage(self, selection: Selection) -> list[Usage]:
        """Return what entries take by task, the largest first."""
        ...

    async def evict(self, selection: Selection) -> Evicted:
        """Remove entries; reservations and datasets stay. Many are removed in several commits, between which others go
        on, and what is kept meanwhile stays."""
        ...
