"""What a launch form is about: a launch plan or a task, its parameters, and the past run it is filled in from."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flyteidl.admin import common_pb2, execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2, types_pb2

from dayfly.base import errors
from dayfly.console.addresses import Place
from dayfly.console.site import View
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId, ExecutionId

VERSIONS = 100
"""Newest versions that can be chosen among."""

LAUNCH_PLAN, TASK = identifier_pb2.LAUNCH_PLAN, identifier_pb2.TASK


@dataclass(frozen=True)
class Parameter:
    """One input that can be given."""

    name: str
    type: types_pb2.LiteralType
    required: bool
    help: str
    default: literals_pb2.Literal | None = None


@dataclass(frozen=True)
class Template:
    """A past run to be like."""

    id: ExecutionId
    inputs: Mapping[str, literals_pb2.Literal]
    spec: execution_pb2.ExecutionSpec


@dataclass(frozen=True)
class Target:
    """What is launched."""

    id: EntityId
    parameters: tuple[Parameter, ...]
    """Required ones first, then by name: interfaces keep no order."""
    fixed: Mapping[str, literals_pb2.Literal] = field(default_factory=dict)
    workflow: EntityId | None = None
    versions: tuple[tuple[str, bool], ...] = ()
    """Newest first, with whether it is the active one."""
    template: Template | None = None

    @property
    def kind(self) -> str:
        """Return the kind's name, as addresses have it."""
        return "task" if self.id.kind == TASK else "launch_plan"


async def read(view: View, place: Place, query: Mapping[str, str]) -> Target:
    """Return what an address asks for: `launch_plan`, `task` or `execution`, and `version`. Raise `NotFound`."""
    version = query.get("version", "")
    if name := query.get("execution"):
        return await _again(view, ExecutionId(*place, name), version)
    if name := query.get("launch_plan"):
        return await _launch_plan(view, place, name, version)
    if name := query.get("task"):
        return await _task(view, place, name, version)
    raise errors.InvalidArgument(
        "The address does not say what to launch.", remedy="Choose a workflow or a task, and launch it from its page."
    )


async def _again(view: View, execution: ExecutionId, version: str) -> Target:
    run, data = await asyncio.gather(view.client.get_execution(execution), view.client.get_execution_data(execution))
    launched = run.spec.launch_plan
    place = Place(launched.project, launched.domain)
    kind = _task if launched.resource_type == TASK else _launch_plan
    found = await kind(view, place, launched.name, version or launched.version)
    inputs = {name: one for name, one in data.full_inputs.literals.items() if name not in found.fixed}
    template = Template(execution, inputs, run.spec)
    return Target(found.id, found.parameters, found.fixed, found.workflow, found.versions, template)


async def _launch_plan(view: View, place: Place, name: str, version: str) -> Target:
    plan, listed = await asyncio.gather(
        view.client.get_launch_plan(*place, name, version), list_versions(view, "ListLaunchPlans", place, name)
    )
    parameters = [
        Parameter(
            one_name,
            one.var.type,
            one.required,
            _help(one_name, one.var.description),
            one.default if one.HasField("default") else None,
        )
        for one_name, one in plan.closure.expected_inputs.parameters.items()
    ]
    versions = tuple((one.id.version, one.closure.state == 1) for one in listed.launch_plans)
    return Target(
        identifiers.from_identifier(plan.id),
        _ordered(parameters),
        dict(plan.spec.fixed_inputs.literals),
        identifiers.from_identifier(plan.spec.workflow_id),
        versions,
    )


async def _task(view: View, place: Place, name: str, version: str) -> Target:
    listed = await list_versions(view, "ListTasks", place, name)
    if not version and not listed.tasks:
        raise errors.NotFound(f"There is no task {name} in {place.project}/{place.domain}.")
    wanted = version or listed.tasks[0].id.version
    asked = identifier_pb2.Identifier(resource_type=TASK, **place._asdict(), name=name, version=wanted)
    found = await view.client.call(view.client.admin.GetTask, common_pb2.ObjectGetRequest(id=asked))
    declared = found.closure.compiled_task.template.interface.inputs.variables
    parameters = [Parameter(key, one.type, True, _help(key, one.description)) for key, one in declared.items()]
    versions = tuple((one.id.version, False) for one in listed.tasks)
    return Target(identifiers.from_identifier(found.id), _ordered(parameters), versions=versions)


async def list_versions(view: View, rpc: str, place: Place, name: str) -> Any:
    """Return the newest versions of a name, as a list call answers."""
    request = common_pb2.ResourceListRequest(
        id={**place._asdict(), "name": name},
        limit=VERSIONS,
        sort_by={"key": "created_at", "direction": "DESCENDING"},
    )
    return await view.client.call(getattr(view.client.admin, rpc), request)


def _ordered(parameters: list[Parameter]) -> tuple[Parameter, ...]:
    return tuple(sorted(parameters, key=lambda one: (not one.required, one.name)))


def _help(name: str, described: str) -> str:
    # flytekit describes what has no docstring by its name.
    return "" if described == name else described
