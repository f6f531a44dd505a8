"""Matchable attributes: overrides for projects, domains, workflows, launch plans. What they change, `overrides` says.

Reading at a level gives the most special ones that hold there; NOT_FOUND is what clients take for "none set". One
question always has an answer: a project's WORKFLOW_EXECUTION_CONFIG, laid over the server's own.
Source: flyteadmin/pkg/manager/impl/resources/resource_manager.go in flyteorg/flyte.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from flyteidl.admin import matchable_resource_pb2
from flyteidl.admin import project_attributes_pb2 as of_project
from flyteidl.admin import project_domain_attributes_pb2 as of_domain
from flyteidl.admin import workflow_attributes_pb2 as of_workflow

from dayfly.base import errors
from dayfly.model import quantities
from dayfly.ports.attributes import Attributes as AttributeStore
from dayfly.ports.attributes import Place, StoredAttributes
from dayfly.ports.definitions import Definitions
from dayfly.services import execution_spec, naming, projects
from dayfly.services.settings import ApiSettings

Kind = matchable_resource_pb2.MatchableResource
Matching: TypeAlias = matchable_resource_pb2.MatchingAttributes

KINDS = {field.name: field.number - 1 for field in Matching.DESCRIPTOR.fields}
"""The kind of each member of the one-of: flyteidl numbers both alike, one from 0 and one from 1."""


class Attributes:
    """Update-, Get- and Delete- Project-, ProjectDomain- and WorkflowAttributes, ListMatchableAttributes."""

    def __init__(self, attributes: AttributeStore, definitions: Definitions, settings: ApiSettings) -> None:
        self._attributes = attributes
        self._definitions = definitions
        self._settings = settings

    async def update_of_project(
        self, request: of_project.ProjectAttributesUpdateRequest
    ) -> of_project.ProjectAttributesUpdateResponse:
        """Set a project's attributes of one kind."""
        await self._update(request.attributes, await self._place(request.attributes))
        return of_project.ProjectAttributesUpdateResponse()

    async def update_of_domain(
        self, request: of_domain.ProjectDomainAttributesUpdateRequest
    ) -> of_domain.ProjectDomainAttributesUpdateResponse:
        """Set the attributes of a project's domain."""
        await self._update(request.attributes, await self._place(request.attributes))
        return of_domain.ProjectDomainAttributesUpdateResponse()

    async def update_of_workflow(
        self, request: of_workflow.WorkflowAttributesUpdateRequest
    ) -> of_workflow.WorkflowAttributesUpdateResponse:
        """Set a workflow's attributes."""
        await self._update(request.attributes, await self._place(request.attributes))
        return of_workflow.WorkflowAttributesUpdateResponse()

    async def get_of_project(
        self, request: of_project.ProjectAttributesGetRequest
    ) -> of_project.ProjectAttributesGetResponse:
        """Return what is set for the project itself. NOT_FOUND."""
        place = await self._place(request)
        found = await self._attributes.matching(_kind(request), place)
        matching = Matching.FromString(found[0].document) if found else Matching()
        if request.resource_type == Kind.WORKFLOW_EXECUTION_CONFIG:
            own = matchable_resource_pb2.WorkflowExecutionConfig(max_parallelism=self._settings.max_parallelism)
            execution_spec.complete(matching.workflow_execution_config, [own])
        elif not found:
            raise _none(request, place)
        return of_project.ProjectAttributesGetResponse(
            attributes=of_project.ProjectAttributes(project=place.project, matching_attributes=matching)
        )

    async def get_of_domain(
        self, request: of_domain.ProjectDomainAttributesGetRequest
    ) -> of_domain.ProjectDomainAttributesGetResponse:
        """Return what holds for the project's domain. NOT_FOUND."""
        found = await self._most_special(request)
        attributes = of_domain.ProjectDomainAttributes(
            project=found.place.project, domain=found.place.domain, matching_attributes=_matching(found)
        )
        return of_domain.ProjectDomainAttributesGetResponse(attributes=attributes)

    async def get_of_workflow(
        self, request: of_workflow.WorkflowAttributesGetRequest
    ) -> of_workflow.WorkflowAttributesGetResponse:
        """Return what holds for the workflow. NOT_FOUND."""
        found = await self._most_special(request)
        attributes = of_workflow.WorkflowAttributes(
            project=found.place.project,
            domain=found.place.domain,
            workflow=found.place.workflow,
            matching_attributes=_matching(found),
        )
        return of_workflow.WorkflowAttributesGetResponse(attributes=attributes)

    async def delete_of_project(
        self, request: of_project.ProjectAttributesDeleteRequest
    ) -> of_project.ProjectAttributesDeleteResponse:
        """Remove a project's attributes. NOT_FOUND."""
        await self._attributes.delete(_kind(request), await self._place(request))
        return of_project.ProjectAttributesDeleteResponse()

    async def delete_of_domain(
        self, request: of_domain.ProjectDomainAttributesDeleteRequest
    ) -> of_domain.ProjectDomainAttributesDeleteResponse:
        """Remove the attributes of a project's domain. NOT_FOUND."""
        await self._attributes.delete(_kind(request), await self._place(request))
        return of_domain.ProjectDomainAttributesDeleteResponse()

    async def delete_of_workflow(
        self, request: of_workflow.WorkflowAttributesDeleteRequest
    ) -> of_workflow.WorkflowAttributesDeleteResponse:
        """Remove a workflow's attributes. NOT_FOUND."""
        await self._attributes.delete(_kind(request), await self._place(request))
        return of_workflow.WorkflowAttributesDeleteResponse()

    async def list(
        self, request: matchable_resource_pb2.ListMatchableAttributesRequest
    ) -> matchable_resource_pb2.ListMatchableAttributesResponse:
        """Return all attributes of a kind, as they were set."""
        configurations = [
            matchable_resource_pb2.MatchableAttributesConfiguration(
                attributes=_matching(one),
                project=one.place.project,
                domain=one.place.domain,
                workflow=one.place.workflow,
                launch_plan=one.place.launch_plan,
            )
            for one in await self._attributes.list(_kind(request))
        ]
        return matchable_resource_pb2.ListMatchableAttributesResponse(configurations=configurations)

    async def _place(self, message: Any) -> Place:
        """Return the place that a message names, checked. Every level has the fields of the ones above it."""
        known = message.DESCRIPTOR.fields_by_name
        if "domain" not in known:
            naming.path_part(message.project, "project")
            if await self._definitions.find_project(message.project) is None:
                raise errors.NotFound(f"project {message.project!r} does not exist.")
            return Place(message.project)
        await projects.require_active(self._definitions, self._settings, message.project, message.domain)
        workflow = naming.text(message.workflow, "workflow") if "workflow" in known else ""
        return Place(message.project, message.domain, workflow)

    async def _update(self, attributes: Any, place: Place) -> None:
        matching = attributes.matching_attributes
        target = matching.WhichOneof("target")
        if target is None:
            raise errors.InvalidArgument(
                "missing matching_attributes.target.", remedy=f"Set one of {', '.join(KINDS)}."
            )
        _check(matching)
        kind = KINDS[target]
        if kind == Kind.PLUGIN_OVERRIDE:
            matching = _joined(await self._find(kind, place), matching)
        await self._attributes.put(StoredAttributes(kind, place, matching.SerializeToString()))

    async def _find(self, kind: int, place: Place) -> Matching:
        found = await self._attributes.matching(kind, place)
        return _matching(found[0]) if found and found[0].place == place else Matching()

    async def _most_special(self, request: Any) -> StoredAttributes:
        place = await self._place(request)
        found = await self._attributes.matching(_kind(request), place)
        if not found:
            raise _none(request, place)
        return found[0]


