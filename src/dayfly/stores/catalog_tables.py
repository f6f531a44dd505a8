"""The tables of the data catalog: what is cached, and who makes it just now. `schema` has them beside the others."""

from __future__ import annotations

import sqlalchemy as sa

from dayfly.stores import columns

datasets = sa.Table(
    "datasets",
    columns.metadata,
    columns.number(),
    columns.text("project"),
    columns.text("domain"),
    columns.text("name"),
    columns.text("version"),
    sa.Column("metadata", sa.Text, nullable=False, server_default="{}"),  # JSON
    sa.Column("partition_keys", sa.Text, nullable=False, server_default="[]"),  # JSON
    columns.micros("created_at"),
    sa.UniqueConstraint("project", "domain", "name", "version"),
    sa.Index(None, "created_at", "id"),
)

artifacts = sa.Table(
    "artifacts",
    columns.metadata,
    columns.number(),
    sa.Column("dataset_id", columns.Number, sa.ForeignKey("datasets.id"), nullable=False),
    columns.text("artifact_id"),
    sa.Column("metadata", sa.Text, nullable=False, server_default="{}"),  # JSON
    # The execution that the metadata name, for those who look for what it made.
    *(columns.text(f"execution_{part}") for part in ("project", "domain", "name")),
    columns.micros("created_at"),
    columns.micros("made_at"),  # later than the creation where the outputs were overwritten
    sa.Column("size_bytes", sa.BigInteger, nullable=False),  # of `data`, which lists do not read
    columns.raw("data"),
    sa.UniqueConstraint("dataset_id", "artifact_id"),
    sa.Index(None, "dataset_id", "created_at", "id"),
    sa.Index(None, "made_at", "id"),
    sa.Index("ix_artifacts_by_execution", "execution_project", "execution_domain", "execution_name"),
)


def _artifact() -> sa.Column[int]:
    return sa.Column("artifact", columns.Number, sa.ForeignKey("artifacts.id", ondelete="CASCADE"), nullable=False)


artifact_partitions = sa.Table(
    "artifact_partitions",
    columns.metadata,
    columns.number(),
    _artifact(),
    columns.text("key"),
    columns.text("value"),
    sa.UniqueConstraint("artifact", "key"),
)

artifact_tags = sa.Table(
    "artifact_tags",
    columns.metadata,
    columns.number(),
    sa.Column("dataset_id", columns.Number, sa.ForeignKey("datasets.id"), nullable=False),
    columns.text("tag"),
    _artifact(),
    sa.UniqueConstraint("dataset_id", "tag"),
    sa.Index(None, "artifact"),
)

reservations = sa.Table(
    "reservations",
    columns.metadata,
    # Of a dataset that may not be there yet.
    *(sa.Column(part, sa.Text, primary_key=True) for part in ("project", "domain", "name", "version", "tag")),
    columns.text("owner"),
    columns.micros("expires_at"),
    sa.Index(None, "expires_at"),
)
