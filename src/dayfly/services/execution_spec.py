"""The spec of a new execution: what the request asks, completed by the launch plan and the server's defaults. Pure.

Per field, the first that sets it wins: request, launch plan, matchable attributes, default. What nobody set stays
unset; `interruptible` above all, because children inherit "unset". Source: flyteadmin's execution_manager.go in
flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flyteidl.admin import execution_pb2, launch_plan_pb2, matchable_resource_pb2

from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId
from dayfly.model.run import RunOptions
from dayfly.services import identity, naming
from dayfly.services.settings import ApiSettings

Mode = execution_pb2.ExecutionMetadata

INHERITED = (
    "security_context",
    "raw_output_data_config",
    "interruptible",
    "envs",
    "cluster_assignment",
    "quality_of_service",
)
"""Message fields that execution and launch plan have in common, taken whole from whoever has them."""


def build(
    asked: execution_pb2.ExecutionSpec,
    plan: launch_plan_pb2.LaunchPlanSpec,
    settings: ApiSettings,
    configs: Sequence[matchable_resource_pb2.WorkflowExecutionConfig] = (),
) -> execution_pb2.ExecutionSpec:
    """Return the spec to store; `configs` are the attributes that hold, the most special first.

    Raise `InvalidArgument` for malformed labels or annotations.
    """
    spec = execution_pb2.ExecutionSpec()
    spec.CopyFrom(asked)
    spec.ClearField("inputs")
    spec.metadata.principal = identity.ANONYMOUS
    complete(spec, [plan, *configs])
    spec.max_parallelism = spec.max_parallelism or settings.max_parallelism
    if spec.WhichOneof("notification_overrides") is None and plan.entity_metadata.notifications:
        spec.notifications.notifications.extend(plan.entity_metadata.notifications)
    naming.check_labels(spec.labels.values)
    naming.check_annotations(spec.annotations.values)
    return spec


def complete(message: Any, sources: Sequence[Any]) -> None:
    """Fill what the message leaves unset from the first source that sets it. Sources may lack fields."""
    for source in sources:
        known = source.DESCRIPTOR.fields_by_name
        for name in INHERITED:
            if name in known and _is_set(source, name) and not _is_set(message, name):
                getattr(message, name).CopyFrom(getattr(source, name))
        for name in ("labels", "annotations"):
            if not getattr(message, name).values and getattr(source, name).values:
                getattr(message, name).CopyFrom(getattr(source, name))
        if not message.execution_env_assignments:
            message.execution_env_assignments.extend(source.execution_env_assignments)
        message.max_parallelism = message.max_parallelism or source.max_parallelism
        message.overwrite_cache = message.overwrite_cache or source.overwrite_cache


def add_labels(spec: execution_pb2.ExecutionSpec, labels: Mapping[str, str]) -> None:
    """Add the project's labels, where the spec has none of that name."""
    for key, value in labels.items():
        if key not in spec.labels.values:
            spec.labels.values[key] = value


def again(
    spec: bytes, original: ExecutionId, mode: execution_pb2.ExecutionMetadata.ExecutionMode
) -> execution_pb2.ExecutionSpec:
    """Return what to ask for to have an execution again: its own spec, without the place it had among others."""
    asked = execution_pb2.ExecutionSpec.FromString(spec)
    asked.metadata.mode = mode
    asked.metadata.reference_execution.CopyFrom(identifiers.to_execution_identifier(original))
    for name in ("parent_node_execution", "nesting", "scheduled_at"):
        asked.metadata.ClearField(name)
    return asked


def options(spec: execution_pb2.ExecutionSpec, settings: ApiSettings) -> RunOptions:
    """Return what the engine needs to know of the spec, and of the server's settings."""
    interruptible = spec.interruptible.value if spec.HasField("interruptible") else None
    return RunOptions(
        max_parallelism=max(spec.max_parallelism, 0),
        interruptible=interruptible,
        system_retries=settings.system_retries,
        overwrite_cache=spec.overwrite_cache,
        recovers=spec.metadata.mode == Mode.RECOVERED and spec.metadata.HasField("reference_execution"),
    )


def at_once(spec: execution_pb2.ExecutionSpec, plan: launch_plan_pb2.LaunchPlanSpec) -> int:
    """Return how many executions of this launch plan's name may be under way, 0 for no limit.

    Schedules go by it too: upstream's scheduler ignores it, and people asked for it
    (flyteorg/flyte#4932).
    """
    return int(plan.concurrency_policy.max) if plan.HasField("concurrency_policy") else 0


def tags(spec: execution_pb2.ExecutionSpec) -> tuple[tuple[str, str], ...]:
    """Return what executions are found by: labels as (key, value), tags as (tag, "")."""
    found = {(key, value) for key, value in spec.labels.values.items()} | {(tag, "") for tag in spec.tags}
    return tuple(sorted(found))


def _is_set(message: Any, name: str) -> bool:
    """Say whether a message field is set: flytekit sends empty ones for "nothing", but false is a value."""
    return bool(message.HasField(name) and (name == "interruptible" or getattr(message, name).ByteSize()))
