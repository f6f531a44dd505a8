"""Named entities: what is said of all versions of one task, workflow or launch plan together."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from flyteidl.admin import common_pb2
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.model import identifiers
from dayfly.ports.definitions import Definitions, Filter, NamedEntity
from dayfly.services import naming, paging

KINDS = frozenset({identifier_pb2.TASK, identifier_pb2.WORKFLOW, identifier_pb2.LAUNCH_PLAN})

GENERATED_PREFIX = ".flytegen"
"""Names of what the platform makes for single-task executions begin with it."""

Ids: TypeAlias = common_pb2.NamedEntityIdentifierList
IdsRequest: TypeAlias = common_pb2.NamedEntityIdentifierListRequest


class NamedEntities:
    """GetNamedEntity, ListNamedEntities, UpdateNamedEntity and the three lists of names."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    async def get(self, request: common_pb2.NamedEntityGetRequest) -> common_pb2.NamedEntity:
        """Return one name's metadata. NOT_FOUND where no version of it exists."""
        return _message(await self._get(request.resource_type, request.id))

    async def list(self, request: common_pb2.NamedEntityListRequest) -> common_pb2.NamedEntityList:
        """Return names with their metadata; without any filter, generated ones are left out."""
        _check(request.resource_type, request)
        page = paging.read(request, sort_key="name", descending=False)
        if not page.filters:
            page = paging.narrowed(page, Filter("name", "not_like", (f"{GENERATED_PREFIX}%",)))
        found = await self._definitions.list_names(request.resource_type, request.project, request.domain, page)
        return common_pb2.NamedEntityList(
            entities=[_message(one) for one in found], token=paging.next_token(page, found)
        )

    async def update(self, request: common_pb2.NamedEntityUpdateRequest) -> common_pb2.NamedEntityUpdateResponse:
        """Set description and state. NOT_FOUND where no version exists."""
        if not request.HasField("metadata"):
            raise errors.InvalidArgument(f"missing metadata for {request.id.name!r}.")
        stored = await self._get(request.resource_type, request.id)
        changed = msgspec.structs.replace(
            stored, description=request.metadata.description, state=request.metadata.state
        )
        await self._definitions.update_name(changed)
        return common_pb2.NamedEntityUpdateResponse()

    async def list_task_ids(self, request: IdsRequest) -> Ids:
        """Return the names of tasks."""
        return await self._ids(identifier_pb2.TASK, request)

    async def list_workflow_ids(self, request: IdsRequest) -> Ids:
        """Return the names of workflows."""
        return await self._ids(identifier_pb2.WORKFLOW, request)

    async def list_launch_plan_ids(self, request: IdsRequest) -> Ids:
        """Return the names of launch plans."""
        return await self._ids(identifier_pb2.LAUNCH_PLAN, request)

    async def _ids(self, kind: int, request: IdsRequest) -> Ids:
        _check(kind, request)
        page = paging.read(request, sort_key="name", descending=False)
        found = await self._definitions.list_names(kind, request.project, request.domain, page)
        return Ids(entities=[_identifier(one) for one in found], token=paging.next_token(page, found))

    async def _get(self, kind: int, name: common_pb2.NamedEntityIdentifier) -> NamedEntity:
        _check(kind, name)
        naming.text(name.name, "name")
        found = await self._definitions.find_name(kind, name.project, name.domain, name.name)
        if found is None:
            told = identifiers.kind_name(kind)
            raise errors.NotFound(f"There is no {told} {name.project}:{name.domain}:{name.name}.")
        return found


def _check(kind: int, place: common_pb2.NamedEntityIdentifier | common_pb2.NamedEntityListRequest | IdsRequest) -> None:
    if kind not in KINDS:
        raise errors.InvalidArgument(
            f"{identifiers.kind_name(kind)} entities have no names of their own.",
            remedy="Ask for TASK, WORKFLOW or LAUNCH_PLAN.",
        )
    naming.path_part(place.project, "project")
    naming.path_part(place.domain, "domain")


def _identifier(entity: NamedEntity) -> common_pb2.NamedEntityIdentifier:
    return common_pb2.NamedEntityIdentifier(project=entity.project, domain=entity.domain, name=entity.name)


def _message(entity: NamedEntity) -> common_pb2.NamedEntity:
    return common_pb2.NamedEntity(
        resource_type=entity.kind,
        id=_identifier(entity),
        metadata=common_pb2.NamedEntityMetadata(description=entity.description, state=entity.state),
    )
