"""The spec of a new execution: what the request asks, completed by the launch plan and the server's defaults. Pure.

Per field, the first that sets it wins: request, launch plan, default. What nobody set stays unset; `interruptible`
above all, because children inherit "unset". Source: flyteadmin's execution_manager.go in flyteorg/flyte.
"""

from __future__ import annotations

from flyteidl.admin import execution_pb2, launch_plan_pb2

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
    asked: execution_pb2.ExecutionSpec, plan: launch_plan_pb2.LaunchPlanSpec, settings: ApiSettings
) -> execution_pb2.ExecutionSpec:
    """Return the spec to store. Raise `InvalidArgument` for malformed labels or annotations."""
    spec = execution_pb2.ExecutionSpec()
    spec.CopyFrom(asked)
    spec.ClearField("inputs")
    spec.metadata.principal = identity.ANONYMOUS
    for name in INHERITED:
        if not _is_set(spec, name) and _is_set(plan, name):
            getattr(spec, name).CopyFrom(getattr(plan, name))
    for name in ("labels", "annotations"):
        if not getattr(spec, name).values and getattr(plan, name).values:
            getattr(spec, name).CopyFrom(getattr(plan, name))
    if not spec.execution_env_assignments:
        spec.execution_env_assignments.extend(plan.execution_env_assignments)
    spec.max_parallelism = asked.max_parallelism or plan.max_parallelism or settings.max_parallelism
    spec.overwrite_cache = asked.overwrite_cache or plan.overwrite_cache
    if spec.WhichOneof("notification_overrides") is None and plan.entity_metadata.notifications:
        spec.notifications.notifications.extend(plan.entity_metadata.notifications)
    naming.check_labels(spec.labels.values)
    naming.check_annotations(spec.annotations.values)
    return spec


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


def options(spec: execution_pb2.ExecutionSpec) -> RunOptions:
    """Return what the engine needs to know of the spec."""
    interruptible = spec.interruptible.value if spec.HasField("interruptible") else None
    return RunOptions(max_parallelism=max(spec.max_parallelism, 0), interruptible=interruptible)


def tags(spec: execution_pb2.ExecutionSpec) -> tuple[tuple[str, str], ...]:
    """Return what executions are found by: labels as (key, value), tags as (tag, "")."""
    found = {(key, value) for key, value in spec.labels.values.items()} | {(tag, "") for tag in spec.tags}
    return tuple(sorted(found))


def _is_set(message: execution_pb2.ExecutionSpec | launch_plan_pb2.LaunchPlanSpec, name: str) -> bool:
    """Say whether a message field is set: flytekit sends empty ones for "nothing", but false is a value."""
    return bool(message.HasField(name) and (name == "interruptible" or getattr(message, name).ByteSize()))
