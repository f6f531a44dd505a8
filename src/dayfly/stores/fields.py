"""Which fields each list can be filtered and sorted by, under the names Flyte's clients use.

Names: flyteadmin/pkg/repositories/models in flyteorg/flyte. Its internal row numbers (`workflow_id` and the like) never
reach clients and are not offered.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from flyteidl.core import identifier_pb2

from dayfly.model import identifiers
from dayfly.stores import filtering, schema
from dayfly.stores.filtering import Field

_PARTS = ("project", "domain", "name", "version")


def _fields(
    table: sa.Table, read: Callable[[str], object], names: tuple[str, ...], *, prefix: str = ""
) -> dict[str, Field]:
    return {prefix + name: Field(table.c[name], read) for name in names}


def _times(table: sa.Table, *prefixes: str) -> dict[str, Field]:
    return {
        f"{prefix}{name}": Field(table.c[name], filtering.moment)
        for name in ("created_at", "updated_at")
        for prefix in ("", *prefixes)
    }


def _entity(table: sa.Table, entity: str) -> dict[str, Field]:
    """Return fields such as `launch_plan.name`, of columns such as `launch_plan_name`."""
    return {f"{entity}.{part}": Field(table.c[f"{entity}_{part}"], str) for part in _PARTS}


def _under(entity: str, fields: dict[str, Field]) -> dict[str, Field]:
    return {**fields, **{f"{entity}.{name}": field for name, field in fields.items() if "." not in name}}


PROJECTS = {
    "identifier": Field(schema.projects.c.id, str),
    **_fields(schema.projects, str, ("name", "description", "labels")),
    **_fields(schema.projects, filtering.number, ("state",)),
    "created_at": Field(schema.projects.c.created_at, filtering.moment),
}


def _versions(table: sa.Table, entity: str) -> dict[str, Field]:
    own = {**_fields(table, str, (*_PARTS, "digest", "short_description")), **_times(table)}
    if entity == "task":
        own |= _fields(table, str, ("type",))
    if entity == "launch_plan":
        own |= _fields(table, filtering.number, ("state",)) | _entity(table, "workflow")
    return _under(entity, own)


VERSIONS = {
    identifier_pb2.TASK: _versions(schema.tasks, "task"),
    identifier_pb2.WORKFLOW: _versions(schema.workflows, "workflow"),
    identifier_pb2.LAUNCH_PLAN: _versions(schema.launch_plans, "launch_plan"),
}

_NAME_FIELDS = {
    **_fields(schema.named_entities, str, ("name", "project", "domain", "description")),
    **_fields(schema.named_entities, filtering.number, ("state",)),
}
NAMES = {
    **_NAME_FIELDS,
    **{
        f"{entity}.{name}": field
        for entity in ("named_entity_metadata", "entities")
        for name, field in _NAME_FIELDS.items()
    },
}

_executions = schema.executions
_EXECUTION_FIELDS = {
    **_fields(_executions, str, ("project", "domain", "name")),
    **_fields(_executions, str, ("project", "domain", "name"), prefix="execution_"),
    **_fields(_executions, str.upper, ("phase", "error_kind")),
    **_fields(_executions, str, ("error_code", "abort_cause")),
    "user": Field(_executions.c.principal, str),
    "launch_entity": Field(_executions.c.launch_entity, str.lower),
    **_fields(_executions, filtering.number, ("mode", "state")),
    **_times(_executions, "execution_"),
    "started_at": Field(_executions.c.started_at, filtering.moment),
    "duration": Field(_executions.c.duration, filtering.span),
}
EXECUTIONS = {
    **_under("execution", _EXECUTION_FIELDS),
    **_entity(_executions, "workflow"),
    **_entity(_executions, "launch_plan"),
    **_entity(_executions, "task"),
}

TAGS = {
    "execution_tag.key": Field(schema.execution_tags.c.key, str),
    "execution_tag.value": Field(schema.execution_tags.c.value, str),
    "admin_tag.name": Field(schema.execution_tags.c.key, str),
}
"""Conditions on these hold together for one and the same tag of an execution."""

_OF_EXECUTION = {name: field for name, field in EXECUTIONS.items() if name.startswith("execution.")}

_nodes = schema.node_executions
_NODE_FIELDS = {
    **_fields(_nodes, str, ("node_id", "input_uri", "error_code")),
    **_fields(_nodes, str.upper, ("phase", "error_kind", "cache_status")),
    **_times(_nodes, "node_execution_"),
    "started_at": Field(_nodes.c.started_at, filtering.moment),
    "duration": Field(_nodes.c.duration, filtering.span),
}
NODES = {
    **{name: _EXECUTION_FIELDS[name] for name in ("project", "domain", "name")},
    **{name: _EXECUTION_FIELDS[name] for name in ("execution_project", "execution_domain", "execution_name")},
    **_under("node_execution", _NODE_FIELDS),
    **_OF_EXECUTION,
}

SIGNALS = _under(
    "signal",
    {**_fields(schema.signals, str, ("signal_id",)), **_times(schema.signals, "signal_")}
    | {name: _EXECUTION_FIELDS[name] for name in ("execution_project", "execution_domain", "execution_name")},
)

_attempts = schema.task_executions
_ATTEMPT_FIELDS = {
    **{part: Field(_attempts.c[f"task_{part}"], str) for part in _PARTS},
    **_fields(_attempts, str, ("node_id", "input_uri")),
    "phase": Field(_attempts.c.phase, str.upper),
    **_fields(_attempts, filtering.number, ("retry_attempt", "phase_version")),
    **_times(_attempts, "task_execution_"),
    "started_at": Field(_attempts.c.started_at, filtering.moment),
    "duration": Field(_attempts.c.duration, filtering.span),
}
ATTEMPTS = {
    **_under("task_execution", _ATTEMPT_FIELDS),
    **_entity(_attempts, "task"),
    **{name: _EXECUTION_FIELDS[name] for name in ("execution_project", "execution_domain", "execution_name")},
    **_OF_EXECUTION,
    **{f"node_execution.{name}": field for name, field in _NODE_FIELDS.items()},
}

DATASETS = {
    **_fields(schema.datasets, str, _PARTS),
    "created_at": Field(schema.datasets.c.created_at, filtering.moment),
}
ARTIFACTS = {
    "artifact_id": Field(schema.artifacts.c.artifact_id, str),
    "created_at": Field(schema.artifacts.c.created_at, filtering.moment),
}
ENTRIES = {
    **_fields(schema.datasets, str, _PARTS),
    "artifact_id": Field(schema.artifacts.c.artifact_id, str),
    "made_at": Field(schema.artifacts.c.made_at, filtering.moment),
    "size_bytes": Field(schema.artifacts.c.size_bytes, filtering.number),
}

_DESCRIPTIONS = {
    **_fields(schema.description_entities, str, (*_PARTS, "short_description")),
    "created_at": Field(schema.description_entities.c.created_at, filtering.moment),
}


def descriptions(kind: int) -> dict[str, Field]:
    """Return the fields of descriptions of tasks, workflows or launch plans."""
    return _under(identifiers.kind_name(kind), _DESCRIPTIONS)
