"""Makes and deletes pods of a group so that those are there which are wanted, and no others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dayfly.base import errors, logs
from dayfly.executors.kubernetes import creating, names

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.api import Api
    from dayfly.executors.kubernetes.known import Known

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

    async def _change(self, known: Known, name: str) -> None:
        manifest, main = known.handle.manifest(name), known.pods.get(known.handle.main)
        if manifest is None or main is None:
            return  # The group ends with its main pod.
        try:
            if not known.wants(names.role_of(manifest)):
                await self._api.delete("Pod", known.handle.namespace, name, grace_seconds=GRACE_SECONDS)
            elif (
                await self._api.create(creating.owned(manifest, {"apiVersion": "v1", "kind": "Pod", **main}))
                is not None
            ):
                _log.info("made a pod that is wanted", pod=name)
        except errors.DayflyError as error:
            _log.warning("a group cannot be scaled yet", pod=name, error=str(error))
