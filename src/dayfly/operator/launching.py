"""From a user's own `FlyteWorkflow` to its execution, or to what is wrong with it.

Called by `driving`. The execution's name follows from the resource's uid, and the resource is claimed before the
execution is made: however often this is begun, by whomever, one execution comes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flyteidl.admin import execution_pb2
from google.protobuf import wrappers_pb2

from dayfly.base import errors
from dayfly.model import flyte_workflows, identifiers, plain_values, type_names
from dayfly.model.identifiers import ExecutionId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flyteidl.admin import launch_plan_pb2
    from flyteidl.core import interface_pb2, literals_pb2

    from dayfly.operator.asking import Platform
    from dayfly.operator.resources import Resource


class Wish:
    """What a user's resource asks for, found to be possible."""

    def __init__(
        self, execution: ExecutionId, launch_plan: launch_plan_pb2.LaunchPlan, inputs: literals_pb2.LiteralMap
    ) -> None:
        self.execution, self.launch_plan, self.inputs = execution, launch_plan, inputs


async def read(resource: Resource, platform: Platform, places: Sequence[tuple[str, str]]) -> Wish:
    """Return what a resource asks for. `places` are the projects and domains that its namespace is for.

    Raise `InvalidArgument` or `NotFound` for what cannot be.
    """
    told = _launch_plan_of(resource)
    project, domain = place_of(resource, told, places)
    launch_plan = await _find(told, project, domain, platform)
    given = resource.spec.get("inputs") or {}
    declared = launch_plan.closure.expected_inputs
    inputs = plain_values.read_inputs(given, declared, "spec.inputs")
    _require_all(given, declared)
    execution = ExecutionId(project, domain, flyte_workflows.execution_name(resource.uid))
    return Wish(execution, launch_plan, inputs)


async def launch(wish: Wish, resource: Resource, platform: Platform) -> None:
    """Make the execution, or find it made. Raise `UserError` for what the platform refuses."""
    execution = wish.execution
    try:
        await platform.client.create_execution(
            execution.project,
            execution.domain,
            identifiers.from_identifier(wish.launch_plan.id),
            wish.inputs,
            name=execution.name,
            spec=options(resource.spec),
        )
    except errors.AlreadyExists:
        # Also said where a launch plan has as many executions under way as it allows.
        if await platform.find(execution) is None:
            raise


def place_of(resource: Resource, launch_plan: Mapping[str, str], places: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return project and domain of the execution: who may write into a namespace may start what is its own.

    Raise `InvalidArgument` where that cannot be told.
    """
    namespace = resource.key[0]
    if not places:
        raise errors.InvalidArgument(
            f"The namespace {namespace} is not that of any project and domain.",
            remedy="Make the resource in a namespace that is.",
        )
    wanted = (launch_plan.get("project", ""), launch_plan.get("domain", ""))
    if len(places) == 1:
        return places[0]
    fitting = [
        place for place in places if all(not part or part == own for part, own in zip(wanted, place, strict=True))
    ]
    if len(fitting) != 1:
        raise errors.InvalidArgument(
            f"The namespace {namespace} is that of several projects and domains.",
            remedy="Name one of each in spec.launchPlan.project and spec.launchPlan.domain.",
        )
    return fitting[0]


def options(spec: Mapping[str, Any]) -> execution_pb2.ExecutionSpec:
    """Return what a resource's spec says beside launch plan and inputs."""
    asked = execution_pb2.ExecutionSpec(
        overwrite_cache=bool(spec.get("overwriteCache")), max_parallelism=int(spec.get("maxParallelism") or 0)
    )
    if "interruptible" in spec:
        asked.interruptible.CopyFrom(wrappers_pb2.BoolValue(value=spec["interruptible"]))
    for name, value in sorted((spec.get("envs") or {}).items()):
        asked.envs.values.add(key=name, value=value)
    return asked


def _launch_plan_of(resource: Resource) -> Mapping[str, str]:
    if not resource.is_users:
        raise errors.InvalidArgument(
            "spec.executionId is for resources that the platform makes.", remedy="Name a spec.launchPlan instead."
        )
    told: Mapping[str, str] | None = resource.spec.get("launchPlan")
    if not told:
        raise errors.InvalidArgument("spec.launchPlan is missing.", remedy="Name the launch plan to be started.")
    return told


def _require_all(given: Mapping[str, Any], declared: interface_pb2.ParameterMap) -> None:
    lacking = [
        f"{name} ({type_names.describe(one.var.type)})"
        for name, one in sorted(declared.parameters.items())
        if one.required and name not in given
    ]
    if lacking:
        raise errors.InvalidArgument(
            f"spec.inputs lacks {', '.join(lacking)}.", remedy="The launch plan has no defaults for these."
        )


async def _find(told: Mapping[str, str], project: str, domain: str, platform: Platform) -> launch_plan_pb2.LaunchPlan:
    project, domain = told.get("project") or project, told.get("domain") or domain
    name, version = told["name"], told.get("version", "")
    try:
        return await platform.client.get_launch_plan(project, domain, name, version)
    except errors.NotFound as error:
        which = f"version {version!r}" if version else "any version"
        raise errors.NotFound(
            f"There is no launch plan {name!r} in project {project!r}, domain {domain!r}, in {which}.",
            remedy="Register it, or correct spec.launchPlan.",
        ) from error
