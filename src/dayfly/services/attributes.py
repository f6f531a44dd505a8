"""Matchable attributes: overrides for projects, domains and workflows.

None can be stored yet, so reading one says NOT_FOUND, which clients take for "none set"; one question always has an
answer: a project's WORKFLOW_EXECUTION_CONFIG is the server's default.
Source: flyteadmin/pkg/manager/impl/resources/resource_manager.go in flyteorg/flyte.
"""

from __future__ import annotations

from typing import Any, NoReturn

from flyteidl.admin import matchable_resource_pb2, project_attributes_pb2

from dayfly.base import errors
from dayfly.ports.definitions import Definitions
from dayfly.services import naming
from dayfly.services.settings import ApiSettings


class Attributes:
    """Get-, Update- and Delete- Project-, ProjectDomain- and WorkflowAttributes, ListMatchableAttributes."""

    def __init__(self, definitions: Definitions, settings: ApiSettings) -> None:
        self._definitions = definitions
        self._settings = settings

    async def get_of_project(
        self, request: project_attributes_pb2.ProjectAttributesGetRequest
    ) -> project_attributes_pb2.ProjectAttributesGetResponse:
        """Return the default execution config; NOT_FOUND for every other kind."""
        naming.path_part(request.project, "project")
        if request.resource_type != matchable_resource_pb2.WORKFLOW_EXECUTION_CONFIG:
            _none(request)
        if await self._definitions.find_project(request.project) is None:
            raise errors.NotFound(f"project {request.project!r} does not exist.")
        config = matchable_resource_pb2.WorkflowExecutionConfig(max_parallelism=self._settings.max_parallelism)
        return project_attributes_pb2.ProjectAttributesGetResponse(
            attributes=project_attributes_pb2.ProjectAttributes(
                project=request.project,
                matching_attributes=matchable_resource_pb2.MatchingAttributes(workflow_execution_config=config),
            )
        )

    async def get_none(self, request: Any) -> NoReturn:
        """Say NOT_FOUND: none is set."""
        _none(request)

    async def list(
        self, _: matchable_resource_pb2.ListMatchableAttributesRequest
    ) -> matchable_resource_pb2.ListMatchableAttributesResponse:
        """Return all stored attributes: none."""
        return matchable_resource_pb2.ListMatchableAttributesResponse()

    async def refuse(self, request: Any) -> NoReturn:
        """Refuse to store or delete attributes."""
        raise errors.FailedPrecondition(
            "Matchable attributes cannot be changed in this version.",
            remedy="Set the values on the launch plan or on the execution.",
        )


def _none(request: Any) -> NoReturn:
    kind = matchable_resource_pb2.MatchableResource.Name(request.resource_type)
    raise errors.NotFound(f"No {kind} attributes are set for project {request.project!r}.")
