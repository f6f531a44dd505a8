"""Deletes what belongs to a group, by its labels, and proves that nothing is left.

Nothing is left to whoever has made it: an operator may not run, and what it owns would live on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from dayfly.base import clock, errors, logs
from dayfly.executors.kubernetes import names, reading
from dayfly.executors.kubernetes.api import Forbidden
from dayfly.executors.kubernetes.known import Handle
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.pod_groups import GROUP

if TYPE_CHECKING:
    from dayfly.base.clock import Micros
    from dayfly.executors.kubernetes.api import Api
    from dayfly.ports.pod_groups import Manifest

GONE_SECONDS = 60.0
"""How long it may take until what was deleted is gone, before that is told."""

AGAIN_SECONDS = 2.0
"""After how long whatever was made meanwhile is deleted too."""

HELD_SECONDS = 15.0
"""How long an object may be held back by whoever has put a finalizer on it, before that is taken off: an operator that
runs does so within a second."""

PLAIN_KINDS = ("Service", "Pod")
"""Of these a group may be made in any cluster."""

OPERATORS_KINDS = ("DaskJob", "DaskAutoscaler", "DaskWorkerGroup", "DaskCluster", "Deployment", "ReplicaSet")
"""Of these too where the first of them is known, owners first."""

KEEPERS = ("Deployment", "ReplicaSet")
"""Of the operator's kinds those by which Kubernetes itself makes pods anew."""

SLOWEST_LOOK_SECONDS = 1.0

_log = logs.get("executors.kubernetes")


class Remover:
    """Deletes groups of one platform."""

    def __init__(self, api: Api, platform: str) -> None:
        self._api, self._platform = api, platform

    async def delete(self, key: AttemptKey, handle: Handle, grace_seconds: float) -> None:
        """Have all objects of the group deleted, owners first, pods with this grace."""
        for kind in handle.kinds:
            await self._delete_all(key, handle, kind, grace_seconds)

    async def delete_keepers(self, key: AttemptKey, handle: Handle) -> None:
        """Have those objects deleted that make the group's pods anew."""
        for kind in KEEPERS:
            if kind in handle.kinds:
                await self._delete_all(key, handle, kind, 0.0)

    async def suppose(self, key: AttemptKey, namespace: str) -> Handle:
        """Return a handle of all that may have been made for an attempt of which no handle was kept."""
        kinds: tuple[str, ...] = PLAIN_KINDS
        if await self._api.serves(OPERATORS_KINDS[0]):
            kinds = (*[one for one in OPERATORS_KINDS if await self._may_list(one, key, namespace)], *PLAIN_KINDS)
        return Handle(namespace, "", tuple((kind, "") for kind in kinds))

    async def list_kept(self, namespace: str, before: Micros) -> list[AttemptKey]:
        """Return the attempts of which there are pods that were made before that moment."""
        found, _ = await self._api.list("Pod", namespace, names.selector(self._platform))
        kept = set()
        for pod in found:
            metadata = pod["metadata"]
            key = AttemptKey((metadata.get("annotations") or {}).get(names.ATTEMPT, ""))
            of_group = (metadata.get("labels") or {}).get(GROUP) == names.group(key)
            if key and of_group and reading.seconds(metadata["creationTimestamp"]) * clock.SECOND < before:
                kept.add(key)
        return sorted(kept)

    async def find_left(self, key: AttemptKey, handle: Handle) -> list[str]:
        """Name every object that is left of the group."""
        return [
            f"{kind} {handle.namespace}/{one['metadata']['name']}"
            for kind in handle.kinds
            for one in await self._find(key, handle, kind)
        ]

    async def clear(self, key: AttemptKey, handle: Handle, grace_seconds: float) -> None:
        """Delete all objects, wait until they are gone, and whatever was made meanwhile; say so where something does
        not go."""
        began = asked = time.monotonic()
        await self.delete(key, handle, grace_seconds)
        pause = 0.1
        while left := await self.find_left(key, handle):
            now = time.monotonic()
            if now - began > GONE_SECONDS + grace_seconds:
                _log.error("what was deleted does not go", attempt=key, left=left)
                return
            if now - asked > AGAIN_SECONDS + grace_seconds:
                asked = now
                await self.delete(key, handle, grace_seconds)
                if now - began > HELD_SECONDS + grace_seconds:
                    await self._let_go(key, handle)
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, SLOWEST_LOOK_SECONDS)

    async def _let_go(self, key: AttemptKey, handle: Handle) -> None:
        """Take the finalizers off custom resources of the group that nobody else does."""
        for kind in handle.kinds:
            for one in await self._find(key, handle, kind):
                held = one["metadata"].get("finalizers")
                if held and one["metadata"].get("deletionTimestamp") and self._api.is_custom(kind):
                    name = one["metadata"]["name"]
                    _log.warning("an object is held back that was deleted", kind=kind, name=name, by=held)
                    await self._api.take_finalizers(kind, handle.namespace, name)

    async def _delete_all(self, key: AttemptKey, handle: Handle, kind: str, grace_seconds: float) -> None:
        found = await self._find(key, handle, kind)
        await asyncio.gather(*(self._delete(kind, one, grace_seconds) for one in found))

    async def _delete(self, kind: str, one: Manifest, grace_seconds: float) -> None:
        metadata = one["metadata"]
        grace = grace_seconds if kind == "Pod" else None
        await self._api.delete(kind, metadata["namespace"], metadata["name"], grace_seconds=grace, uid=metadata["uid"])

    async def _may_list(self, kind: str, key: AttemptKey, namespace: str) -> bool:
        """Say whether there may be objects of ours: who may not even see any has made none."""
        try:
            await self._api.list(kind, namespace, names.selector(self._platform, key))
        except (errors.NotFound, Forbidden):
            return False
        return True

    async def _find(self, key: AttemptKey, handle: Handle, kind: str) -> list[Manifest]:
        with contextlib.suppress(errors.NotFound):  # of a kind that is not known any more there is nothing
            found, _ = await self._api.list(kind, handle.namespace, names.selector(self._platform, key))
            return found
        return []
