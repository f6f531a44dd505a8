"""The loop: find executions with something unread or undone, and drive each until it has neither.

Started by `assembly`. Woken by the store when something is appended, else by a short poll; a restart has no code of
its own, since undone commands and leases that ran out are found like anything else.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dayfly.base import errors, logs
from dayfly.controller import turn

if TYPE_CHECKING:
    from dayfly.base.settings import LeaseSettings
    from dayfly.controller.performing import Performer
    from dayfly.model.identifiers import ExecutionId
    from dayfly.ports.runs import Runs

DRIVEN_AT_ONCE = 64
"""Executions driven side by side in one controller; more wait their turn, oldest first."""

FAILED_DRIVE_PAUSE_SECONDS = 5.0
"""After a drive that failed, its execution is left alone for so long."""

_log = logs.get("controller")


class Controller:
    """Drives executions until it is closed. `owner` names it in leases."""

    def __init__(self, runs: Runs, performer: Performer, settings: LeaseSettings, owner: str) -> None:
        self._runs, self._performer, self._settings, self._owner = runs, performer, settings, owner
        self._driving: dict[ExecutionId, asyncio.Task[None]] = {}
        self._waiting: set[ExecutionId] = set()
        """Executions whose executor is away; that is said once."""
        self._freed = asyncio.Event()
        self._closing = False

    async def run(self) -> None:
        """Drive until `close`."""
        while not self._closing:
            try:
                found = await self._take_some()
            except errors.PlatformError as error:
                _log.warning("cannot look for work", error=str(error))
                found = False
            if not found:
                await self._wait()

    async def close(self) -> None:
        """Finish the turns under way and stop."""
        self._closing = True
        self._freed.set()
        await asyncio.gather(*self._driving.values(), return_exceptions=True)

    async def _take_some(self) -> bool:
        room = DRIVEN_AT_ONCE - len(self._driving)
        if room <= 0:
            return False
        leased = await self._runs.lease_unread(
            self._owner, lease_seconds=self._settings.execution_seconds, limit=DRIVEN_AT_ONCE
        )
        new = [execution for execution in leased if execution not in self._driving][:room]
        for execution in new:
            self._driving[execution] = asyncio.create_task(self._drive(execution), name=f"drive {execution}")
        return bool(new)

    async def _wait(self) -> None:
        woken = asyncio.create_task(self._runs.wait_until_woken(self._settings.poll_seconds))
        freed = asyncio.create_task(self._freed.wait())
        _, waiting = await asyncio.wait({woken, freed}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        self._freed.clear()

    async def _turns(self, execution: ExecutionId) -> None:
        """Take turns for as long as what is carried out has an answer at once."""
        run = await turn.take(self._runs, execution)
        while await self._performer.perform(run):
            before, run = run, await turn.take(self._runs, execution)
            if run.version == before.version or self._closing:
                return

    async def _drive(self, execution: ExecutionId) -> None:
        try:
            await self._turns(execution)
            await self._runs.release(execution, self._owner)
            self._waiting.discard(execution)
        except errors.ExecutorAway as error:
            if execution not in self._waiting:
                self._waiting.add(execution)
                _log.warning("an execution waits", execution=str(execution), error=str(error))
            await self._pause()
        # A supervised loop: whatever goes wrong with one execution is told, and the others go on.
        except Exception as error:  # noqa: BLE001
            _log.error("an execution could not be driven", execution=str(execution), error=str(error), exc_info=error)
            await self._pause()
        finally:
            del self._driving[execution]
            self._freed.set()

    async def _pause(self) -> None:
        if not self._closing:
            await asyncio.sleep(FAILED_DRIVE_PAUSE_SECONDS)
