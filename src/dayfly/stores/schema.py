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
    _micros("started_at", nullable=True),
    _micros("duration", nullable=True),
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
    sa.UniqueConstraint("project", "domain", "name"),
    sa.Index(None, "project", "domain", "created_at"),
)

execution_tags = sa.Table(
    "execution_tags",
    metadata,
    _number(),
    _execution(),
    _text("key"),
    _text("value"),
    sa.Index(None, "execution_id"),
    sa.Index(None, "key", "value"),
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
    _micros("started_at", nullable=True),
    _micros("duration", nullable=True),
    _text("error_kind"),
    _text("error_code"),
    _text("cache_status"),
    sa.UniqueConstraint("execution_id", "node_id"),
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
    _micros("started_at", nullable=True),
    _micros("duration", nullable=True),
    sa.UniqueConstraint("execution_id", "node_id", "retry_attempt"),
    sa.Index(None, "phase"),
)
