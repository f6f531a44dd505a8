"""What is registered in a place, and its runs, as lists of the API's messages. Used by the pages about workflows,
tasks and launch plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flyteidl.admin import common_pb2, launch_plan_pb2
from flyteidl.core import identifier_pb2

from dayfly.client import filters as conditions
from dayfly.console.addresses import Place
from dayfly.console.site import View
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId

MOST = 500
"""Versions, runs and names that one list takes in: the newest ones."""

ARCHIVED = common_pb2.NAMED_ENTITY_ARCHIVED
ACTIVE = launch_plan_pb2.ACTIVE

_NEWEST = {"key": "created_at", "direction": "DESCENDING"}

_RPCS = {
    identifier_pb2.TASK: ("ListTasks", "tasks"),
    identifier_pb2.WORKFLOW: ("ListWorkflows", "workflows"),
    identifier_pb2.LAUNCH_PLAN: ("ListLaunchPlans", "launch_plans"),
}


async def names(view: View, kind: int, place: Place) -> list[Any]:
    """Return admin.NamedEntity, archived ones too, without what the platform made itself."""
    request = common_pb2.NamedEntityListRequest(resource_type=kind, **place._asdict(), limit=MOST)
    found: list[Any] = []
    while True:
        answer = await view.client.call(view.client.admin.ListNamedEntities, request)
        found += answer.entities
        if not answer.token:
            return found
        request.token = answer.token


async def name(view: View, kind: int, place: Place, name: str) -> Any:
    """Return one admin.NamedEntity. Raise `NotFound`."""
    request = common_pb2.NamedEntityGetRequest(resource_type=kind, id={**place._asdict(), "name": name})
    return await view.client.call(view.client.admin.GetNamedEntity, request)


async def set_archived(view: View, entity: Any, archived: bool) -> None:
    """Hide a name from lists, or show it again."""
    state = ARCHIVED if archived else common_pb2.NAMED_ENTITY_ACTIVE
    metadata = common_pb2.NamedEntityMetadata(description=entity.metadata.description, state=state)
    request = common_pb2.NamedEntityUpdateRequest(resource_type=entity.resource_type, id=entity.id, metadata=metadata)
    await view.client.call(view.client.admin.UpdateNamedEntity, request)


async def versions(view: View, kind: int, place: Place, name: str = "", *, filters: str = "") -> list[Any]:
    """Return versions of a name, of all names without one, newest first."""
    rpc, field = _RPCS[kind]
    request = common_pb2.ResourceListRequest(
        id={**place._asdict(), "name": name}, limit=MOST, sort_by=_NEWEST, filters=filters
    )
    return list(getattr(await view.client.call(getattr(view.client.admin, rpc), request), field))


async def runs(view: View, place: Place, filters: str = "", *, limit: int = MOST) -> list[Any]:
    """Return admin.Execution, newest first."""
    request = common_pb2.ResourceListRequest(id=place._asdict(), limit=limit, sort_by=_NEWEST, filters=filters)
    return list((await view.client.call(view.client.admin.ListExecutions, request)).executions)


async def get_workflow(view: View, entity: EntityId) -> Any:
    """Return admin.Workflow with all of its closure."""
    request = common_pb2.ObjectGetRequest(id=identifiers.to_identifier(entity))
    return await view.client.call(view.client.admin.GetWorkflow, request)


async def set_active(view: View, plan: EntityId, active: bool) -> None:
    """Activate a version of a launch plan, so that its schedule fires, or deactivate it."""
    state = launch_plan_pb2.ACTIVE if active else launch_plan_pb2.INACTIVE
    request = launch_plan_pb2.LaunchPlanUpdateRequest(id=identifiers.to_identifier(plan), state=state)
    await view.client.call(view.client.admin.UpdateLaunchPlan, request)


def of_name(field: str, name: str) -> str:
    """Return the condition that a field has a value, in Flyte's filter language."""
    return conditions.equal(field, name)


def by_name(found: Iterable[Any]) -> dict[str, list[Any]]:
    """Return versions by their names, in the order they came."""
    grouped: dict[str, list[Any]] = {}
    for one in found:
        grouped.setdefault(one.id.name, []).append(one)
    return grouped
