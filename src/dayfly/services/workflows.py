"""Workflows: compiling, registering and reading them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping

from flyteidl.admin import common_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import compiler_pb2, identifier_pb2, tasks_pb2
from flyteidl.core import workflow_pb2 as core_workflow_pb2

from dayfly.base import errors
from dayfly.base.clock import Clock, Micros
from dayfly.compiler import digests, references
from dayfly.compiler import errors as compile_errors
from dayfly.compiler import workflows as compiling
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition, Definitions
from dayfly.services import naming, projects, registering
from dayfly.services.settings import ApiSettings
from dayfly.services.timestamps import to_timestamp

QUICK_BYTES = 64 * 1024
"""What is larger is compiled on a thread: 20 MiB of nodes take a second, and everybody else would wait."""


class Workflows:
    """CreateWorkflow, GetWorkflow, ListWorkflows."""

    def __init__(self, definitions: Definitions, now: Clock, settings: ApiSettings) -> None:
        self._definitions = definitions
        self._clock = now
        self._settings = settings

    async def create(self, request: workflow_pb2.WorkflowCreateRequest) -> workflow_pb2.WorkflowCreateResponse:
        """Compile and register a version.

        INVALID_ARGUMENT with all compile errors; ALREADY_EXISTS if the same is there, INVALID_ARGUMENT if it differs.
        """
        entity = naming.entity(request.id, identifier_pb2.WORKFLOW)
        await projects.require_active(self._definitions, self._settings, entity.project, entity.domain)
        definition = await self._compiled(entity, request.spec)
        await registering.create(
            self._definitions, definition, _compared, registering.description_of(request.spec, entity)
        )
        return workflow_pb2.WorkflowCreateResponse()

    async def create_generated(self, entity: EntityId, template: core_workflow_pb2.WorkflowTemplate) -> None:
        """Register what the platform made itself; the same being there already is fine."""
        definition = await self._compiled(entity, workflow_pb2.WorkflowSpec(template=template))
        try:
            await registering.create(self._definitions, definition, _compared)
        except errors.AlreadyExists:
            pass  # Another launch of the same task was faster.

    async def get(self, request: common_pb2.ObjectGetRequest) -> workflow_pb2.Workflow:
        """Return one version with its compiled closure. NOT_FOUND."""
        found = await registering.get(self._definitions, request.id, identifier_pb2.WORKFLOW)
        return workflow_pb2.Workflow(
            id=identifiers.to_identifier(found.id),
            closure=workflow_pb2.WorkflowClosure.FromString(found.document),
            short_description=found.short_description,
        )

    async def list(self, request: common_pb2.ResourceListRequest) -> workflow_pb2.WorkflowList:
        """Return versions, newest first, each with no more of its closure than the interface."""
        found, token = await registering.list_versions(self._definitions, identifier_pb2.WORKFLOW, request)
        return workflow_pb2.WorkflowList(workflows=[_listed(one) for one in found], token=token)

    async def _compiled(self, entity: EntityId, spec: workflow_pb2.WorkflowSpec) -> Definition:
        tasks, launch_plans = await self._referenced(references.required(spec.template, spec.sub_workflows))
        compile_it = functools.partial(_compile, entity, spec, tasks, launch_plans, self._clock.now())
        return await asyncio.to_thread(compile_it) if spec.ByteSize() > QUICK_BYTES else compile_it()

    async def _referenced(
        self, needed: references.References
    ) -> tuple[dict[EntityId, tasks_pb2.TaskTemplate], dict[EntityId, launch_plan_pb2.LaunchPlan]]:
        """Load what the workflow refers to; what is missing the compiler reports, with the node that misses it."""
        found = await self._definitions.find_many([*needed.tasks, *needed.launch_plans])
        tasks = {
            entity: task_pb2.TaskClosure.FromString(found[entity].document).compiled_task.template
            for entity in needed.tasks
            if entity in found
        }
        launch_plans = {
            entity: launch_plan_pb2.LaunchPlan.FromString(found[entity].document)
            for entity in needed.launch_plans
            if entity in found
        }
        return tasks, launch_plans


def _compile(
    entity: EntityId,
    spec: workflow_pb2.WorkflowSpec,
    tasks: Mapping[EntityId, tasks_pb2.TaskTemplate],
    launch_plans: Mapping[EntityId, launch_plan_pb2.LaunchPlan],
    at: Micros,
) -> Definition:
    compiled = compiling.compile(spec.template, spec.sub_workflows, tasks, launch_plans, entity)
    if isinstance(compiled, compile_errors.Rejected):
        told = compile_errors.describe(compiled.errors)
        raise errors.InvalidArgument(f"failed to compile workflow for [{entity}] with err {told}")
    closure = workflow_pb2.WorkflowClosure(compiled_workflow=compiled.closure, created_at=to_timestamp(at))
    return Definition(
        id=entity,
        digest=digests.digest(compiled.closure),
        document=closure.SerializeToString(),
        created_at=at,
        updated_at=at,
        short_description=spec.description.short_description,
        plan=compiled.plan,
    )


def _compared(document: bytes) -> compiler_pb2.CompiledWorkflowClosure:
    return workflow_pb2.WorkflowClosure.FromString(document).compiled_workflow


def _listed(definition: Definition) -> workflow_pb2.Workflow:
    whole = workflow_pb2.WorkflowClosure.FromString(definition.document)
    shown = workflow_pb2.WorkflowClosure(created_at=whole.created_at)
    template = whole.compiled_workflow.primary.template
    shown.compiled_workflow.primary.template.interface.CopyFrom(template.interface)
    return workflow_pb2.Workflow(
        id=identifiers.to_identifier(definition.id), closure=shown, short_description=definition.short_description
    )
