"""The data catalog: datasets, artifacts, their tags, and reservations."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "datasets",
        _number(),
        *(sa.Column(part, sa.Text(), server_default="", nullable=False) for part in _DATASET),
        sa.Column("metadata", sa.Text(), server_default="{}", nullable=False),
        sa.Column("partition_keys", sa.Text(), server_default="[]", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint(*_DATASET, name=op.f("uq_datasets_project_domain_name_version")),
    )
    op.create_index(op.f("ix_datasets_created_at_id"), "datasets", ["created_at", "id"])
    op.create_table(
        "artifacts",
        _number(),
        sa.Column("dataset_id", _NUMBER, nullable=False),
        sa.Column("artifact_id", sa.Text(), server_default="", nullable=False),
        sa.Column("metadata", sa.Text(), server_default="{}", nullable=False),
        *(sa.Column(part, sa.Text(), server_default="", nullable=False) for part in _EXECUTION),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_artifacts_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
        sa.UniqueConstraint("dataset_id", "artifact_id", name=op.f("uq_artifacts_dataset_id_artifact_id")),
    )
    op.create_index(
        op.f("ix_artifacts_dataset_id_created_at_id"), "artifacts", ["dataset_id", "created_at", "id"]
    )
    op.create_index(op.f("ix_artifacts_made_at_id"), "artifacts", ["made_at", "id"])
    op.create_index("ix_artifacts_by_execution", "artifacts", list(_EXECUTION))
    op.create_table(
        "artifact_partitions",
        _number(),
        sa.Column("artifact", _NUMBER, nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact"], ["artifacts.id"], name=op.f("fk_artifact_partitions_artifact"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_partitions")),
        sa.UniqueConstraint("artifact", "key", name=op.f("uq_artifact_partitions_artifact_key")),
    )
    op.create_table(
        "artifact_tags",
        _number(),
        sa.Column("dataset_id", _NUMBER, nullable=False),
        sa.Column("tag", sa.Text(), server_default="", nullable=False),
        sa.Column("artifact", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_artifact_tags_dataset_id")),
        sa.ForeignKeyConstraint(
            ["artifact"], ["artifacts.id"], name=op.f("fk_artifact_tags_artifact"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_tags")),
        sa.UniqueConstraint("dataset_id", "tag", name=op.f("uq_artifact_tags_dataset_id_tag")),
    )
    op.create_index(op.f("ix_artifact_tags_artifact"), "artifact_tags", ["artifact"])
    op.create_table(
        "reservations",
        *(sa.Column(part, sa.Text(), nullable=False) for part in (*_DATASET, "tag")),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*_DATASET, "tag", name=op.f("pk_reservations")),
    )
    op.create_index(op.f("ix_reservations_expires_at"), "reservations", ["expires_at"])


_DATASET = ("project", "domain", "name", "version")
_EXECUTION = ("execution_project", "execution_domain", "execution_name")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number() -> sa.Column[int]:
    return sa.Column("id", _NUMBER, autoincrement=True, nullable=False)
