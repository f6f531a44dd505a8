"""Who is to be told of an execution's end."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and what finds the executions that have just ended."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "notices",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("execution_id", number, nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"], name=op.f("fk_notices_execution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("execution_id", "kind", "target", name=op.f("uq_notices_execution_id_kind_target")),
    )
    op.create_index("ix_notices_due_at", "notices", ["due_at"])
    op.create_table(
        "notice_marks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_marks")),
    )
    op.create_index("ix_executions_updated_at", "executions", ["updated_at"])
    op.create_index(
        "ix_executions_launched",
        "executions",
        ["launch_plan_project", "launch_plan_domain", "launch_plan_name", "phase"],
    )
