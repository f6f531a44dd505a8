"""DataCatalog: the cached outputs, for engines and tools of Flyte's that bring their own keys.

Ours looks entries up in the same store by itself. Organisations and UUIDs of datasets are not kept.

Source: datacatalog/pkg/manager/impl and its validators in flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Iterable

from flyteidl.core import literals_pb2
from flyteidl.datacatalog import datacatalog_pb2

from dayfly.base import errors
from dayfly.base.clock import Clock
from dayfly.model.caching import CacheKey
from dayfly.ports.catalog import Artifact, Catalog, Dataset, DatasetId
from dayfly.services import datacatalog_messages as messages
from dayfly.services import datacatalog_pages, naming, paging

MAX_TEXT = 1024
"""Characters of a dataset's name or version, an id, a tag: names of tasks and hashes have been added to some."""


class DataCatalog:
    """Every method of `datacatalog.DataCatalog`."""

    def __init__(self, catalog: Catalog, now: Clock) -> None:
        self._catalog = catalog
        self._clock = now

    # -- datasets -----------------------------------------------------------------------------------------------------
    async def create_dataset(
        self, request: datacatalog_pb2.CreateDatasetRequest
    ) -> datacatalog_pb2.CreateDatasetResponse:
        """Add a dataset. ALREADY_EXISTS."""
        keys = request.dataset.partitionKeys
        _refuse_repeated(keys, "partition key")
        await self._catalog.create_dataset(
            Dataset(
                id=_dataset_id(request.dataset.id),
                created_at=self._clock.now(),
                metadata=dict(request.dataset.metadata.key_map),
                partition_keys=tuple(_text(key, "partition key") for key in keys),
            )
        )
        return datacatalog_pb2.CreateDatasetResponse()

    async def get_dataset(self, request: datacatalog_pb2.GetDatasetRequest) -> datacatalog_pb2.GetDatasetResponse:
        """Return a dataset. NOT_FOUND."""
        dataset = _dataset_id(request.dataset)
        found = await self._catalog.find_dataset(dataset)
        if found is None:
            raise errors.NotFound(f"{dataset} does not exist.")
        return datacatalog_pb2.GetDatasetResponse(dataset=messages.to_dataset(found))

    async def list_datasets(self, request: datacatalog_pb2.ListDatasetsRequest) -> datacatalog_pb2.ListDatasetsResponse:
        """Return datasets, newest first unless asked otherwise."""
        page = datacatalog_pages.of_datasets(request)
        found = await self._catalog.list_datasets(page)
        return datacatalog_pb2.ListDatasetsResponse(
            datasets=[messages.to_dataset(one) for one in found], next_token=paging.next_token(page, found)
        )

    # -- artifacts ----------------------------------------------------------------------------------------------------
    async def create_artifact(
        self, request: datacatalog_pb2.CreateArtifactRequest
    ) -> datacatalog_pb2.CreateArtifactResponse:
        """Add an artifact. NOT_FOUND for its dataset, ALREADY_EXISTS, INVALID_ARGUMENT for other partitions than the
        dataset has."""
        asked = request.artifact
        _refuse_repeated([one.key for one in asked.partitions], "partition")
        await self._catalog.create_artifact(
            Artifact(
                dataset=_dataset_id(asked.dataset),
                id=_text(asked.id, "artifact id"),
                data=_data(asked.data),
                created_at=self._clock.now(),
                metadata=dict(asked.metadata.key_map),
                partitions={
                    _text(one.key, "partition key"): _text(one.value, f"value of partition {one.key}")
                    for one in asked.partitions
                },
            )
        )
        return datacatalog_pb2.CreateArtifactResponse()

    async def get_artifact(self, request: datacatalog_pb2.GetArtifactRequest) -> datacatalog_pb2.GetArtifactResponse:
        """Return an artifact by its id or a tag. NOT_FOUND."""
        dataset = _dataset_id(request.dataset)
        artifact_id, tag = _handle(request)
        if artifact_id:
            found = await self._catalog.find_artifact(dataset, artifact_id)
        else:
            found = await self._catalog.find_tagged(dataset, tag)
        if found is None:
            named = artifact_id or f"tagged {tag}"
            raise errors.NotFound(f"artifact {named} does not exist in {dataset}.")
        return datacatalog_pb2.GetArtifactResponse(artifact=messages.to_artifact(found))

    async def list_artifacts(
        self, request: datacatalog_pb2.ListArtifactsRequest
    ) -> datacatalog_pb2.ListArtifactsResponse:
        """Return artifacts of a dataset, newest first unless asked otherwise. NOT_FOUND for the dataset."""
        dataset = _dataset_id(request.dataset)
        asked = datacatalog_pages.of_artifacts(request)
        found = await self._catalog.list_artifacts(dataset, asked.page, tags=asked.tags, partitions=asked.partitions)
        return datacatalog_pb2.ListArtifactsResponse(
            artifacts=[messages.to_artifact(one) for one in found], next_token=paging.next_token(asked.page, found)
        )

    async def update_artifact(
        self, request: datacatalog_pb2.UpdateArtifactRequest
    ) -> datacatalog_pb2.UpdateArtifactResponse:
        """Replace the data of an artifact, and its metadata where some are given. NOT_FOUND."""
        dataset = _dataset_id(request.dataset)
        artifact_id, tag = _handle(request)
        updated = await self._catalog.update_artifact(
            dataset,
            _data(request.data),
            dict(request.metadata.key_map),
            self._clock.now(),
            artifact_id=artifact_id,
            tag=tag,
        )
        return datacatalog_pb2.UpdateArtifactResponse(artifact_id=updated)

    async def add_tag(self, request: datacatalog_pb2.AddTagRequest) -> datacatalog_pb2.AddTagResponse:
        """Name an artifact. NOT_FOUND for dataset or artifact, ALREADY_EXISTS where the tag is in use."""
        dataset = _dataset_id(request.tag.dataset)
        tag = _text(request.tag.name, "tag name")
        await self._catalog.add_tag(dataset, tag, _text(request.tag.artifact_id, "artifact id"))
        return datacatalog_pb2.AddTagResponse()

    # -- reservations -------------------------------------------------------------------------------------------------
    async def get_or_extend_reservation(
        self, request: datacatalog_pb2.GetOrExtendReservationRequest
    ) -> datacatalog_pb2.GetOrExtendReservationResponse:
        """Reserve a tag, or extend that. The answer names the owner, who may be another than asked."""
        key, owner = _reserved(request.reservation_id), _text(request.owner_id, "owner id")
        if not request.HasField("heartbeat_interval"):
            raise errors.InvalidArgument("missing heartbeat interval.")
        heartbeat_seconds = request.heartbeat_interval.seconds + request.heartbeat_interval.nanos / 10**9
        if heartbeat_seconds <= 0:
            raise errors.InvalidArgument(
                f"The heartbeat interval is {heartbeat_seconds} s.", remedy="Give more than 0."
            )
        held = await self._catalog.reserve(key, owner, heartbeat_seconds)
        return datacatalog_pb2.GetOrExtendReservationResponse(
            reservation=messages.to_reservation(request.reservation_id, held)
        )

    async def release_reservation(
        self, request: datacatalog_pb2.ReleaseReservationRequest
    ) -> datacatalog_pb2.ReleaseReservationResponse:
        """Give a reservation back. As in Flyte it is no error if somebody else holds it, or nobody."""
        await self._catalog.release(_reserved(request.reservation_id), _text(request.owner_id, "owner id"))
        return datacatalog_pb2.ReleaseReservationResponse()


