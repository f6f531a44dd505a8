"""Description entities: long descriptions and source links of registered versions. None are kept yet."""

from __future__ import annotations

from typing import NoReturn

from flyteidl.admin import common_pb2, description_entity_pb2

from dayfly.base import errors
from dayfly.services import paging


class Descriptions:
    """GetDescriptionEntity, ListDescriptionEntities."""

    async def get(self, request: common_pb2.ObjectGetRequest) -> NoReturn:
        """Say NOT_FOUND: none is kept."""
        raise errors.NotFound(f"{request.id.name!r} version {request.id.version!r} has no description entity.")

    async def list(
        self, request: description_entity_pb2.DescriptionEntityListRequest
    ) -> description_entity_pb2.DescriptionEntityList:
        """Return none."""
        paging.read(request)
        return description_entity_pb2.DescriptionEntityList()
