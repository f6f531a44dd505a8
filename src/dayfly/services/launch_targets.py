"""What an execution is launched from: a launch plan, or a task, which gets a workflow and a launch plan of its own.

Both of a task's are named `.flytegen.<task>`, have its version, and are made at the first launch.
Source: flyteadmin/pkg/manager/impl/util/single_task_execution.go in flyteorg/flyte.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.compiler import plans, single_task
from dayfly.model.identifiers import EntityId
from dayfly.model.plan import Plan
from dayfly.ports.definitions import Definition, Definitions
from dayfly.services import naming
from dayfly.services.launch_plans import LaunchPlans
from dayfly.services.workflows import Workflows

SYSTEM_GENERATED = 2
"""flyteidl's NamedEntityState for what the platform made."""


class Target(NamedTuple):
    """All that launching needs to know of what is launched."""

    launch_plan: EntityId
    message: launch_plan_pb2.LaunchPlan
    workflow: EntityId
    plan: Plan
    task: EntityId | None
    """Set for single-task executions."""


class LaunchTargets:
    """Finds launch targets."""

    def __init__(self, definitions: Definitions, workflows: Workflows, launch_plans: LaunchPlans) -> None:
        self._definitions = definitions
        self._workflows = workflows
        self._launch_plans = launch_plans

    async def get(self, message: identifier_pb2.Identifier) -> Target:
        """Return what the spec's `launch_plan` names. Raise `NotFound`, or `InvalidArgument` for other kinds."""
        if message.resource_type == identifier_pb2.TASK:
            return await self._of_task(naming.entity(message, identifier_pb2.TASK))
        return await self._of_launch_plan(naming.entity(message, identifier_pb2.LAUNCH_PLAN), None)

    async def _of_launch_plan(self, entity: EntityId, task: EntityId | None) -> Target:
        found = await self._get(entity)
        message = launch_plan_pb2.LaunchPlan.FromString(found.document)
        workflow = naming.entity(message.spec.workflow_id, identifier_pb2.WORKFLOW)
        return Target(entity, message, workflow, _plan_of(await self._get(workflow)), task)

    async def _of_task(self, task: EntityId) -> Target:
        stored = await self._get(task)
        launch_plan = msgspec.structs.replace(single_task.workflow_id(task), kind=identifier_pb2.LAUNCH_PLAN)
        if await self._definitions.find(launch_plan) is None:
            await self._generate(task, launch_plan, stored)
        return await self._of_launch_plan(launch_plan, task)

    async def _generate(self, task: EntityId, launch_plan: EntityId, stored: Definition) -> None:
        compiled = task_pb2.TaskClosure.FromString(stored.document).compiled_task
        workflow, template = single_task.build_workflow(task, compiled.template)
        await self._workflows.create_generated(workflow, template)
        await self._launch_plans.create_generated(launch_plan, workflow)
        for entity in (workflow, launch_plan):
            named = await self._definitions.find_name(entity.kind, entity.project, entity.domain, entity.name)
            if named is not None and named.state != SYSTEM_GENERATED:
                await self._definitions.update_name(msgspec.structs.replace(named, state=SYSTEM_GENERATED))

    async def _get(self, entity: EntityId) -> Definition:
        found = await self._definitions.find(entity)
        if found is None:
            raise errors.NotFound(f"{entity} does not exist.")
        return found


def _plan_of(stored: Definition) -> Plan:
    """Return the plan of a workflow, made anew where an earlier version made it, which said less."""
    if stored.plan is None:
        raise errors.PlatformError(f"{stored.id} was stored without its plan.", remedy="Register a new version.")
    if stored.plan.digest.endswith(f".{plans.FORMAT}"):
        return stored.plan
    closure = workflow_pb2.WorkflowClosure.FromString(stored.document).compiled_workflow
    return plans.build_plan(closure, stored.id)
