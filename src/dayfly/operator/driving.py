"""The operator's loop: look at executions and resources, and make them alike. Called by `assembly`.

Nothing rests on an event: each look compares what the platform says with what the cluster has, and everything done may
be done twice, also by another operator at the same time. What is detected only makes the next look come sooner.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from dayfly.base import errors, logs
from dayfly.model import flyte_workflows, identifiers
from dayfly.operator import deciding, launching, resources, summing
from dayfly.operator.asking import Platform
from dayfly.operator.deciding import Do
from dayfly.operator.keeping import Kept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from flyteidl.admin import execution_pb2

    from dayfly.base.clock import Clock
    from dayfly.client.connecting import Client
    from dayfly.model.identifiers import ExecutionId
    from dayfly.operator.cluster import Cluster, Detection
    from dayfly.operator.keeping import Key
    from dayfly.operator.resources import Resource

LEAST_SECONDS = 0.2
"""Between two looks, however much happens."""

DETECTION_PAUSE_SECONDS = 5.0
"""Before detection begins again that has ended."""

KIND_SECONDS = 10.0
"""How often it is looked whether a cluster has come to know the kind."""

PATIENCE_SECONDS = 60.0
"""Before a resource is let go though pods of its execution are left, or though there is no such execution: another
operator may be about to launch it, and no call takes as long."""

AT_ONCE = 8
"""Resources that are looked after side by side."""

_log = logs.get("operator")


class OperatorSettings(msgspec.Struct, frozen=True):
    """How resources are kept."""

    public_url: str
    """What links to the console begin with."""
    keep_seconds: float = 3600.0
    """How long the resource of an execution stays after its end."""
    poll_seconds: float = 2.0
    """How often the platform is asked what is under way."""


class Operator:
    """One of perhaps several that look after the resources of one platform."""

    def __init__(
        self, client: Client, cluster: Cluster, detection: Detection, told: OperatorSettings, clock: Clock
    ) -> None:
        self._platform, self._cluster, self._detection = Platform(client, clock), cluster, detection
        self._told, self._clock = told, clock
        self._wake = asyncio.Event()
        self._kept = Kept(cluster, clock, self._wake.set)
        self._again = False
        """Whether this look is for what users' resources lacked, too."""
        self._leaving: dict[Key, float] = {}
        """Since when resources wait to be let go."""
        self._said: dict[str, str] = {}

    async def run(self) -> None:
        """Look after resources for as long as it is not cancelled."""
        detecting: asyncio.Task[None] | None = None
        try:
            while True:
                there = await self.look()
                if there and (detecting is None or detecting.done()):
                    detecting = asyncio.create_task(self._detect(), name="detection of FlyteWorkflows")
                await self._wait(self._told.poll_seconds if there else KIND_SECONDS)
        finally:
            if detecting is not None:
                detecting.cancel()
                await asyncio.gather(detecting, return_exceptions=True)

    async def look(self) -> bool:
        """Look once at all executions and resources, and do what follows; say whether there are resources at all.

        What cannot be done now is left to the next look.
        """
        if await self._try("resources", self._list) and self._kept.known:
            await self._try("executions", self._compare)
        return self._kept.known

    # --- looking ----------------------------------------------------------------------------------------------------

    async def _list(self) -> None:
        self._again = await self._kept.list_if_due()
        if self._kept.known:
            self._said.pop("kind", None)
        else:
            self._say(
                "kind",
                "the cluster does not know FlyteWorkflows; executions go on without",
                get_it=flyte_workflows.GET_IT,
            )

    async def _compare(self) -> None:
        under_way = await self._platform.under_way()
        slots = asyncio.Semaphore(AT_ONCE)

        async def work(what: str, function: Callable[..., Awaitable[None]], *given: object) -> None:
            async with slots:
                await self._try(what, function, *given)

        missing = under_way.keys() - self._kept.executions()
        await asyncio.gather(*(work(str(one), self._kept.make, one) for one in missing))
        keys = self._kept.keys()
        await asyncio.gather(*(work("/".join(key), self._look_after, key, under_way) for key in keys))
        self._leaving = {key: since for key, since in self._leaving.items() if self._kept.find(key) is not None}

    async def _look_after(self, key: Key, under_way: Mapping[ExecutionId, execution_pb2.Execution]) -> None:
        resource = self._kept.find(key)
        if resource is None:
            return
        do = deciding.asks(resource, self._cluster.platform, again=self._again)
        if do is None:
            do, resource = await self._ask(resource, under_way)
        await self._do(do, resource)

    async def _ask(
        self, resource: Resource, under_way: Mapping[ExecutionId, execution_pb2.Execution]
    ) -> tuple[Do, Resource]:
        """Return what follows from how the execution is, and the resource, in which that is written then."""
        assert resource.execution is not None
        if not resource.ended:
            message = under_way.get(resource.execution) or await self._platform.find(resource.execution)
            if message is None:
                return deciding.decide_unknown(resource), resource
            resource = await self._restate(resource, message)
        return deciding.decide(resource, now=self._clock.now(), keep_seconds=self._told.keep_seconds), resource

    async def _restate(self, resource: Resource, message: execution_pb2.Execution) -> Resource:
        """Write how the execution is; return the resource as it is then."""
        if not resource.is_users and "workflow" not in resource.spec:
            resource = await self._kept.change(resource, {"spec": summing.spec_of(message)}) or resource
        return await self._kept.restate(resource, await self._sum(resource, message))

    async def _sum(self, resource: Resource, message: execution_pb2.Execution) -> Mapping[str, Any]:
        execution = identifiers.from_execution_identifier(message.id)
        ended = deciding.has_ended(message)
        outputs = await self._platform.outputs(execution) if ended and resource.is_users else None
        nodes = await self._platform.count_nodes(message, at_once=ended)
        place = f"projects/{execution.project}/domains/{execution.domain}/executions/{execution.name}"
        status = summing.of_execution(message, nodes, f"{self._told.public_url}/console/{place}", outputs)
        return status if nodes is not None else summing.with_nodes_of(resource.status, status)

    # --- doing ------------------------------------------------------------------------------------------------------

    async def _do(self, do: Do, resource: Resource) -> None:
        if do is Do.LAUNCH:
            await self._launch(resource)
        elif do is Do.HOLD:
            await self._kept.change(resource, resources.hold(resource))
        elif do is Do.TERMINATE:
            await self._terminate(resource)
        elif do in (Do.RELEASE, Do.GIVE_UP):
            await self._release(resource, at_once=do is Do.RELEASE)
        elif do is Do.DELETE:
            await self._kept.delete(resource)

    async def _launch(self, resource: Resource) -> None:
        if resource.execution is not None:
            message = await self._platform.find(resource.execution)
            if message is not None:  # It was launched, and what was asked for then holds.
                await self._restate(resource, message)
                return
        try:
            wish = await launching.read(resource, self._platform, await self._places_of(resource))
            if resource.execution != wish.execution or not resource.held:
                claim = resources.claim(resource, wish.execution, self._cluster.platform)
                claimed = await self._kept.change(resource, claim)
                if claimed is None or claimed.deleting:
                    return
                resource = claimed
            await launching.launch(wish, resource, self._platform)
        except errors.AlreadyExists as error:
            await self._kept.restate(resource, summing.waiting(str(error)))
        except errors.UserError as error:
            told = summing.refused(error.message, error.remedy, type(error).__name__, resource.generation)
            await self._kept.restate(resource, told)
        else:
            _log.info("launched an execution", resource=str(resource), execution=str(wish.execution))
            message = await self._platform.find(wish.execution)
            if message is not None:
                await self._restate(resource, message)

    async def _places_of(self, resource: Resource) -> list[tuple[str, str]]:
        """Return the projects and domains that a resource's namespace is for."""
        for anew in (False, True):
            places = await self._platform.places(anew=anew)
            if found := [place for place in places if self._cluster.namespace_of(*place) == resource.key[0]]:
                return found
        return []

    async def _terminate(self, resource: Resource) -> None:
        assert resource.execution is not None
        try:
            await self._platform.client.terminate_execution(resource.execution, cause(resource))
        except errors.FailedPrecondition:
            return  # It has just ended by itself: the next look sees that.
        _log.info("aborted an execution: its resource was deleted", execution=str(resource.execution))
        self._wake.set()

    async def _release(self, resource: Resource, *, at_once: bool) -> None:
        """Let a resource go, once nothing is left of its execution; not `at_once` where that may be in the making."""
        left = await self._cluster.left(resource.execution) if resource.execution is not None else []
        now = self._clock.monotonic()
        since = self._leaving.setdefault(resource.key, now)
        if (left or not at_once) and now < since + PATIENCE_SECONDS:
            return
        if left:
            _log.error("what is left of an execution does not go", execution=str(resource.execution), left=left)
        await self._kept.change(resource, resources.release(resource))
        self._leaving.pop(resource.key, None)

    # --- waiting ----------------------------------------------------------------------------------------------------

    async def _detect(self) -> None:
        await self._try("detection", self._detection.run, self._kept.tell)
        await asyncio.sleep(DETECTION_PAUSE_SECONDS)
        self._kept.list_soon()  # Whatever ended it may have hidden something.

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(LEAST_SECONDS)
        try:
            await asyncio.wait_for(self._wake.wait(), max(seconds - LEAST_SECONDS, 0.0))
        except asyncio.TimeoutError:
            pass  # the time has come
        self._wake.clear()

    async def _try(self, what: str, function: Callable[..., Awaitable[None]], *given: object) -> bool:
        """Do one thing; whatever goes wrong with it is said once, and the next look tries again."""
        try:
            await function(*given)
        except errors.VersionClash:
            self._wake.set()  # Somebody else was first: look at what they have done.
            return False
        except errors.DayflyError as error:
            self._say(what, "not done yet", error=str(error))
            return False
        # A resource that nobody thought of must not keep all others waiting.
        except Exception as error:  # noqa: BLE001
            self._say(what, "not done", error=f"{type(error).__name__}: {error}")
            return False
        self._said.pop(what, None)
        return True

    def _say(self, what: str, told: str, **more: str) -> None:
        text = f"{told} {more}"
        if self._said.get(what) != text:
            self._said[what] = text
            _log.warning(told, what=what, **more)


def cause(resource: Resource) -> str:
    """Return why an execution ends whose resource was deleted."""
    return f"FlyteWorkflow {resource} was deleted."