def _dataset_id(message: datacatalog_pb2.DatasetID) -> DatasetId:
    return DatasetId(
        *(_text(getattr(message, part), f"{part} of the dataset") for part in ("project", "domain", "name", "version"))
    )


def _reserved(message: datacatalog_pb2.ReservationID) -> CacheKey:
    dataset = _dataset_id(message.dataset_id)
    tag = _text(message.tag_name, "tag name")
    return CacheKey(dataset.project, dataset.domain, dataset.name, dataset.version, tag)


def _handle(
    request: datacatalog_pb2.GetArtifactRequest | datacatalog_pb2.UpdateArtifactRequest,
) -> tuple[str, str]:
    """Return the artifact id that a request names, or else the tag."""
    kind = request.WhichOneof("query_handle")
    if kind is None:
        raise errors.InvalidArgument("missing artifact id or tag name.")
    if kind == "artifact_id":
        return _text(request.artifact_id, "artifact id"), ""
    return "", _text(request.tag_name, "tag name")


def _data(parts: Iterable[datacatalog_pb2.ArtifactData]) -> bytes:
    """Return an artifact's data as they are kept."""
    named = list(parts)
    if not named:
        raise errors.InvalidArgument("missing artifact data.")
    _refuse_repeated([part.name for part in named], "artifact data")
    literals = {_text(part.name, "name of artifact data"): part.value for part in named}
    return bytes(literals_pb2.LiteralMap(literals=literals).SerializeToString(deterministic=True))


def _text(value: str, what: str) -> str:
    return naming.text(value, what, limit=MAX_TEXT)


def _refuse_repeated(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise errors.InvalidArgument(f"The {what} {name[:80]!r} is given twice.")
        seen.add(name)
