"""The resources as they were seen last, and the one way to change them. Called by `driving`.

Each change is for the version that was seen: of two operators who would change the same, one is told to look again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.base import errors
from dayfly.operator import resources
from dayfly.operator.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import ExecutionId
    from dayfly.operator.cluster import Cluster, Manifest

LIST_SECONDS = 60.0
"""How often all resources are listed anew, whatever was told."""

Key = tuple[str, str]


class Kept:
    """What one operator knows of the cluster; `wake` is called when it has learned of something by itself."""

    def __init__(self, cluster: Cluster, clock: Clock, wake: Callable[[], None]) -> None:
        self._cluster, self._clock, self._wake = cluster, clock, wake
        self._there: dict[Key, Resource] = {}
        self._listed_until = 0.0
        self.known = False
        """Whether the cluster knows the kind, as far as it was asked."""

    def keys(self) -> tuple[Key, ...]:
        """Return namespace and name of each resource."""
        return tuple(self._there)

    def find(self, key: Key) -> Resource | None:
        """Return a resource, None for one that is gone."""
        return self._there.get(key)

    def executions(self) -> set[ExecutionId | None]:
        """Return the executions that resources stand for."""
        return {one.execution for one in self._there.values()}

    async def list_if_due(self) -> bool:
        """List all resources if that is due; say whether it was."""
        now = self._clock.monotonic()
        if now < self._listed_until:
            return False
        before = dict(self._there)
        try:
            found = {one.key: one for one in map(self._read, await self._cluster.list_all())}
        except errors.NotFound:
            self.known = False
            self._there.clear()
            return True
        # What was told while the list was on its way is newer than the list.
        told = {key: one for key, one in self._there.items() if before.get(key) is not one}
        lost = before.keys() - self._there.keys()
        self._there = {**{key: one for key, one in found.items() if key not in lost}, **told}
        self._listed_until, self.known = now + LIST_SECONDS, True
        return True

    def list_soon(self) -> None:
        """Have the next listing be due now."""
        self._listed_until = 0.0

    def tell(self, gone: bool, manifest: Manifest) -> None:
        """Take in how a resource is."""
        resource = self._read(manifest)
        before = self._there.get(resource.key)
        if gone:
            if before is not None and before.uid == resource.uid:
                self._there.pop(resource.key)
        elif before is None or before.version != resource.version:
            self._there[resource.key] = resource
            self._wake()

    async def make(self, execution: ExecutionId) -> None:
        """Make the resource of an execution, or find it made."""
        made = self._read(await self._cluster.ensure(execution))
        self._there[made.key] = made

    async def change(self, resource: Resource, change: Manifest, *, part: str = "") -> Resource | None:
        """Change a resource, and return it as it is then; None if it is gone. Raise `VersionClash` where it is not as
        it was seen: it has been seen anew then."""
        metadata = {**change.get("metadata", {}), "resourceVersion": resource.version}
        try:
            told = await self._cluster.patch(resource.manifest, {**change, "metadata": metadata}, part=part)
        except errors.VersionClash:
            now = await self._cluster.get(*resource.key)
            self._there.pop(resource.key, None)
            if now is not None:
                self.tell(False, now)
            raise
        changed = self._read(told) if told is not None else None
        if changed is None or (changed.deleting and not changed.finalizers):
            self._there.pop(resource.key, None)
        else:
            self._there[resource.key] = changed
        return changed

    async def restate(self, resource: Resource, status: Mapping[str, Any]) -> Resource:
        """Write a status where it differs; return the resource as it is then."""
        change = resources.restate(resource.status, status)
        if not change:
            return resource
        return await self.change(resource, {"status": change}, part="status") or resource

    async def delete(self, resource: Resource) -> None:
        """Have a resource deleted."""
        await self._cluster.delete(resource.manifest)
        self._there.pop(resource.key, None)

    def _read(self, manifest: Manifest) -> Resource:
        """Return a resource, which stands for no execution of other projects than its namespace is for.

        Its label and names anybody can write who may make one: rights in one namespace are none in another's project.
        """
        resource = Resource(manifest)
        told = resource.execution
        if told is not None and self._cluster.namespace_of(told.project, told.domain) != resource.key[0]:
            resource.execution = None
        return resource
