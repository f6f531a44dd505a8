"""What matchable attributes change: looked up where something is registered or launched. The most special one wins.

Source: flyteadmin's execution_manager.go and resources.go in flyteorg/flyte.
"""

from __future__ import annotations

from flyteidl.admin import execution_pb2, matchable_resource_pb2

from dayfly.base import errors
from dayfly.model import resources
from dayfly.model.identifiers import EntityId
from dayfly.ports.attributes import Attributes, Place

Kind = matchable_resource_pb2.MatchableResource


class Overrides:
    """Reads attributes for launching and registering."""

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes

    async def configs(self, place: Place) -> list[matchable_resource_pb2.WorkflowExecutionConfig]:
        """Return the execution configs that hold at a place, the most special first."""
        found = await self._matching(Kind.WORKFLOW_EXECUTION_CONFIG, place)
        return [one.workflow_execution_config for one in found]

    async def check_cluster(self, place: Place, spec: execution_pb2.ExecutionSpec) -> None:
        """Raise `InvalidArgument` where the spec names another cluster pool than the one that is set."""
        asked = spec.cluster_assignment.cluster_pool_name
        found = await self._matching(Kind.CLUSTER_ASSIGNMENT, place) if asked else []
        pool = found[0].cluster_assignment.cluster_pool_name if found else asked
        if pool != asked:
            raise errors.InvalidArgument(
                f"cluster_assignment.cluster_pool_name is {asked!r}, and {place.project}:{place.domain} has {pool!r}.",
                remedy="Name that one or none.",
            )

    async def ceiling(self, task: EntityId, platform: resources.Ceiling) -> resources.Ceiling:
        """Return what a task may ask for at most."""
        found = await self._matching(Kind.TASK_RESOURCE, Place(task.project, task.domain, task.name))
        return resources.limited(platform, found[0].task_resource_attributes.limits) if found else platform

    async def _matching(self, kind: int, place: Place) -> list[matchable_resource_pb2.MatchingAttributes]:
        found = await self._attributes.matching(kind, place)
        return [matchable_resource_pb2.MatchingAttributes.FromString(one.document) for one in found]
