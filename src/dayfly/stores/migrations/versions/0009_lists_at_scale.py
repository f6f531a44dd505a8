"""Indexes that have the rows of each list in its order, and no NULL among what lists are sorted by."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_EXECUTIONS = {
    "created_at": ("created_at",),
    "started_at": ("started_at",),
    "duration": ("duration",),
    "phase": ("phase", "created_at"),
    "workflow": ("workflow_name", "created_at"),
    "launch_plan": ("launch_plan_name", "created_at"),
    "task": ("task_name", "created_at"),
    "user": ("principal", "created_at"),
}


def upgrade() -> None:
    """Fill in what is not known yet, then make the indexes."""
    for table in ("executions", "node_executions", "task_executions"):
        for column in ("started_at", "duration"):
            op.execute(f"UPDATE {table} SET {column} = -1 WHERE {column} IS NULL")
    op.drop_index("ix_executions_project_domain_created_at", "executions")
    for name, columns in _EXECUTIONS.items():
        op.create_index(f"ix_executions_by_{name}", "executions", ["project", "domain", "state", *columns, "id"])
    for table in ("tasks", "workflows", "launch_plans"):
        op.create_index(f"ix_{table}_by_created_at", table, ["project", "domain", "created_at", "id"])
        op.create_index(f"ix_{table}_by_name", table, ["project", "domain", "name", "created_at", "id"])
    op.create_index("ix_node_executions_by_parent", "node_executions", ["execution_id", "parent_id", "id"])
