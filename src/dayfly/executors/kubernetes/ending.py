"""Ends the pods of a group beside its main pod once that has ended: what they tell of it is there when that is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dayfly.base import errors
from dayfly.executors.kubernetes import names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dayfly.executors.kubernetes.api import Api
    from dayfly.executors.kubernetes.known import Known
    from dayfly.executors.kubernetes.log_keeping import LogKeeper
    from dayfly.executors.kubernetes.removing import Remover

OTHERS_SECONDS = 2.0
"""What pods get to end that nobody needs any more: the least that a kubelet gives them (`minimumGracePeriodInSeconds`
in pkg/kubelet/kuberuntime/kuberuntime_manager.go in kubernetes/kubernetes)."""

LAST_LINES_SECONDS = 10.0
"""How long the end of a group waits for its logs."""


class Ender:
    """Ends groups of one platform."""

    def __init__(self, api: Api, keeper: LogKeeper, remover: Remover) -> None:
        self._api, self._keeper, self._remover = api, keeper, remover

    async def end_others(self, known: Known) -> None:
        """Have the other pods of a group ended whose main pod has ended, and return once its log is complete, and that
        of whoever tells of the others.

        These are not waited for: a worker whose scheduler is gone ends, its container is started again, and what only
        begins as a container's first process hears of no end until it is killed.
        """
        if known.handle.maker is None:
            await self._end_in_order(known)
        else:  # Whoever has made the pods has the teller ended too; where he does not, or takes long, it is ended here.
            seconds = max(LAST_LINES_SECONDS, known.handle.teller_seconds)
            await self._keeper.wait(known.key, seconds, known.handle.teller)
            if await self._none_comes_anew(known):
                await self._end_in_order(known)
        await self._keeper.wait(known.key, LAST_LINES_SECONDS, self._main_role(known))

    async def _end_in_order(self, known: Known) -> None:
        """Have the teller ended, and once its log is complete, the others."""
        if known.handle.teller:
            await self.end_tellers(known)
            await self._keeper.wait(known.key, known.handle.teller_seconds, known.handle.teller)
        others = [name for name in known.pods if name != known.handle.main]
        await self._end(known, others, OTHERS_SECONDS)

    async def end_tellers(self, known: Known) -> None:
        """Ask those pods to end that tell of the others."""
        await self._end(known, known.list_tellers(), known.handle.teller_seconds)

    async def _none_comes_anew(self, known: Known) -> bool:
        """Say whether pods that are deleted now are not made anew: whoever has made them has them deleted one owner
        after the other, which takes up to ten seconds."""
        try:
            await self._remover.delete_keepers(known.key, known.handle)
        except errors.DayflyError:
            return False
        return True

    def _main_role(self, known: Known) -> str:
        main = known.pods.get(known.handle.main)
        return names.role_of(main) if main is not None else ""

    async def _end(self, known: Known, pods: Iterable[str], grace_seconds: float) -> None:
        namespace = known.handle.namespace
        deletions = (self._api.delete("Pod", namespace, name, grace_seconds=grace_seconds) for name in pods)
        # One that cannot be deleted now is deleted when the group is forgotten.
        await asyncio.gather(*deletions, return_exceptions=True)
