"""Makes and deletes pods of a group so that those are there which are wanted, lost ones anew, and no others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dayfly.base import errors, logs
from dayfly.executors.kubernetes import creating, names

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.api import Api
    from dayfly.executors.kubernetes.known import Known
    from dayfly.ports.pod_groups import Manifest, PodSeen

PAUSE_SECONDS = 0.5
"""Before it is looked again: a pod that is to be there may be going still."""

GRACE_SECONDS = 5.0
"""What a pod gets to end that is wanted no longer: what it had is with others."""

_log = logs.get("executors.kubernetes")


class Scaler:
    """Scales groups of one platform."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def bring(self, known: Known) -> None:
        """Return once all is as it is wanted, or the group ends."""
        while not known.stopping and not known.ended and (amiss := list(known.amiss())):
            await asyncio.gather(*(self._change(known, name) for name in amiss))
            await asyncio.sleep(PAUSE_SECONDS)

    async def make_anew(self, known: Known, seen: PodSeen) -> None:
        """Make a pod anew that is lost. It keeps its name: what is left of it goes first."""
        manifest = known.handle.manifest(seen.name)
        while manifest is not None and known.wants(seen.role) and not known.stopping and not known.ended:
            main = known.pods.get(known.handle.main)
            if main is None:
                return  # The group ends with its main pod.
            try:
                await self._api.delete("Pod", known.handle.namespace, seen.name, grace_seconds=0.0, uid=seen.uid)
                if await self._make(manifest, main):
                    _log.info("made a lost pod anew", pod=seen.name, because=seen.message)
                    return
            except errors.DayflyError as error:
                _log.warning("a lost pod cannot be made anew yet", pod=seen.name, error=str(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _change(self, known: Known, name: str) -> None:
        manifest, main = known.handle.manifest(name), known.pods.get(known.handle.main)
        if manifest is None or main is None:
            return  # The group ends with its main pod.
        try:
            if not known.wants(names.role_of(manifest)):
                await self._api.delete("Pod", known.handle.namespace, name, grace_seconds=GRACE_SECONDS)
            elif await self._make(manifest, main):
                _log.info("made a pod that is wanted", pod=name)
        except errors.DayflyError as error:
            _log.warning("a group cannot be scaled yet", pod=name, error=str(error))

    async def _make(self, manifest: Manifest, main: Manifest) -> bool:
        """Make a pod that goes with the main one, and say whether it was made: one of its name may be there still."""
        # Pods in lists and watches do not say what they are.
        owner = {"apiVersion": "v1", "kind": "Pod", **main}
        return await self._api.create(creating.owned(manifest, owner)) is not None
