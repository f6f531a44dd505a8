"""What the catalog keeps, as DataCatalog's messages. Pure; called by `datacatalog`."""

from __future__ import annotations

from flyteidl.core import literals_pb2
from flyteidl.datacatalog import datacatalog_pb2
from google.protobuf import duration_pb2

from dayfly.ports.catalog import Artifact, Dataset, DatasetId, Reservation
from dayfly.services.timestamps import to_timestamp


def to_dataset_id(dataset: DatasetId) -> datacatalog_pb2.DatasetID:
    """Convert to the message."""
    return datacatalog_pb2.DatasetID(
        project=dataset.project, domain=dataset.domain, name=dataset.name, version=dataset.version
    )


def to_dataset(dataset: Dataset) -> datacatalog_pb2.Dataset:
    """Convert to the message."""
    return datacatalog_pb2.Dataset(
        id=to_dataset_id(dataset.id),
        metadata=datacatalog_pb2.Metadata(key_map=dataset.metadata),
        partitionKeys=dataset.partition_keys,
    )


def to_artifact(artifact: Artifact) -> datacatalog_pb2.Artifact:
    """Convert to the message; data are in the order of their names."""
    dataset = to_dataset_id(artifact.dataset)
    literals = literals_pb2.LiteralMap.FromString(artifact.data).literals
    return datacatalog_pb2.Artifact(
        id=artifact.id,
        dataset=dataset,
        data=[datacatalog_pb2.ArtifactData(name=name, value=literals[name]) for name in sorted(literals)],
        metadata=datacatalog_pb2.Metadata(key_map=artifact.metadata),
        partitions=[datacatalog_pb2.Partition(key=key, value=value) for key, value in artifact.partitions.items()],
        tags=[datacatalog_pb2.Tag(name=tag, artifact_id=artifact.id, dataset=dataset) for tag in artifact.tags],
        created_at=to_timestamp(artifact.created_at),
    )


def to_reservation(asked: datacatalog_pb2.ReservationID, held: Reservation) -> datacatalog_pb2.Reservation:
    """Convert to the message."""
    heartbeat = duration_pb2.Duration()
    heartbeat.FromNanoseconds(round(held.heartbeat_seconds * 10**9))
    return datacatalog_pb2.Reservation(
        reservation_id=asked,
        owner_id=held.owner,
        heartbeat_interval=heartbeat,
        expires_at=to_timestamp(held.expires_at),
    )
