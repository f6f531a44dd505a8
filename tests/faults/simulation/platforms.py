"""One platform: the real controller, observer and timers, whose every call to the outside takes any time, may fail, may
be the last.

Nothing of a platform outlives its crash but what it stored and what it started.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from dayfly.base import errors
from dayfly.base.settings import EngineSettings, LeaseSettings
from dayfly.controller import building, leasing, observing, timers
from dayfly.model.run import RunOptions
from dayfly.ports import executor_parts
from dayfly.stores import database
from dayfly.stores.waking import Waking
from tests.faults.simulation.attempts import Eye

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from dayfly.ports.runs import Run
    from tests.faults.simulation.simulation import Simulation

POLL_SECONDS = 2.0
STALL_SECONDS = 60.0
WAKING = ("create", "append", "mark_done", "commit", "fire_timers", "request_abort", "set")
"""Calls after which other platforms hear that there may be work, as on Postgres."""

UNWRAPPED = ("watch", "wait_until_woken")


class Dead(BaseException):
    """The platform ended here."""


class Platform:
    """One process. It begins at once, and crashes when the simulation says so."""

    def __init__(self, world: Simulation, name: str) -> None:
        self.world, self.name, self.dead = world, name, False
        self._tasks: list[asyncio.Task[Any]] = []
        # Its own objects over the one database: nothing that one process keeps in memory is another's.
        self._stores = stores = database.Database(world.store._connections, world.clock, Waking(), None)
        self.eye = Eye(world.host)
        self.runs: Any = Port(stores.runs, self)
        blobs: Any = Port(world.blobs, self)
        by_name: Any = {"host": Port(self.eye, self)}
        seen: Any = SimpleNamespace(
            runs=self.runs,
            definitions=stores.definitions,
            signals=Port(stores.signals, self),
            catalog=Port(stores.catalog, self),
            attributes=stores.attributes,
        )
        parts = building.build(
            seen,
            blobs,
            by_name,
            {executor_parts.ANY_TYPE: "host"},
            Children(self),
            world.clock,
            public_url="http://x",
            grace_seconds=1,
            platform_env={},
        )
        lease = LeaseSettings(execution_seconds=world.lease_seconds, poll_seconds=POLL_SECONDS)
        self._controller = leasing.Controller(self.runs, Performer(parts.performer, self), lease, name)  # type: ignore[arg-type]
        self._observer = observing.Observer(
            self.runs, parts.templates, parts.unsaid, blobs, by_name, EngineSettings(), world.clock
        )
        self._caching = parts.caching
        asyncio.get_running_loop().create_task(self._live())

    async def pass_time(self) -> None:
        """Let any time pass, in which the platform may crash."""
        chance = self.world.chance
        if self.dead:
            raise Dead
        if self.world.may_crash() and chance.random() < self.world.crashes_in:
            self.crash()
            raise Dead
        luck = chance.random()
        if luck < self.world.waits_in:
            await asyncio.sleep(chance.random() * 0.2)
        elif luck < self.world.waits_in + self.world.stalls_in and not self.world.calm:
            await asyncio.sleep(chance.random() * STALL_SECONDS)
        elif luck > 0.6:
            await asyncio.sleep(0)
        if self.dead:
            raise Dead

    def wake(self) -> None:
        """Hear that there may be work."""
        self._stores.runs.wake()

    def crash(self) -> None:
        """End, without any farewell."""
        self.dead = True
        self.eye.close()
        for task in self._tasks:
            task.cancel()
        self.world.crashed(self)

    async def _live(self) -> None:
        self._begin(self._recover_and_follow)

    def _begin(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._tasks.append(asyncio.create_task(self._report(work)))

    async def _report(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        try:
            await work()
        except (asyncio.CancelledError, Dead):
            raise
        except Exception as error:  # noqa: BLE001  (the simulation tells it)
            self.world.unexpected.append(error)

    async def _recover_and_follow(self) -> None:
        while True:
            try:
                await self._observer.recover(list(self.world.host.last))
                break
            except errors.PlatformError:
                await asyncio.sleep(1)
        self._begin(lambda: self._observer.follow("host"))
        self._begin(self._controller.run)
        self._begin(lambda: timers.run(self.runs, self.world.clock, poll_seconds=POLL_SECONDS))
        self._begin(self._caching.hold)


class Port:
    """Any port of a platform: each call takes time before and after, and may fail before or after it is done."""

    def __init__(self, inner: Any, platform: Platform) -> None:
        self._inner, self._platform = inner, platform

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name in UNWRAPPED:
            return found

        async def call(*args: Any, **named: Any) -> Any:
            platform = self._platform
            await platform.pass_time()
            self._fail(name)
            answer = await found(*args, **named)
            for other in platform.world.platforms if name in WAKING else ():
                other.wake()
            if name == "commit":
                platform.world.committed(*args, **named)
            await platform.pass_time()
            self._fail(name)
            return answer

        return call

    def _fail(self, name: str) -> None:
        world = self._platform.world
        if not world.calm and world.chance.random() < world.fails_in:
            raise errors.StoreUnavailable(f"{name} did not answer")


class Performer:
    """The real performer, of which what it raises beside an outage is told to the simulation."""

    def __init__(self, inner: Any, platform: Platform) -> None:
        self._inner, self._platform = inner, platform

    async def perform(self, run: Run) -> None:
        try:
            await self._inner.perform(run)
        except errors.PlatformError:
            raise
        except Exception as error:
            self._platform.world.unexpected.append(error)
            raise


class Children:
    """`ports.children.Children`: makes small executions."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def launch(self, project: str, domain: str, name: str, asked: Any, user_inputs: Any, *, parent: Any) -> Any:
        world = self._platform.world
        return await world.create(self._platform.runs, name, world.child_plan(name), RunOptions(), parent=parent)
