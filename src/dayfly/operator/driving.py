"""The operator's loop: look at executions and resources, and make them alike. Called by `assembly`.

Nothing rests on an event: each round compares what the platform says with what the cluster has, and everything done may
be done twice, also by another operator at the same time. What is detected only makes the next round come sooner.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from dayfly.base import errors, logs
from dayfly.operator import deciding, launching, resources, summing
from dayfly.operator.asking import Platform
from dayfly.operator.deciding import Do
from dayfly.operator.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from flyteidl.admin import execution_pb2

    from dayfly.base.clock import Clock
    from dayfly.client.connecting import Client
    from dayfly.model.identifiers import ExecutionId
    from dayfly.operator.cluster import Cluster, Detection, Manifest
    from dayfly.operator.summing import Nodes

LIST_SECONDS = 60.0
"""How often all resources are listed anew, whatever was detected."""

LEAST_SECONDS = 0.2
"""Between two rounds, however much happens."""

DETECTION_PAUSE_SECONDS = 5.0
"""Before detection begins again that has ended."""

KIND_SECONDS = 10.0
"""How often it is looked whether a cluster has come to know the kind."""

GONE_SECONDS = 60.0
"""How long pods of an execution that has ended may take to go, before its resource is let go all the same."""

AT_ONCE = 8
"""Resources that are looked after side by side."""

LAUNCH_SECONDS = 45.0
"""How long somebody else may still be about to launch what was claimed: longer than a call takes."""

GET_THE_CRD = "dayfly deploy kubernetes --crd | kubectl apply -f -"

_log = logs.get("operator")


class OperatorSettings(msgspec.Struct, frozen=True):
    """How resources are kept."""

    public_url: str
    """What links to the console begin with."""
    keep_seconds: float = 3600.0
    """How long the resource of an execution stays after its end."""
    poll_seconds: float = 2.0
    """How often the platform is asked what is under way."""
    least_count_seconds: float = 2.0
    """How often at most the nodes of an execution are counted; of an older one a twentieth of its age."""
    slowest_count_seconds: float = 60.0


class Operator:
    """One of perhaps several that look after the resources of one platform."""

    def __init__(
        self, client: Client, cluster: Cluster, detection: Detection, told: OperatorSettings, clock: Clock
    ) -> None:
        self._platform, self._cluster, self._detection = Platform(client, clock), cluster, detection
        self._told, self._clock = told, clock
        self._resources: dict[tuple[str, str], Resource] = {}
        self._listed_until = 0.0
        """When resources are listed anew; 0 where they could not be, or the cluster does not know the kind."""
        self._again = False
        """Whether this round looks anew for what users' resources lacked."""
        self._counts: dict[ExecutionId, tuple[float, Nodes]] = {}
        self._leaving: dict[tuple[str, str], float] = {}
        """Since when something is waited for that is left of an execution."""
        self._said: dict[str, str] = {}
        self._wake = asyncio.Event()

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
        if await self._try("resources", self._list_if_due()) and self._listed_until:
            await self._try("round", self._round())
            self._again = False
        return self._listed_until > 0.0

    def tell(self, gone: bool, manifest: Manifest) -> None:
        """Take in how a resource is."""
        resource = Resource(manifest)
        before = self._resources.get(resource.key)
        if gone:
            if before is not None and before.uid == resource.uid:
                self._forget(before)
        elif before is None or before.version != resource.version:
            self._resources[resource.key] = resource
            self._wake.set()

    # --- rounds -----------------------------------------------------------------------------------------------------

    async def _list_if_due(self) -> None:
        now = self._clock.monotonic()
        if now < self._listed_until:
            return
        try:
            before = dict(self._resources)
            found = {one.key: one for one in map(Resource, await self._cluster.list_all())}
        except errors.NotFound:
            self._listed_until = 0.0
            self._resources.clear()
            self._say("kind", "the cluster does not know FlyteWorkflows; executions go on without", get_it=GET_THE_CRD)
            return
        self._said.pop("kind", None)
        # What was told while the list was on its way is newer than the list.
        told = {key: one for key, one in self._resources.items() if before.get(key) is not one}
        lost = before.keys() - self._resources.keys()
        self._resources = {**{key: one for key, one in found.items() if key not in lost}, **told}
        self._listed_until, self._again = now + LIST_SECONDS, True

    async def _round(self) -> None:
        under_way = await self._platform.under_way()
        await self._make_missing(under_way)
        slots = asyncio.Semaphore(AT_ONCE)

        async def look_after(resource: Resource) -> None:
            async with slots:
                await self._try(str(resource), self._look_after(resource, under_way))

        await asyncio.gather(*(look_after(one) for one in tuple(self._resources.values())))

    async def _make_missing(self, under_way: Mapping[ExecutionId, execution_pb2.Execution]) -> None:
        there = {one.execution for one in self._resources.values()}
        for execution in under_way:
            if execution not in there:
                await self._try(str(execution), self._make(execution))

    async def _make(self, execution: ExecutionId) -> None:
        made = Resource(await self._cluster.ensure(execution))
        self._resources[made.key] = made

    async def _look_after(self, resource: Resource, under_way: Mapping[ExecutionId, execution_pb2.Execution]) -> None:
        do = deciding.asks(resource, self._cluster.platform, again=self._again)
        if do is None:
            assert resource.execution is not None
            status = resource.status
            if not resource.ended:
                status = await self._status(resource, under_way.get(resource.execution))
                resource = await self._restate(resource, status)
            do = deciding.decide(resource, status, now=self._clock.now(), keep_seconds=self._told.keep_seconds)
        await self._do(do, resource)

    async def _status(self, resource: Resource, message: execution_pb2.Execution | None) -> Mapping[str, Any]:
        """Return how the execution is."""
        execution = resource.execution
        assert execution is not None
        if message is None:
            message = await self._platform.find(execution)
        if message is None:
            return resource.status if resource.refused else summing.unknown(execution, resource.status)
        if not resource.is_users and "workflow" not in resource.spec:
            await self._change(resource, {"spec": summing.spec_of(message)})
        ended = deciding.has_ended(message)
        outputs = await self._platform.outputs(execution) if ended and resource.is_users else None
        console = (
            f"{self._told.public_url}/console/projects/{execution.project}/domains/{execution.domain}"
            f"/executions/{execution.name}"
        )
        return summing.of_execution(message, await self._count(execution, message, ended), console, outputs)

    async def _count(self, execution: ExecutionId, message: execution_pb2.Execution, ended: bool) -> Nodes:
        """Return how far the nodes are, counted anew where the last count is too old for the execution's age."""
        now = self._clock.monotonic()
        known = self._counts.get(execution)
        if known is not None and not ended and now < known[0]:
            return known[1]
        nodes = await self._platform.count_nodes(message)
        age = (self._clock.now() - message.closure.created_at.ToMicroseconds()) / 1e6
        pause = min(max(age / 20, self._told.least_count_seconds), self._told.slowest_count_seconds)
        self._counts[execution] = (now + pause, nodes)
        return nodes

    # --- doing ------------------------------------------------------------------------------------------------------

    async def _do(self, do: Do, resource: Resource) -> None:
        if do is Do.LAUNCH:
            await self._launch(resource)
        elif do is Do.HOLD:
            await self._change(resource, resources.hold(resource))
        elif do is Do.TERMINATE:
            await self._terminate(resource)
        elif do is Do.RELEASE:
            await self._release(resource)
        elif do is Do.DELETE:
            await self._cluster.delete(resource.manifest)
            self._forget(resource)

    async def _launch(self, resource: Resource) -> None:
        if resource.execution is not None and await self._see(resource, resource.execution):
            return  # It was launched, and what was asked for then holds.
        try:
            wish = await launching.read(resource, self._platform, await self._places_of(resource))
            claimed = await self._claim(resource, wish.execution)
            if claimed is None or claimed.deleting:
                return
            await launching.launch(wish, claimed, self._platform)
        except errors.AlreadyExists as error:
            resource = self._resources.get(resource.key, resource)
            await self._restate(resource, summing.waiting(str(error)))
            return
        except errors.UserError as error:
            await self._refuse(resource, error)
            return
        _log.info("launched an execution", resource=str(resource), execution=str(wish.execution))
        await self._see(claimed, wish.execution)

    async def _places_of(self, resource: Resource) -> list[tuple[str, str]]:
        """Return the projects and domains that a resource's namespace is for."""
        for anew in (False, True):
            places = await self._platform.places(anew=anew)
            if found := [place for place in places if self._cluster.namespace_of(*place) == resource.key[0]]:
                return found
        return []

    async def _claim(self, resource: Resource, execution: ExecutionId) -> Resource | None:
        """Make a resource that of an execution; None if it is gone."""
        if resource.execution == execution and resource.held:
            return resource
        return await self._change(resource, resources.claim(resource, execution, self._cluster.platform))

    async def _see(self, resource: Resource, execution: ExecutionId) -> bool:
        """Write how an execution is that may be there; say whether it is."""
        message = await self._platform.find(execution)
        if message is not None:
            await self._restate(resource, await self._status(resource, message))
        return message is not None

    async def _refuse(self, resource: Resource, error: errors.UserError) -> None:
        told = summing.refused(error.message, error.remedy, type(error).__name__, resource.generation)
        await self._restate(self._resources.get(resource.key, resource), told)

    async def _terminate(self, resource: Resource) -> None:
        assert resource.execution is not None
        try:
            await self._platform.client.terminate_execution(resource.execution, cause(resource))
        except errors.FailedPrecondition:
            return  # It has just ended by itself: the next round sees that.
        _log.info("aborted an execution: its resource was deleted", execution=str(resource.execution))
        self._wake.set()

    async def _release(self, resource: Resource) -> None:
        """Let a resource go, once nothing is left of its execution."""
        left = await self._cluster.left(resource.execution) if resource.execution is not None else []
        now = self._clock.monotonic()
        since = self._leaving.setdefault(resource.key, now)
        patience = GONE_SECONDS if left else LAUNCH_SECONDS if resource.unseen and resource.execution else 0.0
        if now < since + patience:
            return
        if left:
            _log.error("what is left of an execution does not go", execution=str(resource.execution), left=left)
        self._leaving.pop(resource.key, None)
        await self._change(resource, resources.release(resource))

    async def _restate(self, resource: Resource, status: Mapping[str, Any]) -> Resource:
        """Write a status, where it differs; return the resource as it is then."""
        change = resources.restate(resource.status, status)
        if not change:
            return resource
        return await self._change(resource, {"status": change}, part="status") or resource

    async def _change(self, resource: Resource, change: Manifest, *, part: str = "") -> Resource | None:
        told = await self._cluster.patch(resource.manifest, change, part=part)
        if told is None:
            self._forget(resource)
            return None
        changed = Resource(told)
        if changed.deleting and not changed.finalizers:
            self._forget(resource)
        else:
            self._resources[resource.key] = changed
        return changed

    def _forget(self, resource: Resource) -> None:
        self._resources.pop(resource.key, None)
        self._leaving.pop(resource.key, None)
        if resource.execution is not None:
            self._counts.pop(resource.execution, None)

    # --- waiting ----------------------------------------------------------------------------------------------------

    async def _detect(self) -> None:
        await self._try("detection", self._detection.run(self.tell))
        await asyncio.sleep(DETECTION_PAUSE_SECONDS)
        # Whatever ended it may have hidden something.
        self._listed_until = min(self._listed_until, self._clock.monotonic())

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(LEAST_SECONDS)
        try:
            await asyncio.wait_for(self._wake.wait(), max(seconds - LEAST_SECONDS, 0.0))
        except asyncio.TimeoutError:
            pass  # the time has come
        self._wake.clear()

    async def _try(self, what: str, work: Awaitable[None]) -> bool:
        """Do one thing; whatever goes wrong with it is said once, and the next round tries again."""
        try:
            await work
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
