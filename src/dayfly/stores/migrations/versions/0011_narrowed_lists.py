"""Indexes that say of a row whether it is in a narrowed list, so that rows which are not need not be read."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes anew, with more columns."""
    op.drop_index("ix_executions_by_created_at", "executions")
    columns = ["project", "domain", "state", "created_at", "id", "started_at", "duration"]
    op.create_index("ix_executions_by_created_at", "executions", columns)
    op.drop_index("ix_execution_tags_execution_id", "execution_tags")
    op.drop_index("ix_execution_tags_key_value", "execution_tags")
    op.create_index("ix_execution_tags_by_execution", "execution_tags", ["execution_id", "key", "value"])
    op.create_index("ix_execution_tags_by_tag", "execution_tags", ["key", "value", "execution_id"])
