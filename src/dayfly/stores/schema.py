"""The tables. A change here needs a migration beside it; a unit test shows that the two come to the same.

What their columns hold, and how, is said in `columns`.
"""

from __future__ import annotations

import sqlalchemy as sa

from dayfly.stores import columns
from dayfly.stores.catalog_tables import artifact_partitions as artifact_partitions
from dayfly.stores.catalog_tables import artifact_tags as artifact_tags
from dayfly.stores.catalog_tables import artifacts as artifacts
from dayfly.stores.catalog_tables import datasets as datasets
from dayfly.stores.catalog_tables import reservations as reservations

metadata = columns.metadata


def _execution() -> sa.Column[int]:
    return sa.Column("execution_id", columns.Number, sa.ForeignKey("executions.id"), nullable=False)


projects = sa.Table(
    "projects",
    columns.metadata,
    sa.Column("id", sa.Text, primary_key=True),
    columns.text("name"),
    columns.text("description"),
    sa.Column("labels", sa.Text, nullable=False, server_default="{}"),  # JSON
    columns.small("state"),
    columns.micros("created_at"),
)


def _versions(name: str, *own: sa.Column[int] | sa.Column[str]) -> sa.Table:
    return sa.Table(
        name,
        columns.metadata,
        columns.number(),
        columns.text("project"),
        columns.text("domain"),
        columns.text("name"),
        columns.text("version"),
        columns.text("digest"),
        columns.raw("document"),
        columns.micros("created_at"),
        columns.micros("updated_at"),
        columns.text("short_description"),
        *own,
        sa.UniqueConstraint("project", "domain", "name", "version"),
        sa.Index(f"ix_{name}_by_created_at", "project", "domain", "created_at", "id"),
        sa.Index(f"ix_{name}_by_name", "project", "domain", "name", "created_at", "id"),
    )


tasks = _versions("tasks", columns.text("type"))
workflows = _versions("workflows", columns.text("plan_digest"))
launch_plans = _versions(
    "launch_plans", columns.small("state"), *columns.entity("workflow"), columns.micros("fired_at", nullable=True)
)
sa.Index(None, launch_plans.c.fired_at)  # of plans that are scheduled, and NULL for all others

