"""The tables. A change here needs a migration beside it; a unit test shows that the two come to the same.

Times are microseconds since the epoch, spans microseconds, phases upper-case names, documents serialized messages.
Text columns that filters compare are never NULL, so that `ne` finds rows that have nothing there.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is spelled INTEGER.
_Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _number() -> sa.Column[int]:
    return sa.Column("id", _Number, primary_key=True, autoincrement=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _micros(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


class Later(sa.types.TypeDecorator[int]):
    """Microseconds that are not known at first: None to us, -1 in the database.

    That has a place in every order and index; NULL has none that SQLite and Postgres agree on.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> int:
        """To the database."""
        return -1 if value is None else value

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> int | None:
        """From the database."""
        return None if value is None or value < 0 else value


def _later(name: str) -> sa.Column[int]:
    return sa.Column(name, Later, nullable=True)


def _entity(prefix: str) -> list[sa.Column[str]]:
    return [_text(f"{prefix}_{part}") for part in ("project", "domain", "name", "version")]


def _execution() -> sa.Column[int]:
    return sa.Column("execution_id", _Number, sa.ForeignKey("executions.id"), nullable=False)


projects = sa.Table(
    "projects",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("name"),
    _text("description"),
    sa.Column("labels", sa.Text, nullable=False, server_default="{}"),  # JSON
    _small("state"),
    _micros("created_at"),
)


def _versions(name: str, *own: sa.Column[int] | sa.Column[str]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        _number(),
        _text("project"),
        _text("domain"),
        _text("name"),
        _text("version"),
        _text("digest"),
        _bytes("document"),
        _micros("created_at"),
        _micros("updated_at"),
        _text("short_description"),
        *own,
        sa.UniqueConstraint("project", "domain", "name", "version"),
        sa.Index(f"ix_{name}_by_created_at", "project", "domain", "created_at", "id"),
        sa.Index(f"ix_{name}_by_name", "project", "domain", "name", "created_at", "id"),
    )


tasks = _versions("tasks", _text("type"))
workflows = _versions("workflows", _text("plan_digest"))
launch_plans = _versions("launch_plans", _small("state"), *_entity("workflow"), _micros("fired_at", nullable=True))
sa.Index(None, launch_plans.c.fired_at)  # of plans that are scheduled, and NULL for all others

named_entities = sa.Table(
    "named_entities",
    metadata,
    sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("domain", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    _text("description"),
    _small("state"),
)

description_entities = sa.Table(
    "description_entities",
    metadata,
    _number(),
    _small("kind"),
    _text("project"),
    _text("domain"),
    _text("name"),
    _text("version"),
    _text("short_description"),
    _micros("created_at"),
    _bytes("document"),
    sa.UniqueConstraint("kind", "project", "domain", "name", "version"),
    sa.Index("ix_description_entities_by_created_at", "kind", "project", "domain", "created_at", "id"),
    sa.Index("ix_description_entities_by_name", "kind", "project", "domain", "name", "created_at", "id"),
)

attributes = sa.Table(
    "attributes",
    metadata,
    sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
    # From some part on empty: what holds for everything below.
    *(sa.Column(part, sa.Text, primary_key=True) for part in ("project", "domain", "workflow", "launch_plan")),
    _bytes("document"),
)

plans = sa.Table("plans", metadata, sa.Column("digest", sa.Text, primary_key=True), _bytes("document"))

executions = sa.Table(
    "executions",
    metadata,
    _number(),
    _text("project"),
    _text("domain"),
    _text("name"),
    _bytes("spec"),
    _bytes("closure"),
    _text("storage"),
    _text("phase"),
    _small("mode"),
    _text("principal"),  # who created it; the filter field `user`
    _micros("created_at"),
    _micros("updated_at"),
    _later("started_at"),
    _later("duration"),
    _text("error_kind"),
    _text("error_code"),
    # What doors say beside the engine: an abort it may not have read yet, and whether the execution is archived.
    _text("abort_cause"),
    _text("abort_principal"),
    _micros("abort_at", nullable=True),
    _small("state"),
    _text("state_changed_by"),
    _micros("state_changed_at"),
    _text("launch_entity"),
    *_entity("workflow"),
    *_entity("launch_plan"),
    *_entity("task"),
    # Whose node launched it, to be told of its end.
    sa.Column("parent_id", _Number, nullable=True),
    _text("parent_node"),
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
    sa.Index(None, "updated_at"),
    sa.Index("ix_executions_launched", "launch_plan_project", "launch_plan_domain", "launch_plan_name", "phase"),
)

notices = sa.Table(
    "notices",
    metadata,
    _number(),
    _execution(),
    _text("kind"),
    _text("target"),
    _text("subject"),
    _text("body"),
    _small("tries"),
    _micros("due_at", nullable=True),  # NULL once it is delivered or given up
    _text("error"),
    sa.UniqueConstraint("execution_id", "kind", "target"),
    sa.Index(None, "due_at"),
)

notice_marks = sa.Table(
    "notice_marks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    _micros("at"),  # what ended before has been looked at
)

execution_tags = sa.Table(
    "execution_tags",
    metadata,
    _number(),
    _execution(),
    _text("key"),
    _text("value"),
    sa.Index("ix_execution_tags_by_execution", "execution_id", "key", "value"),
    sa.Index("ix_execution_tags_by_tag", "key", "value", "execution_id"),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("execution_id", _Number, sa.ForeignKey("executions.id"), primary_key=True, autoincrement=False),
    sa.Column("plan_digest", sa.Text, sa.ForeignKey("plans.digest"), nullable=False),
    _bytes("state"),  # without its nodes
    _small("version"),
    _text("lease_owner"),
    _micros("lease_until", nullable=True),
)

run_nodes = sa.Table(
    "run_nodes",
    metadata,
    _number(),
    _execution(),
    _text("node_id"),
    _bytes("state"),
    sa.UniqueConstraint("execution_id", "node_id"),
)

inbox = sa.Table(
    "inbox",
    metadata,
    _number(),
    _execution(),
    _bytes("event"),
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
    metadata,
    _number(),
    _execution(),
    _text("key"),
    _bytes("command"),
    _micros("done_at", nullable=True),
    _text("executor"),
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
    metadata,
    sa.Column("execution_id", _Number, sa.ForeignKey("executions.id"), primary_key=True, autoincrement=False),
    sa.Column("timer", sa.Text, primary_key=True),
    _micros("due_at"),
    sa.Index(None, "due_at"),
)

signals = sa.Table(
    "signals",
    metadata,
    _number(),
    _execution(),
    _text("signal_id"),
    _bytes("type"),
    sa.Column("value", sa.LargeBinary),  # NULL until somebody sets it
    _micros("created_at"),
    _micros("updated_at"),
    sa.UniqueConstraint("execution_id", "signal_id"),
)

node_executions = sa.Table(
    "node_executions",
    metadata,
    _number(),
    _execution(),
    _text("node_id"),
    _text("spec_node_id"),
    _text("parent_id"),  # empty at the top
    _text("input_uri"),
    _bytes("closure"),
    _bytes("metadata"),
    _text("phase"),
    _micros("created_at"),
    _micros("updated_at"),
    _later("started_at"),
    _later("duration"),
    _text("error_kind"),
    _text("error_code"),
    _text("cache_status"),
    sa.UniqueConstraint("execution_id", "node_id"),
    sa.Index("ix_node_executions_by_parent", "execution_id", "parent_id", "id"),
)

array_elements = sa.Table(
    "array_elements",
    metadata,
    _number(),
    _execution(),
    _text("node_id"),  # the array's
    _small("element"),
    _small("retry_attempt"),
    _text("phase"),  # an attempt's
    sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.false()),  # the element itself
    sa.Column("succeeded", sa.Boolean, nullable=False, server_default=sa.false()),
    _bytes("resource"),  # flyteidl.event.ExternalResourceInfo
    sa.UniqueConstraint("execution_id", "node_id", "element", "retry_attempt"),
    sa.Index(None, "phase"),
)

