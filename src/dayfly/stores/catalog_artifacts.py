"""Datasets, the artifacts in them, and the tags that these are found by. Called by `catalog` and its neighbours, in
their transactions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.model import caching
from dayfly.ports.catalog import Artifact, Dataset, DatasetId
from dayfly.ports.definitions import Listed, Page
from dayfly.stores import fields, filtering, pages, schema, upserting
from dayfly.stores.pages import Listing, Order

_datasets, _artifacts = schema.datasets, schema.artifacts
_partitions, _tags = schema.artifact_partitions, schema.artifact_tags

DATASET_KEY = ("project", "domain", "name", "version")
ARTIFACT_KEY = ("dataset_id", "artifact_id")
TAG_KEY = ("dataset_id", "tag")

PER_STATEMENT = 500
"""Rows that one statement names: databases limit the number of bound values."""

_THIS_DATASET = sa.and_(*(_datasets.c[part] == sa.bindparam(f"in_{part}") for part in DATASET_KEY))
_DATASET = sa.select(_datasets).where(_THIS_DATASET)
_IN_DATASET = (
    sa.select(
        _artifacts.c.id.label("number"),
        _artifacts.c.artifact_id,
        _artifacts.c.metadata,
        _artifacts.c.created_at,
        _artifacts.c.data,
    )
    .join_from(_artifacts, _datasets, _datasets.c.id == _artifacts.c.dataset_id)
    .where(_THIS_DATASET)
)
_BY_ID = _IN_DATASET.where(_artifacts.c.artifact_id == sa.bindparam("which"))
_BY_TAG = _IN_DATASET.join(_tags, _tags.c.artifact == _artifacts.c.id).where(_tags.c.tag == sa.bindparam("which"))


def in_dataset(dataset: DatasetId) -> dict[str, str]:
    """Return the values that the statements here bind for a dataset."""
    return {f"in_{part}": getattr(dataset, part) for part in DATASET_KEY}


def create_dataset(connection: sa.Connection, dataset: Dataset) -> None:
    """Add a dataset. Raise `AlreadyExists`."""
    if not keep_dataset(connection, dataset):
        raise errors.AlreadyExists(f"{dataset.id} exists already.")


def keep_dataset(connection: sa.Connection, dataset: Dataset) -> bool:
    """Add a dataset, unless it is there. Return whether it was added."""
    insert = upserting.keeping(connection.dialect.name, _datasets, DATASET_KEY)
    row = {
        **{part: getattr(dataset.id, part) for part in DATASET_KEY},
        "metadata": json.dumps(dataset.metadata),
        "partition_keys": json.dumps(dataset.partition_keys),
        "created_at": dataset.created_at,
    }
    return bool(connection.execute(insert, row).rowcount)


def find_dataset(connection: sa.Connection, dataset: DatasetId) -> Dataset | None:
    """Return a dataset, None if unknown."""
    row = connection.execute(_DATASET, in_dataset(dataset)).one_or_none()
    return None if row is None else to_dataset(row)


def get_dataset_row(connection: sa.Connection, dataset: DatasetId) -> Any:
    """Return the row of a dataset. Raise `NotFound`."""
    row = connection.execute(_DATASET, in_dataset(dataset)).one_or_none()
    if row is None:
        raise errors.NotFound(f"{dataset} does not exist.", remedy="Create it first, or check its project and domain.")
    return row


def datasets(page: Page) -> Listing:
    """Return the list of datasets. Raise `InvalidArgument`."""
    query = sa.select(_datasets).where(*filtering.conditions(page, fields.DATASETS))
    first = Order(_datasets.c.id, descending=True)
    return pages.listing(query, page, fields.DATASETS, first, _datasets.c.id, ("datasets",))


def to_dataset(row: Any) -> Dataset:
    """Return the dataset of a row."""
    return Dataset(
        DatasetId(*(getattr(row, part) for part in DATASET_KEY)),
        Micros(row.created_at),
        json.loads(row.metadata),
        tuple(json.loads(row.partition_keys)),
    )


def create(connection: sa.Connection, artifact: Artifact) -> None:
    """Add an artifact. Raise `NotFound` for its dataset, `AlreadyExists`, `InvalidArgument` for its partitions."""
    dataset = get_dataset_row(connection, artifact.dataset)
    wanted = json.loads(dataset.partition_keys)
    if set(artifact.partitions) != set(wanted):
        named = ", ".join(sorted(artifact.partitions)) or "none"
        raise errors.InvalidArgument(
            f"artifact {artifact.id} has the partitions {named}; {artifact.dataset} has {', '.join(wanted) or 'none'}.",
            remedy="Give a value for each of the dataset's partition keys, and for nothing else.",
        )
    if not keep(connection, dataset.id, artifact):
        raise errors.AlreadyExists(f"artifact {artifact.id} exists already in {artifact.dataset}.")


def keep(connection: sa.Connection, dataset: int, artifact: Artifact) -> int | None:
    """Add an artifact to the dataset of that number, unless it is there. Return its number, None if it was."""
    insert = upserting.keeping(connection.dialect.name, _artifacts, ARTIFACT_KEY)
    row = {
        "dataset_id": dataset,
        "artifact_id": artifact.id,
        "created_at": artifact.created_at,
        **_changing(artifact.data, artifact.metadata, artifact.created_at),
    }
    if not connection.execute(insert, row).rowcount:
        return None
    number: int = connection.execute(_BY_ID, {**in_dataset(artifact.dataset), "which": artifact.id}).one().number
    if artifact.partitions:
        values = [{"artifact": number, "key": key, "value": value} for key, value in artifact.partitions.items()]
        connection.execute(_partitions.insert(), values)
    return number


def find(connection: sa.Connection, dataset: DatasetId, *, artifact_id: str = "", tag: str = "") -> Artifact | None:
    """Return the artifact that `artifact_id` or else `tag` names, None if there is none."""
    row = _find(connection, dataset, artifact_id, tag)
    return None if row is None else _with_names(connection, dataset, [row])[0]


def list_artifacts(
    connection: sa.Connection,
    dataset: DatasetId,
    page: Page,
    tags: Sequence[str],
    partitions: Sequence[tuple[str, str]],
) -> Listed[Artifact]:
    """Return artifacts that have all these tags and partitions. Raise `NotFound` for the dataset."""
    number = get_dataset_row(connection, dataset).id
    where = [
        *(_has(_tags, _tags.c.tag == tag) for tag in tags),
        *(_has(_partitions, _partitions.c.key == key, _partitions.c.value == value) for key, value in partitions),
    ]
    query = _IN_DATASET.where(*where, *filtering.conditions(page, fields.ARTIFACTS))
    scope = ("artifacts", str(number), *tags, *(text for pair in partitions for text in pair))
    first = Order(_artifacts.c.id, descending=True)
    listing = pages.listing(query, page, fields.ARTIFACTS, first, _artifacts.c.id, scope)
    rows = listing.read(connection, lambda row: row, in_dataset(dataset))
    return Listed(_with_names(connection, dataset, rows), rows.position)


def add_tag(connection: sa.Connection, dataset: DatasetId, tag: str, artifact_id: str) -> None:
    """Name an artifact. Raise `NotFound` for dataset or artifact, `AlreadyExists` where the tag is in use."""
    number = get_dataset_row(connection, dataset).id
    artifact = _find(connection, dataset, artifact_id, "")
    if artifact is None:
        raise _unknown(dataset, artifact_id, "")
    if not keep_tag(connection, number, tag, artifact.number):
        raise errors.AlreadyExists(f"tag {tag} is in use already in {dataset}.")


def keep_tag(connection: sa.Connection, dataset: int, tag: str, artifact: int) -> bool:
    """Name an artifact by the numbers of both, unless the tag is in use. Return whether it was added."""
    insert = upserting.keeping(connection.dialect.name, _tags, TAG_KEY)
    return bool(connection.execute(insert, {"dataset_id": dataset, "tag": tag, "artifact": artifact}).rowcount)


def update(
    connection: sa.Connection,
    dataset: DatasetId,
    data: bytes,
    metadata: Mapping[str, str],
    at: Micros,
    *,
    artifact_id: str = "",
    tag: str = "",
) -> str:
    """Replace the outputs, and the metadata where some are given, of an artifact. Return its id. Raise `NotFound`."""
    row = _find(connection, dataset, artifact_id, tag)
    if row is None:
        raise _unknown(dataset, artifact_id, tag)
    changes = _changing(data, metadata or json.loads(row.metadata), at)
    done = connection.execute(_artifacts.update().where(_artifacts.c.id == row.number).values(changes))
    if not done.rowcount:  # evicted just now
        raise _unknown(dataset, artifact_id, tag)
    return str(row.artifact_id)


def tags_of(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of artifacts by their numbers, in the order they were given."""
    found: dict[int, list[str]] = {}
    for some in portions(numbers):
        query = sa.select(_tags.c.artifact, _tags.c.tag).where(_tags.c.artifact.in_(some)).order_by(_tags.c.id)
        for number, tag in connection.execute(query):
            found.setdefault(number, []).append(tag)
    return found