named_entities = sa.Table(
    "named_entities",
    columns.metadata,
    sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("domain", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    columns.text("description"),
    columns.small("state"),
)

description_entities = sa.Table(
    "description_entities",
    columns.metadata,
    columns.number(),
    columns.small("kind"),
    columns.text("project"),
    columns.text("domain"),
    columns.text("name"),
    columns.text("version"),
    columns.text("short_description"),
    columns.micros("created_at"),
    columns.raw("document"),
    sa.UniqueConstraint("kind", "project", "domain", "name", "version"),
    sa.Index("ix_description_entities_by_created_at", "kind", "project", "domain", "created_at", "id"),
    sa.Index("ix_description_entities_by_name", "kind", "project", "domain", "name", "created_at", "id"),
)

attributes = sa.Table(
    "attributes",
    columns.metadata,
    sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
    # From some part on empty: what holds for everything below.
    *(sa.Column(part, sa.Text, primary_key=True) for part in ("project", "domain", "workflow", "launch_plan")),
    columns.raw("document"),
)

plans = sa.Table("plans", columns.metadata, sa.Column("digest", sa.Text, primary_key=True), columns.raw("document"))

executions = sa.Table(
    "executions",
    columns.metadata,
    columns.number(),
    columns.text("project"),
    columns.text("domain"),
    columns.text("name"),
    columns.raw("spec"),
    columns.raw("closure"),
    columns.text("storage"),
    columns.text("phase"),
    columns.small("mode"),
    columns.text("principal"),  # who created it; the filter field `user`
    columns.micros("created_at"),
    columns.micros("updated_at"),
    columns.later("started_at"),
    columns.later("duration"),
    columns.text("error_kind"),
    columns.text("error_code"),
    # What doors say beside the engine: an abort it may not have read yet, and whether the execution is archived.
    columns.text("abort_cause"),
    columns.text("abort_principal"),
    columns.micros("abort_at", nullable=True),
    columns.small("state"),
    columns.text("state_changed_by"),
    columns.micros("state_changed_at"),
    columns.text("launch_entity"),
    *columns.entity("workflow"),
    *columns.entity("launch_plan"),
    *columns.entity("task"),
    # Whose node launched it, to be told of its end.
    sa.Column("parent_id", columns.Number, nullable=True),
    columns.text("parent_node"),
    sa.UniqueConstraint("project", "domain", "name"),
    # Each has the rows of one list in its order; `id` tells equal ones apart.
    *(
        sa.Index(f"ix_executions_by_{name}", "project", "domain", "state", *columns, "id")
        for name, columns in {
            "started_at": ("started_at",),
            "duration": ("duration",),
            "phase": ("phase", "created_at"),
            "workflow": ("workflow_name", "created_at"),
            "launch_plan": ("launch_plan_name", "created_at"),
            "task": ("task_name", "created_at"),
            "user": ("principal", "created_at"),
        }.items()
    ),
    # Behind `id` what lists in this order are narrowed by: rows that are passed over are not read.
    sa.Index("ix_executions_by_created_at", "project", "domain", "state", "created_at", "id", "started_at", "duration"),
    # All projects together, for the first page that people see.
    sa.Index("ix_executions_everywhere", "state", "phase", "created_at", "id"),
    sa.Index(None, "updated_at"),
    sa.Index("ix_executions_launched", "launch_plan_project", "launch_plan_domain", "launch_plan_name", "phase"),
)

notices = sa.Table(
    "notices",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.text("kind"),
    columns.text("target"),
    columns.text("subject"),
    columns.text("body"),
    columns.small("tries"),
    columns.micros("due_at", nullable=True),  # NULL once it is delivered or given up
    columns.text("error"),
    sa.UniqueConstraint("execution_id", "kind", "target"),
    sa.Index(None, "due_at"),
)

notice_marks = sa.Table(
    "notice_marks",
    columns.metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    columns.micros("at"),  # what ended before has been looked at
)

execution_tags = sa.Table(
    "execution_tags",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.text("key"),
    columns.text("value"),
    sa.Index("ix_execution_tags_by_execution", "execution_id", "key", "value"),
    sa.Index("ix_execution_tags_by_tag", "key", "value", "execution_id"),
)

execution_inputs = sa.Table(
    "execution_inputs",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.text("key"),  # name of the input
    columns.text("value"),  # as `services.searchable` writes it; inputs with no short value have no row
    sa.Index("ix_execution_inputs_by_execution", "execution_id", "key", "value"),
    sa.Index("ix_execution_inputs_by_input", "key", "value", "execution_id"),
)

runs = sa.Table(
    "runs",
    columns.metadata,
    sa.Column("execution_id", columns.Number, sa.ForeignKey("executions.id"), primary_key=True, autoincrement=False),
    sa.Column("plan_digest", sa.Text, sa.ForeignKey("plans.digest"), nullable=False),
    columns.raw("state"),  # without its nodes
    columns.small("version"),
    columns.text("lease_owner"),
    columns.micros("lease_until", nullable=True),
)

run_nodes = sa.Table(
    "run_nodes",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.text("node_id"),
    columns.raw("state"),
    sa.UniqueConstraint("execution_id", "node_id"),
)

inbox = sa.Table(
    "inbox",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.raw("event"),
    sa.Column("applied_version", sa.Integer),  # the version its turn made; NULL while unread
    sa.Index(None, "execution_id"),
    sa.Index(
        "ix_inbox_unread",
        "execution_id",
        sqlite_where=sa.text("applied_version IS NULL"),
        postgresql_where=sa.text("applied_version IS NULL"),
    ),
)

outbox = sa.Table(
    "outbox",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.text("key"),
    columns.raw("command"),
    columns.micros("done_at", nullable=True),
    columns.text("executor"),
    sa.Column("handle", sa.LargeBinary, nullable=False, server_default=""),
    sa.UniqueConstraint("execution_id", "key"),
    sa.Index(
        "ix_outbox_undone",
        "execution_id",
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    ),
)

timers = sa.Table(
    "timers",
    columns.metadata,
    sa.Column("execution_id", columns.Number, sa.ForeignKey("executions.id"), primary_key=True, autoincrement=False),
    sa.Column("timer", sa.Text, primary_key=True),
    columns.micros("due_at"),
    sa.Index(None, "due_at"),
)

signals = sa.Table(
    "signals",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.text("signal_id"),
    columns.raw("type"),
    sa.Column("value", sa.LargeBinary),  # NULL until somebody sets it
    columns.micros("created_at"),
    columns.micros("updated_at"),
    sa.UniqueConstraint("execution_id", "signal_id"),
    sa.Index(
        "ix_signals_unset", "id", sqlite_where=sa.text("value IS NULL"), postgresql_where=sa.text("value IS NULL")
    ),
)

node_executions = sa.Table(
    "node_executions",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.text("node_id"),
    columns.text("spec_node_id"),
    columns.text("parent_id"),  # empty at the top
    columns.text("input_uri"),
    columns.raw("closure"),
    columns.raw("metadata"),
    columns.text("phase"),
    columns.micros("created_at"),
    columns.micros("updated_at"),
    columns.later("started_at"),
    columns.later("duration"),
    columns.text("error_kind"),
    columns.text("error_code"),
    columns.text("cache_status"),
    sa.UniqueConstraint("execution_id", "node_id"),
    sa.Index("ix_node_executions_by_parent", "execution_id", "parent_id", "id"),
)

array_elements = sa.Table(
    "array_elements",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.text("node_id"),  # the array's
    columns.small("element"),
    columns.small("retry_attempt"),
    columns.text("phase"),  # an attempt's
    sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.false()),  # the element itself
    sa.Column("succeeded", sa.Boolean, nullable=False, server_default=sa.false()),
    columns.raw("resource"),  # flyteidl.event.ExternalResourceInfo
    sa.UniqueConstraint("execution_id", "node_id", "element", "retry_attempt"),
    sa.Index(None, "phase"),
)

task_executions = sa.Table(
    "task_executions",
    columns.metadata,
    columns.number(),
    _execution(),
    columns.text("node_id"),
    columns.small("retry_attempt"),
    *columns.entity("task"),
    columns.text("input_uri"),
    columns.raw("closure"),
    columns.text("phase"),
    columns.small("phase_version"),
    columns.micros("created_at"),
    columns.micros("updated_at"),
    columns.later("started_at"),
    columns.later("duration"),
    sa.UniqueConstraint("execution_id", "node_id", "retry_attempt"),
    sa.Index(None, "phase"),
)
