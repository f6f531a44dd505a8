"""What people wrote of the tasks and workflows they registered."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY = ("kind", "project", "domain", "name", "version")


def upgrade() -> None:
    """Add the table."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "description_entities",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Integer(), server_default="0", nullable=False),
        *(sa.Column(part, sa.Text(), server_default="", nullable=False) for part in (*_KEY[1:], "short_description")),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_description_entities")),
        sa.UniqueConstraint(*_KEY, name=op.f("uq_description_entities_kind_project_domain_name_version")),
    )
    for name, columns in {"created_at": ("created_at",), "name": ("name", "created_at")}.items():
        op.create_index(
            f"ix_description_entities_by_{name}",
            "description_entities",
            ["kind", "project", "domain", *columns, "id"],
        )
