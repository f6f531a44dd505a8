"""Groups of pods: made, watched, ended, and proved to be gone. Implements `ports.pod_groups.PodGroups`.

One listing and watch for all groups of the platform; whatever a watch may have missed, the next listing shows. Nothing
is assumed from an event alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import TYPE_CHECKING

import msgspec

from dayfly.base import errors, logs
from dayfly.executors.kubernetes import (
    creating,
    ending,
    late,
    manifests,
    names,
    overseeing,
    reaching,
    removing,
    rights,
    scaling,
    templates,
)
from dayfly.executors.kubernetes.api import Expired
from dayfly.executors.kubernetes.creating import PAUSE_SECONDS
from dayfly.executors.kubernetes.known import ENDED, Handle, Known, handle_of, not_made, waiting_handle_of
from dayfly.ports.pod_groups import PodGroupSpec

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.executors.kubernetes.api import Api
    from dayfly.executors.kubernetes.flyte_workflows import FlyteWorkflows
    from dayfly.executors.kubernetes.log_keeping import LogKeeper
    from dayfly.executors.kubernetes.settings import Patience, PodSettings
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.dashboards import Way
    from dayfly.ports.executors import AttemptSpec
    from dayfly.ports.pod_groups import LineTaker, Manifest, PodGroupReport

LOOK_SECONDS = 1.0
"""How often it is looked whether a pod has waited for too long."""

LIST_SECONDS = 60
"""How often everything is listed anew, whatever the watch says."""

LONGEST_PAUSE_SECONDS = 15.0
"""Between tries to make what a quota forbids."""

_log = logs.get("executors.kubernetes")


class KubernetesGroups:
    """The groups of one platform, or those of them that one executor has made."""

    def __init__(
        self,
        api: Api,
        told: PodSettings,
        patience: Patience,
        keeper: LogKeeper,
        workflows: FlyteWorkflows,
        clock: Clock,
    ) -> None:
        self._api, self._told, self._patience, self._clock = api, told, patience, clock
        self._workflows = workflows
        self._keeper, self._scaler = keeper, scaling.Scaler(api)
        self._templates = templates.Templates(api, told)
        self._remover = removing.Remover(api, told.platform)
        self._ender = ending.Ender(api, keeper, self._remover)
        self._overseer, self._rights = overseeing.Overseer(api), rights.Rights(api)
        self._known: dict[str, Known] = {}
        self._reports: asyncio.Queue[PodGroupReport | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._following, self._began_at = False, clock.now()
        self._unwatched = ""
        """Why pods cannot be watched at the moment."""

    def pod_name(self, spec: AttemptSpec, role: str) -> str:
        """Return what the pod of this role is called."""
        return names.pod(spec, self._told.namespace, role)

    async def look(self) -> str:
        """Return what cluster it is, if its pods can be watched; see `PodGroups.look`."""
        version = await self._api.version()
        if self._unwatched:
            told = f"Pods cannot be watched, so that no end of a task is seen: {self._unwatched}"
            raise errors.ExecutorAway(told, remedy="It is tried again; give the account the rights it lacks.")
        return f"Kubernetes {version}"

    async def serves(self, kind: str) -> bool:
        """Say whether the cluster knows objects of this kind."""
        return await self._api.serves(kind)

    async def lacking(self, spec: PodGroupSpec) -> list[str]:
        """Name what the account may not do that such a group needs."""
        return await self._rights.lacking(spec)

    async def manifests(self, by_role: Mapping[str, AttemptSpec]) -> dict[str, Manifest]:
        """Return the pods of one attempt; see `PodGroups.manifests`."""
        template = await self._templates.find(next(iter(by_role.values())))
        return {role: manifests.build(spec, self._told, template, role) for role, spec in by_role.items()}

    async def start(self, spec: PodGroupSpec) -> bytes:
        """Make the objects, or find them made; see `PodGroups.start`."""
        handle = handle_of(spec)
        known = self._known.setdefault(spec.key, Known(spec.key, handle))
        known.unmade = True
        self._begin()
        try:
            first = await self._create(spec)
            known.unmade = False
            if first["kind"] == "Pod":
                await self._take(first)  # one that was there already, no watch tells of
            else:
                self._report(known)
        except errors.ExecutorAway as error:
            known.waits_for = error.message
            self._report(known)
            self._keep(self._create_later(spec, known))
            handle = waiting_handle_of(spec, error.message)
        except errors.DayflyError:
            await self._remover.delete(spec.key, handle, 0.0)
            self._known.pop(spec.key, None)
            raise
        return msgspec.json.encode(handle)

    async def recover(self, key: AttemptKey, handle: bytes) -> PodGroupReport | None:
        """Take a group back; see `PodGroups.recover`."""
        if not handle:
            return None
        read = msgspec.json.decode(handle, type=Handle)
        found, _ = await self._api.list("Pod", read.namespace, names.selector(self._told.platform, key))
        pods = [pod for pod in found if read.is_of(key, pod)]
        there = any(pod["metadata"]["name"] == read.main for pod in pods)
        if not there and (read.maker is None or await self._overseer.find_first(key, read) is None):
            return not_made(key, read, self._clock.now()) if read.waiting else None
        known = self._known[key] = Known(key, read)
        for pod in pods:
            self._note(known, pod)
        self._keeper.memory.tell_missed(known)
        await self._overseer.look(known)
        self._begin()
        report = self._look_at(known)
        known.news(report)
        if report.ended:
            return await self._end(known, report)
        if (objects := read.list_waiting()) and known.lives():
            spec = PodGroupSpec(key, read.namespace, tuple(objects), names.MAIN, maker=read.maker)
            self._keep(self._create_later(spec, known))
        return report

    async def watch(self) -> AsyncIterator[PodGroupReport]:
        """Yield what happens to the groups; see `PodGroups.watch`."""
        while (report := await self._reports.get()) is not None:
            yield report

    def listen(self, taker: LineTaker) -> None:
        """Show it all lines of logs; see `PodGroups.listen`."""
        self._keeper.taker = taker

    async def want(self, key: AttemptKey, roles: frozenset[str]) -> None:
        """Have these pods, and no others of those that are made anew; see `PodGroups.want`."""
        known = self._known.get(key)
        if known is not None:
            known.wanted = roles
            self._keep(self._scaler.bring(known))

    async def stop(self, key: AttemptKey, *, grace_seconds: float) -> None:
        """Delete the group's objects; see `PodGroups.stop`."""
        known = self._known.get(key)
        if known is None or known.ended:
            return
        known.stopping = True
        if known.handle.maker is not None:
            self._keep(self._clear(known, grace_seconds))
            return
        if grace_seconds:  # Who tells of the others is to see them at work.
            await self._ender.end_tellers(known)
        await self._remover.delete(key, known.handle, grace_seconds)
        if not known.pods:
            self._report(known)

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Store what logs there still are, and delete what is left."""
        # While the group is known: the logs of a pod are complete once it is told that the pod is gone.
        await self._keeper.wait(key, ending.LAST_LINES_SECONDS)
        known = self._known.pop(key, None)
        self._keeper.drop(key)
        self._overseer.drop(key)
        await self._remover.clear(key, known.handle if known is not None else await self._read(key, handle), 0.0)

    async def list_kept(self) -> list[AttemptKey]:
        """Return the attempts of which there are pods from before this platform."""
        return await self._remover.list_kept(self._namespace(), self._began_at)

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        """Name every object that is left of the group."""
        return await self._remover.find_left(key, await self._read(key, handle))

    async def find_way(self, key: AttemptKey, address: str, *, anew: bool = False) -> Way | None:
        """Return the way to one of the group's pods over the API; see `PodGroups.find_way`."""
        known = self._known.get(key)
        return await reaching.find_way(self._api, known.pods.values(), address, anew=anew) if known else None

    async def close(self) -> None:
        """Let go: pods go on."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._keeper.close()
        await self._api.close()
        self._reports.put_nowait(None)

    # --- making -----------------------------------------------------------------------------------------------------

    async def _create(self, spec: PodGroupSpec) -> Manifest:
        """Make what is not there yet; return the first object, which owns the others."""
        # With the execution's resource Kubernetes itself removes all that is the execution's.
        return await creating.create_group(self._api, spec, await self._workflows.own(spec.key, spec.objects[0]))

    async def _create_later(self, spec: PodGroupSpec, known: Known) -> None:
        pause = PAUSE_SECONDS
        while True:
            await asyncio.sleep(pause)
            if not known.lives() or self._known.get(spec.key) is not known:
                return  # What is made now, nobody would delete.
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            try:
                await self._create(spec)
            except errors.DayflyError as error:  # also what is refused for good: the attempt says so, and may be ended
                known.waits_for = error.message
                self._report(known)
            else:
                known.waits_for, known.unmade = "", False
                self._report(known)
                return

    async def _clear(self, known: Known, grace_seconds: float) -> None:
        """Stop a group whose pods another makes: nothing of it may be left, nor still be made, when that is told."""
        while not known.cleared:
            try:
                await self._remover.clear(known.key, known.handle, grace_seconds)
                known.cleared = True
            except errors.DayflyError as error:
                _log.warning("a group cannot be deleted yet", attempt=known.key, error=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
        self._report(known)

    # --- watching ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._following:
            self._following = True
            self._keep(self._follow())
            self._keep(self._look_now_and_then())

    async def _follow(self) -> None:
        """List, watch from there, list again."""
        while True:
            try:
                version, self._unwatched = await self._list(), ""
                # A connection that broke without a word would be waited on for ever.
                await asyncio.wait_for(self._watch(version), LIST_SECONDS + PAUSE_SECONDS)
            except (Expired, asyncio.TimeoutError):
                continue
            # Whatever goes wrong with one listing, the next may do; without any, nobody would see pods end.
            except Exception as error:  # noqa: BLE001
                if self._unwatched != str(error):
                    self._unwatched = str(error)
                    _log.warning("pods cannot be watched", error=self._unwatched)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _list(self) -> str:
        # A group that is made while the list is on its way is not missed from it.
        before = {key: dict(known.pods) for key, known in self._known.items()}
        pods, version = await self._api.list("Pod", self._namespace(), names.selector(self._told.platform))
        found = {(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods}
        for pod in pods:
            await self._take(pod)
        for key, were in before.items():
            known = self._known.get(key)
            for name in were:
                if known is not None and (known.handle.namespace, name) not in found:
                    self._take_gone(known, name)
        return version

    async def _watch(self, since: str) -> None:
        selector = names.selector(self._told.platform)
        async for happened, pod in self._api.watch("Pod", self._namespace(), selector, since, seconds=LIST_SECONDS):
            if happened == "DELETED":
                known = self._of(pod)
                if known is not None:
                    await self._note_leaving(known, pod)
                    known.tell(pod)  # its last word, which may say why
                    self._take_gone(known, pod["metadata"]["name"])
            else:
                await self._take(pod)

    async def _take(self, pod: Manifest) -> None:
        known = self._of(pod)
        if known is not None:
            await self._note_leaving(known, pod)
            self._note(known, pod)
            self._report(known)

    async def _note_leaving(self, known: Known, pod: Manifest) -> None:
        """Tell a pod that is no longer wanted from one that is lost."""
        if known.may_be_given_up(pod) and await self._overseer.is_given_up(pod):
            known.tell_given_up(pod)

    def _note(self, known: Known, pod: Manifest) -> None:
        known.tell(pod)
        self._keeper.look(known.key, pod)
        self._keeper.memory.note(known, pod)
        begun = (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
        if pod["metadata"]["name"] == known.handle.main and begun and not known.followed:
            known.followed = True
            self._keep(creating.follow_up(self._api, known, pod, self._report))

    def _take_gone(self, known: Known, name: str) -> None:
        known.tell_gone(name, self._patience)
        self._keeper.tell_gone(known.key, name)
        self._report(known)

    def _of(self, pod: Manifest) -> Known | None:
        key = (pod["metadata"].get("annotations") or {}).get(names.ATTEMPT, "")
        known = self._known.get(key)
        return known if known is not None and known.handle.is_of(key, pod) else None

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            waiting = [known for known in self._known.values() if known.waits()]
            await asyncio.gather(*(self._overseer.look(known) for known in waiting))
            for known in waiting:
                self._report(known)

    def _report(self, known: Known) -> None:
        if known.ended:
            if known.end is not None:
                known.end = late.add(known.end, self._look_at(known))
            return
        report = self._look_at(known)
        for seen in known.lost(report):
            self._keep(self._scaler.make_anew(known, seen))
        if not known.news(report):
            return
        if report.ended and not (known.stopping and not report.stopped):
            known.ended, known.end = True, report
            self._keep(self._tell_end(known, report))
        elif not known.stopping:
            self._reports.put_nowait(report)

    def _look_at(self, known: Known) -> PodGroupReport:
        return known.report(self._clock.now(), time.monotonic(), self._patience)

    async def _tell_end(self, known: Known, report: PodGroupReport) -> None:
        try:
            report = await self._end(known, report)
        # Whatever is wrong with what is waited for, an attempt whose end nobody tells would never be over.
        except Exception as error:  # noqa: BLE001
            _log.exception("a group's end is told without what came after it", attempt=known.key, error=str(error))
        self._reports.put_nowait(report)

    async def _end(self, known: Known, report: PodGroupReport) -> PodGroupReport:
        """End what is left beside the main pod, let the logs arrive, and say how they end."""
        known.ended, known.end = True, known.end or report
        await self._ender.end_others(known)
        report, known.end = known.end, None
        main = report.pods[0].role if report.pods and report.pods[0].phase in ENDED else ""
        tail = await asyncio.to_thread(self._keeper.tail, known.key, main) if main else ""
        return msgspec.structs.replace(report, log_tail=tail)

    async def _read(self, key: AttemptKey, handle: bytes) -> Handle:
        """Return what a handle says; without one, all that there may be of the attempt."""
        if handle:
            return msgspec.json.decode(handle, type=Handle)
        return await self._remover.suppose(key, names.namespace(self._told.namespace, key))

    def _namespace(self) -> str:
        return names.one_namespace(self._told.namespace)

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