def _kind(request: Any) -> int:
    if request.resource_type not in Kind.values():
        raise errors.InvalidArgument(f"There is no resource_type {request.resource_type}.")
    return int(request.resource_type)


def _matching(stored: StoredAttributes) -> Matching:
    return Matching.FromString(stored.document)


def _none(request: Any, place: Place) -> errors.NotFound:
    where = ":".join(filter(None, (place.project, place.domain, place.workflow)))
    return errors.NotFound(f"No {_kind_name(request.resource_type)} attributes are set for {where}.")


def _joined(stored: Matching, given: Matching) -> Matching:
    """Return the stored plugin overrides with the given ones in place of those of the same task type."""
    by_type = {one.task_type: one for one in (*stored.plugin_overrides.overrides, *given.plugin_overrides.overrides)}
    joined = Matching()
    joined.plugin_overrides.overrides.extend(by_type.values())
    return joined


def _check(matching: Matching) -> None:
    """Raise `InvalidArgument` for what could only fail later, where nobody would look for it."""
    of_tasks, config = matching.task_resource_attributes, matching.workflow_execution_config
    for part in ("defaults", "limits"):
        for field, value in getattr(of_tasks, part).ListFields():
            if not quantities.is_one(value):
                raise errors.InvalidArgument(
                    f"task_resource_attributes.{part}.{field.name} is no quantity: {value!r}.",
                    remedy="Write a number with a unit, such as 500m, 2 or 32Gi.",
                )
    if config.max_parallelism < 0:
        raise errors.InvalidArgument(f"workflow_execution_config.max_parallelism is {config.max_parallelism}.")
    naming.check_labels(config.labels.values)
    naming.check_annotations(config.annotations.values)


def _kind_name(kind: int) -> str:
    return str(Kind.Name(kind)) if kind in Kind.values() else f"(kind {kind})"