task_executions = sa.Table(
    "task_executions",
    metadata,
    _number(),
    _execution(),
    _text("node_id"),
    _small("retry_attempt"),
    *_entity("task"),
    _text("input_uri"),
    _bytes("closure"),
    _text("phase"),
    _small("phase_version"),
    _micros("created_at"),
    _micros("updated_at"),
    _later("started_at"),
    _later("duration"),
    sa.UniqueConstraint("execution_id", "node_id", "retry_attempt"),
    sa.Index(None, "phase"),
)

datasets = sa.Table(
    "datasets",
    metadata,
    _number(),
    _text("project"),
    _text("domain"),
    _text("name"),
    _text("version"),
    sa.Column("metadata", sa.Text, nullable=False, server_default="{}"),  # JSON
    sa.Column("partition_keys", sa.Text, nullable=False, server_default="[]"),  # JSON
    _micros("created_at"),
    sa.UniqueConstraint("project", "domain", "name", "version"),
    sa.Index(None, "created_at", "id"),
)

artifacts = sa.Table(
    "artifacts",
    metadata,
    _number(),
    sa.Column("dataset_id", _Number, sa.ForeignKey("datasets.id"), nullable=False),
    _text("artifact_id"),
    sa.Column("metadata", sa.Text, nullable=False, server_default="{}"),  # JSON
    # The execution that the metadata name, for those who look for what it made.
    *(_text(f"execution_{part}") for part in ("project", "domain", "name")),
    _micros("created_at"),
    _micros("made_at"),  # later than the creation where the outputs were overwritten
    sa.Column("size_bytes", sa.BigInteger, nullable=False),  # of `data`, which lists do not read
    _bytes("data"),
    sa.UniqueConstraint("dataset_id", "artifact_id"),
    sa.Index(None, "dataset_id", "created_at", "id"),
    sa.Index(None, "made_at", "id"),
    sa.Index("ix_artifacts_by_execution", "execution_project", "execution_domain", "execution_name"),
)


def _artifact() -> sa.Column[int]:
    return sa.Column("artifact", _Number, sa.ForeignKey("artifacts.id", ondelete="CASCADE"), nullable=False)


artifact_partitions = sa.Table(
    "artifact_partitions",
    metadata,
    _number(),
    _artifact(),
    _text("key"),
    _text("value"),
    sa.UniqueConstraint("artifact", "key"),
)

artifact_tags = sa.Table(
    "artifact_tags",
    metadata,
    _number(),
    sa.Column("dataset_id", _Number, sa.ForeignKey("datasets.id"), nullable=False),
    _text("tag"),
    _artifact(),
    sa.UniqueConstraint("dataset_id", "tag"),
    sa.Index(None, "artifact"),
)

reservations = sa.Table(
    "reservations",
    metadata,
    # Of a dataset that may not be there yet.
    *(sa.Column(part, sa.Text, primary_key=True) for part in ("project", "domain", "name", "version", "tag")),
    _text("owner"),
    _micros("expires_at"),
    sa.Index(None, "expires_at"),
)
