"""Ends the pods of a group beside its main pod once that has ended, so that all logs are complete when it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dayfly.executors.kubernetes.api import Api
    from dayfly.executors.kubernetes.known import Known
    from dayfly.executors.kubernetes.log_keeping import LogKeeper

OTHERS_SECONDS = 2.0
"""What pods get to end that nobody needs any more."""

LAST_LINES_SECONDS = 10.0
"""How long the end of a group waits for its logs."""


class Ender:
    """Ends groups of one platform."""

    def __init__(self, api: Api, keeper: LogKeeper) -> None:
        self._api, self._keeper = api, keeper

    async def end_others(self, known: Known) -> None:
        """End the other pods of a group whose main pod has ended, and return once all logs are complete."""
        if known.handle.maker is None:  # Else whoever has made the pods ends them too.
            if known.handle.teller:
                await self.end_tellers(known)
                await self._keeper.wait(known.key, known.handle.teller_seconds, known.handle.teller)
            others = [name for name in known.pods if name != known.handle.main]
            await self._end(known, others, OTHERS_SECONDS)
        await self._keeper.wait(known.key, max(LAST_LINES_SECONDS, known.handle.teller_seconds))

    async def end_tellers(self, known: Known) -> None:
        """Ask those pods to end that tell of the others."""
        await self._end(known, known.list_tellers(), known.handle.teller_seconds)

    async def _end(self, known: Known, pods: Iterable[str], grace_seconds: float) -> None:
        namespace = known.handle.namespace
        deletions = (self._api.delete("Pod", namespace, name, grace_seconds=grace_seconds) for name in pods)
        # One that cannot be deleted now is deleted when the group is forgotten.
        await asyncio.gather(*deletions, return_exceptions=True)
