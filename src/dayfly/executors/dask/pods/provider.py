"""Clusters of pods: the `ClusterProvider` of a Kubernetes cluster.

Called by `executors.dask.executor`. Of which objects a cluster is made, its shape says: `plain` of pods and a Service,
which need nobody else. What the pods of a cluster mean for it, is the same for all shapes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from dayfly.base import errors, logs
from dayfly.executors.dask import naming
from dayfly.executors.dask.pods import reports
from dayfly.executors.dask.relay import following, hearing, viewing
from dayfly.model.run import LogLink
from dayfly.ports.clusters import ClusterEnd, ClusterReport, ClusterState
from dayfly.ports.pod_groups import PodPhase

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.clusters import ClusterSpec
    from dayfly.ports.pod_groups import PodGroupReport, PodGroups, PodGroupSpec

PAUSE_SECONDS = 1.0
"""Before Kubernetes is asked again that did not answer."""

AGAIN_SECONDS = 15.0
"""Until a cluster is looked at again of which something could not be read or done."""

UNREADABLE = "what is reported of it cannot be read; the platform's log says why"

_log = logs.get("executors.dask")


class Layout(NamedTuple):
    """Of what a cluster is made."""

    group: PodGroupSpec
    limits: reports.Limits


class Shape(Protocol):
    """Knows of which objects clusters are made."""

    async def lay_out(self, spec: ClusterSpec) -> Layout:
        """Return the objects of a cluster. Raise `InvalidArgument` for a spec of which none can be made."""
        ...


class PodClusters:
    """Implements `ports.clusters.ClusterProvider`.

    `log_uri` returns where a role's log can be read, `dashboard_uri` where people see the dashboard, `report_uri` one
    of Dask's own reports. Logs, flight records and reports lie below `log_folder`.
    """

    def __init__(
        self,
        groups: PodGroups,
        clock: Clock,
        shape: Shape,
        *,
        log_uri: Callable[[AttemptKey, str], str],
        dashboard_uri: Callable[[AttemptKey], str],
        report_uri: Callable[[AttemptKey, str], str],
        log_folder: Path,
    ) -> None:
        self._groups, self._shape = groups, shape
        self._log_uri, self._dashboard_uri = log_uri, dashboard_uri
        self._known: dict[AttemptKey, _Known] = {}
        self._news = following.News(groups, clock)
        self._view = viewing.View(hearing.Hearing(log_folder, self._news.note), log_folder, report_uri)
        groups.listen(self._view.take)

    async def make(self, spec: ClusterSpec) -> bytes:
        """Make the pods, or find them made; see `ClusterProvider.make`."""
        group, limits = await self._shape.lay_out(spec)
        known = self._known.setdefault(spec.key, _Known(limits))
        self._view.begin(spec.key)
        known.handle = await self._groups.start(group)
        return msgspec.json.encode(Handle(known.handle, limits))

    async def recover(self, key: AttemptKey, handle: bytes) -> ClusterReport | None:
        """Take a cluster back; see `ClusterProvider.recover`."""
        if not handle:
            return None  # What may have been made for it all the same goes when it is forgotten.
        read = msgspec.json.decode(handle, type=Handle)
        known = self._known[key] = _Known(read.limits)
        known.handle = read.group
        self._view.begin(key)
        report = await self._groups.recover(key, read.group)
        if report is None:
            self._known.pop(key)
            await self._view.forget(key)
            return None
        self._news.begin(report)
        told = await self._read_alone(known, report)
        if known.wanted is None and not (known.limits.scaled or known.settled or known.ending or report.ended):
            # Those that went while no platform ran, nobody has seen go. What is scaled, its scheduler says.
            await self._groups.want(key, frozenset(known.limits.roles))
        return told or ClusterReport(key, report.at, ClusterState.STARTING, reason=UNREADABLE)

    async def watch(self) -> AsyncIterator[ClusterReport]:
        """Yield what happens to the clusters; see `ClusterProvider.watch`."""
        async for report in self._news.watch():
            known = self._known.get(report.key)
            if known is not None and (told := await self._read_alone(known, report)) is not None:
                yield told

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """Delete all pods, the driver with its grace."""
        await self._groups.stop(key, grace_seconds=grace_seconds)

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Delete what is left, logs kept."""
        known = self._known.pop(key, None)
        if known is not None:
            known.let_go()
        self._news.forget(key)
        await self._groups.forget(key, known.handle if known else _group(handle))
        await self._view.forget(key)

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        """Name all objects that are left."""
        return await self._groups.leftovers(key, _group(handle))

    async def close(self, *, grace_seconds: float) -> None:
        """Let go: clusters go on, and the next platform takes them back."""
        for known in self._known.values():
            known.let_go()
        await self._groups.close()
        await self._view.close()

    async def _read_alone(self, known: _Known, report: PodGroupReport) -> ClusterReport | None:
        """Read what is reported; None where that fails. Whatever is wrong with one cluster, the platform begins and
        sees the others; the one is looked at again in a while."""
        try:
            return await self._read(known, report)
        except Exception as error:  # noqa: BLE001
            _log.exception("a cluster cannot be read", attempt=report.key, error=str(error))
        if not report.ended:
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._news.note, report.key)
            return None
        # Its end is reported once, and an attempt whose end nobody tells would never be over.
        if known.end is not None:
            return msgspec.structs.replace(known.end, at=report.at)
        return ClusterReport(report.key, report.at, ClusterState.ENDED, end=ClusterEnd.LOST, message=UNREADABLE)

    async def _read(self, known: _Known, report: PodGroupReport) -> ClusterReport:
        known.roles |= dict.fromkeys(pod.role for pod in report.pods)
        links = tuple(LogLink(role, self._log_uri(report.key, role)) for role in known.roles)
        self._view.look(report, known.seen)
        await self._scale(known, report.key)
        told = reports.translate(report, known.limits, known.seen, links)
        await self._settle(known, report.key)
        told = await self._view.add(told, report, self._dashboard_uri(report.key))
        known.last = told
        if known.end is not None and report.stopped:
            return await self._view.add_tails(msgspec.structs.replace(known.end, at=told.at))
        if told.end is not None and not report.ended:
            # It is over, though its driver is not: nothing of it may run when that is told.
            self._finish(known, told)
            return msgspec.structs.replace(told, state=ClusterState.STARTING, end=None, fault=None)
        self._mind_the_start(known, told, report)
        return told

    async def _scale(self, known: _Known, key: AttemptKey) -> None:
        """Have those workers that the scheduler wants."""
        wanted = None if known.seen.settled else self._view.wanted(key)
        if wanted is not None and wanted != known.wanted:
            known.wanted = wanted
            fixed = frozenset(known.limits.roles).difference(known.limits.scaled)
            await self._groups.want(key, fixed | wanted.intersection(known.limits.scaled))

    async def _settle(self, known: _Known, key: AttemptKey) -> None:
        """Have no workers any more where the driver goes on alone."""
        if known.seen.settled and not known.settled:
            known.settled = True
            await self._groups.want(key, frozenset())

    def _mind_the_start(self, known: _Known, told: ClusterReport, report: PodGroupReport) -> None:
        """Count the seconds that the driver waits for workers, and end the cluster where there are too many."""
        begun = any(pod.role == naming.DRIVER and pod.phase is PodPhase.RUNNING for pod in report.pods)
        if told.state is not ClusterState.STARTING:
            known.hurry()
        elif begun and known.expiry is None:
            known.expiry = asyncio.create_task(self._expire(known, told), name=f"start of {report.key}")

    async def _expire(self, known: _Known, told: ClusterReport) -> None:
        limit = known.limits.startup_timeout_seconds
        await asyncio.sleep(limit)
        last = known.last or told
        there = f"{last.progress.workers} of {known.limits.quorum} workers were there {limit:g} s after the task was"
        why = f": {last.reason}" if last.reason not in ("", known.limits.told) else ""
        timed_out = msgspec.structs.replace(
            told,
            state=ClusterState.ENDED,
            end=ClusterEnd.STARTUP_TIMEOUT,
            message=there + why,
            deaths=tuple(known.seen.deaths),
        )
        self._finish(known, timed_out)

    def _finish(self, known: _Known, end: ClusterReport) -> None:
        """End a cluster for a cause that is told when all is gone; of several, the first one was it."""
        if known.ending is None:
            known.end = end
            known.ending = asyncio.create_task(self._end(end.key), name=f"end of {end.key}")

    async def _end(self, key: AttemptKey) -> None:
        """Have all pods deleted, also where Kubernetes does not answer at once: nobody else asks for it again."""
        while True:
            try:
                await self._groups.stop(key, grace_seconds=0.0)
                return
            except errors.DayflyError as error:
                _log.warning("a cluster that is over cannot be ended yet", attempt=key, error=str(error))
                await asyncio.sleep(PAUSE_SECONDS)


class Handle(msgspec.Struct, frozen=True):
    """What a later platform needs to take a cluster back."""

    group: bytes
    limits: reports.Limits


def _group(handle: bytes) -> bytes:
    """Return the handle of a cluster's group; without one, none."""
    return msgspec.json.decode(handle, type=Handle).group if handle else b""


class _Known:
    def __init__(self, limits: reports.Limits) -> None:
        self.limits = limits
        self.roles = dict.fromkeys(limits.roles)
        """All that there ever were, driver and scheduler first."""
        self.handle = b""
        self.seen = reports.Seen()
        self.wanted: frozenset[str] | None = None
        """Workers that the scheduler wants, of those whose number follows the work."""
        self.settled = False
        """No workers are wanted any more."""
        self.end: ClusterReport | None = None
        """What is told once all is gone that is to go for it."""
        self.last: ClusterReport | None = None
        self.expiry: asyncio.Task[None] | None = None
        self.ending: asyncio.Task[None] | None = None

    def let_go(self) -> None:
        """Nobody looks after it here any more."""
        self.hurry()
        if self.ending is not None:
            self.ending.cancel()

    def hurry(self) -> None:
        """The cluster has started, or ended: nobody counts any more."""
        if self.expiry is not None:
            self.expiry.cancel()