def portions(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Return the numbers of rows in portions that a statement can name."""
    return (numbers[start : start + PER_STATEMENT] for start in range(0, len(numbers), PER_STATEMENT))


def _changing(data: bytes, metadata: Mapping[str, str], at: Micros) -> dict[str, Any]:
    """Return the columns that change with the outputs."""
    source = caching.read_source(metadata, {})
    return {
        "metadata": json.dumps(dict(metadata)),
        "execution_project": source.execution.project,
        "execution_domain": source.execution.domain,
        "execution_name": source.execution.name,
        "made_at": at,
        "size_bytes": len(data),
        "data": data,
    }


def _has(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(table.c.artifact == _artifacts.c.id, *conditions).correlate(_artifacts)


def _find(connection: sa.Connection, dataset: DatasetId, artifact_id: str, tag: str) -> Any:
    query, which = (_BY_ID, artifact_id) if artifact_id else (_BY_TAG, tag)
    return connection.execute(query, {**in_dataset(dataset), "which": which}).one_or_none()


def _with_names(connection: sa.Connection, dataset: DatasetId, rows: Sequence[Any]) -> list[Artifact]:
    """Return the artifacts of rows, with their tags and partitions."""
    numbers = [row.number for row in rows]
    tags = tags_of(connection, numbers)
    partitions: dict[int, dict[str, str]] = {}
    for some in portions(numbers):
        query = sa.select(_partitions).where(_partitions.c.artifact.in_(some)).order_by(_partitions.c.id)
        for part in connection.execute(query):
            partitions.setdefault(part.artifact, {})[part.key] = part.value
    return [
        Artifact(
            dataset,
            row.artifact_id,
            bytes(row.data),
            Micros(row.created_at),
            json.loads(row.metadata),
            partitions.get(row.number, {}),
            tuple(tags.get(row.number, ())),
        )
        for row in rows
    ]


def _unknown(dataset: DatasetId, artifact_id: str, tag: str) -> errors.NotFound:
    named = f"artifact {artifact_id}" if artifact_id else f"artifact tagged {tag}"
    return errors.NotFound(f"{named} does not exist in {dataset}.")
