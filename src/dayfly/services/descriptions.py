"""Description entities: what people wrote of the tasks and workflows they registered, and where the source is.

Source: flyteadmin/pkg/manager/impl/description_entity_manager.go in flyteorg/flyte.
"""

from __future__ import annotations

from flyteidl.admin import common_pb2, description_entity_pb2
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.model import identifiers
from dayfly.ports import descriptions as ports
from dayfly.services import naming, paging

KINDS = (identifier_pb2.TASK, identifier_pb2.WORKFLOW, identifier_pb2.LAUNCH_PLAN)
"""What is registered here; launch plans come without a description."""


class Descriptions:
    """GetDescriptionEntity, ListDescriptionEntities."""

    def __init__(self, descriptions: ports.Descriptions) -> None:
        self._descriptions = descriptions

    async def get(self, request: common_pb2.ObjectGetRequest) -> description_entity_pb2.DescriptionEntity:
        """Return the description of one version. NOT_FOUND where there is none."""
        entity = naming.entity(request.id, _kind(request.id.resource_type))
        found = await self._descriptions.find(entity)
        if found is None:
            raise errors.NotFound(
                f"{entity} has no description.", remedy="It is registered with the version, if at all."
            )
        return to_message(found)

    async def list(
        self, request: description_entity_pb2.DescriptionEntityListRequest
    ) -> description_entity_pb2.DescriptionEntityList:
        """Return descriptions, newest first; of one name, or of all where none is given."""
        kind = _kind(request.resource_type)
        naming.path_part(request.id.project, "project")
        naming.path_part(request.id.domain, "domain")
        page = paging.read(request)
        found = await self._descriptions.list(kind, request.id.project, request.id.domain, request.id.name, page)
        return description_entity_pb2.DescriptionEntityList(
            descriptionEntities=[to_message(one) for one in found], token=paging.next_token(page, found)
        )


def to_message(description: ports.Description) -> description_entity_pb2.DescriptionEntity:
    """Convert to the message."""
    told = description_entity_pb2.DescriptionEntity.FromString(description.document)
    told.id.CopyFrom(identifiers.to_identifier(description.id))
    return told


def _kind(kind: int) -> int:
    if kind not in KINDS:
        raise errors.InvalidArgument(
            f"{identifiers.kind_name(kind)} has no description.", remedy="Ask for a task, workflow or launch plan."
        )
    return kind
