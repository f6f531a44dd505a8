"""DataCatalog's lists: its filters and its paging, which are others than the rest of the API has. Pure; called by
`datacatalog`.

Source: datacatalog/pkg/repositories/transformers/filters.go and pagination.go in flyteorg/flyte.
"""

from __future__ import annotations

from typing import NamedTuple

from flyteidl.datacatalog import datacatalog_pb2

from dayfly.base import errors
from dayfly.ports.definitions import Filter, Page
from dayfly.services import paging

DEFAULT_LIMIT = 50
"""Rows of a page, where the request does not say."""

MAX_LIMIT = 100
"""Rows of a page at most: each may hold megabytes."""


class Asked(NamedTuple):
    """A page of artifacts, and what these must have."""

    page: Page
    tags: list[str]
    partitions: list[tuple[str, str]]


def of_datasets(request: datacatalog_pb2.ListDatasetsRequest) -> Page:
    """Return the page of datasets that is asked for. Raise `InvalidArgument`."""
    conditions = []
    for one in request.filter.filters:
        if _kind(one) != "dataset_filter":
            raise errors.InvalidArgument(f"Datasets have no {_kind(one)}.", remedy="Filter them by dataset_filter.")
        conditions.append(_condition(one.dataset_filter, _PARTS))
    return _page(request.pagination, conditions)


def of_artifacts(request: datacatalog_pb2.ListArtifactsRequest) -> Asked:
    """Return the page of artifacts that is asked for. Raise `InvalidArgument`."""
    conditions, tags, partitions = [], [], []
    for one in request.filter.filters:
        kind = _kind(one)
        if kind == "artifact_filter":
            conditions.append(_condition(one.artifact_filter, ("artifact_id",)))
        elif kind == "tag_filter":
            tags.append(_condition(one.tag_filter, ("tag_name",)).values[0])
        elif kind == "partition_filter":
            pair = one.partition_filter.key_val
            partitions.append((_given(pair.key, "key of a partition"), _given(pair.value, "value of a partition")))
        else:
            raise errors.InvalidArgument(
                "Artifacts are listed within one dataset.", remedy="Name it in the request instead of a dataset_filter."
            )
    return Asked(_page(request.pagination, conditions), tags, partitions)


_PARTS = ("project", "domain", "name", "version")


def _kind(one: datacatalog_pb2.SinglePropertyFilter) -> str:
    kind = one.WhichOneof("property_filter")
    if kind is None:
        raise errors.InvalidArgument("A filter has no property.")
    if one.operator != datacatalog_pb2.SinglePropertyFilter.EQUALS:
        raise errors.InvalidArgument(f"The filter operator {one.operator} is unknown.", remedy="Known is EQUALS.")
    return str(kind)


def _condition(
    given: datacatalog_pb2.DatasetPropertyFilter
    | datacatalog_pb2.ArtifactPropertyFilter
    | datacatalog_pb2.TagPropertyFilter,
    known: tuple[str, ...],
) -> Filter:
    name = given.WhichOneof("property")
    if name not in known:
        raise errors.InvalidArgument(
            f"The filter property {name or '(none)'} is unknown here.", remedy=f"Known are {', '.join(known)}."
        )
    return Filter(name, "eq", (_given(getattr(given, name), name),))


def _given(value: str, what: str) -> str:
    if not value:
        raise errors.InvalidArgument(f"A filter has an empty {what}.")
    return value


def _page(options: datacatalog_pb2.PaginationOptions, conditions: list[Filter]) -> Page:
    orders = datacatalog_pb2.PaginationOptions
    if options.sortKey != orders.CREATION_TIME:
        raise errors.InvalidArgument(f"The sort key {options.sortKey} is unknown.", remedy="Known is CREATION_TIME.")
    if options.sortOrder not in (orders.ASCENDING, orders.DESCENDING):
        raise errors.InvalidArgument(f"The sort order {options.sortOrder} is unknown.")
    offset, position = paging.split_token(options.token.strip(" "))
    return Page(
        limit=min(options.limit or DEFAULT_LIMIT, MAX_LIMIT),
        offset=offset,
        position=position,
        filters=tuple(conditions),
        sort_key="created_at",
        descending=options.sortOrder == orders.DESCENDING,
    )
