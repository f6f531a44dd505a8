"""Elements of arrays, and who launched an execution."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the table and the columns."""
    op.add_column("executions", sa.Column("parent_id", _NUMBER, nullable=True))
    op.add_column("executions", sa.Column("parent_node", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "array_elements",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("execution_id", _NUMBER, nullable=False),
        sa.Column("node_id", sa.Text, nullable=False, server_default=""),
        sa.Column("element", sa.Integer, nullable=False, server_default="0"),
        sa.Column("retry_attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("phase", sa.Text, nullable=False, server_default=""),
        sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("succeeded", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("resource", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.id"], name=op.f("fk_array_elements_execution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_array_elements")),
        sa.UniqueConstraint(
            "execution_id",
            "node_id",
            "element",
            "retry_attempt",
            name=op.f("uq_array_elements_execution_id_node_id_element_retry_attempt"),
        ),
    )
    op.create_index(op.f("ix_array_elements_phase"), "array_elements", ["phase"])
