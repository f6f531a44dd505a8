"""What executions are found by: values of their inputs; and what the first page shows of all projects."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the table and the indexes."""
    op.create_table(
        "execution_inputs",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("execution_id", _NUMBER, nullable=False),
        sa.Column("key", sa.Text, nullable=False, server_default=""),
        sa.Column("value", sa.Text, nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"], name=op.f("fk_execution_inputs_execution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_execution_inputs")),
    )
    op.create_index("ix_execution_inputs_by_execution", "execution_inputs", ["execution_id", "key", "value"])
    op.create_index("ix_execution_inputs_by_input", "execution_inputs", ["key", "value", "execution_id"])
    op.create_index("ix_executions_everywhere", "executions", ["state", "phase", "created_at", "id"])
    unset = sa.text("value IS NULL")
    op.create_index("ix_signals_unset", "signals", ["id"], sqlite_where=unset, postgresql_where=unset)
