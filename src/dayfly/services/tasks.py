"""Tasks: registering and reading them. A stored template is never changed; defaults apply when an attempt is built."""

from __future__ import annotations

from flyteidl.admin import common_pb2, task_pb2
from flyteidl.core import compiler_pb2, identifier_pb2, tasks_pb2

from dayfly.base import errors
from dayfly.base.clock import Clock
from dayfly.compiler import digests
from dayfly.compiler import tasks as compiled_tasks
from dayfly.model import identifiers, resources
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition, Definitions
from dayfly.services import naming, projects, registering
from dayfly.services.overrides import Overrides
from dayfly.services.settings import ApiSettings
from dayfly.services.timestamps import to_timestamp


class Tasks:
    """CreateTask, GetTask, ListTasks."""

    def __init__(self, definitions: Definitions, overrides: Overrides, now: Clock, settings: ApiSettings) -> None:
        self._definitions = definitions
        self._overrides = overrides
        self._clock = now
        self._settings = settings

    async def create(self, request: task_pb2.TaskCreateRequest) -> task_pb2.TaskCreateResponse:
        """Register a version. ALREADY_EXISTS if the same is there, INVALID_ARGUMENT if it differs."""
        entity = naming.entity(request.id, identifier_pb2.TASK)
        await projects.require_active(self._definitions, self._settings, entity.project, entity.domain)
        template = request.spec.template
        registering.refuse_errors(compiled_tasks.check(template, entity), f"{entity} is invalid")
        await self._refuse_excess(template, entity)
        template.id.CopyFrom(identifiers.to_identifier(entity))
        compiled = compiler_pb2.CompiledTask(template=template)
        at = self._clock.now()
        closure = task_pb2.TaskClosure(compiled_task=compiled, created_at=to_timestamp(at))
        definition = Definition(
            id=entity,
            digest=digests.digest(compiled),
            document=closure.SerializeToString(),
            created_at=at,
            updated_at=at,
            short_description=request.spec.description.short_description,
            task_type=template.type,
        )
        await registering.create(
            self._definitions, definition, _compared, registering.description_of(request.spec, entity)
        )
        return task_pb2.TaskCreateResponse()

    async def _refuse_excess(self, template: tasks_pb2.TaskTemplate, entity: EntityId) -> None:
        ceiling = await self._overrides.ceiling(entity, self._settings.task_ceiling)
        excess = resources.find_excess(template.container.resources, ceiling)
        if excess:
            raise errors.InvalidArgument(
                f"{entity} asks for more than a task may have: {'; '.join(excess)}.",
                remedy="Ask for less, or have the DAYFLY_TASKS__MAX_... settings or TASK_RESOURCE attributes raised.",
            )

    async def get(self, request: common_pb2.ObjectGetRequest) -> task_pb2.Task:
        """Return one version. NOT_FOUND."""
        return _message(await registering.get(self._definitions, request.id, identifier_pb2.TASK))

    async def list(self, request: common_pb2.ResourceListRequest) -> task_pb2.TaskList:
        """Return versions, newest first."""
        found, token = await registering.list_versions(self._definitions, identifier_pb2.TASK, request)
        return task_pb2.TaskList(tasks=[_message(one) for one in found], token=token)


def _compared(document: bytes) -> compiler_pb2.CompiledTask:
    return task_pb2.TaskClosure.FromString(document).compiled_task


def _message(definition: Definition) -> task_pb2.Task:
    return task_pb2.Task(
        id=identifiers.to_identifier(definition.id),
        closure=task_pb2.TaskClosure.FromString(definition.document),
        short_description=definition.short_description,
    )
