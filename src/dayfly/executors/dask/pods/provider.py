"""Clusters as plain pods: the `ClusterProvider` of a Kubernetes cluster without the Dask operator.

Called by `executors.dask.executor`. Driver, scheduler, workers and one Service are made side by side, the driver first:
it owns the rest. The kubelet starts workers again that end; pods that are lost are made anew here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from dayfly.executors.dask import naming
from dayfly.executors.dask.pods import reports, roles, waiting
from dayfly.model.run import LogLink
from dayfly.ports import pod_groups
from dayfly.ports.clusters import ClusterEnd, ClusterState
from dayfly.ports.pod_groups import Manifest, PodGroupSpec, PodPhase

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.clusters import ClusterReport, ClusterSpec, Progress
    from dayfly.ports.executors import AttemptSpec
    from dayfly.ports.pod_groups import PodGroupReport, PodGroups


class PodClusters:
    """Implements `ports.clusters.ClusterProvider`; `log_uri` returns where a role's log can be read."""

    def __init__(self, groups: PodGroups, clock: Clock, *, log_uri: Callable[[AttemptKey, str], str]) -> None:
        self._groups, self._clock, self._log_uri = groups, clock, log_uri
        self._known: dict[AttemptKey, _Known] = {}

    async def make(self, spec: ClusterSpec) -> bytes:
        """Make the pods, or find them made; see `ClusterProvider.make`."""
        objects = await self._objects(spec)
        limits = reports.Limits(
            spec.worker_count,
            spec.quorum,
            spec.startup_timeout_seconds,
            spec.restart_limit,
            roles_of(objects),
            {name: group.processes for name, group in naming.worker_names(spec.groups)},
        )
        known = self._known[spec.key] = _Known(limits)
        worker_roles = frozenset(role for role in limits.roles if role not in (naming.DRIVER, naming.SCHEDULER))
        namespace = objects[0]["metadata"]["namespace"]
        known.handle = await self._groups.start(
            PodGroupSpec(spec.key, namespace, tuple(objects), naming.DRIVER, worker_roles)
        )
        return msgspec.json.encode(Handle(known.handle, limits))

    async def recover(self, key: AttemptKey, handle: bytes) -> ClusterReport | None:
        """Take a cluster back; see `ClusterProvider.recover`."""
        read = msgspec.json.decode(handle, type=Handle)
        known = self._known[key] = _Known(read.limits)
        known.handle = read.group
        report = await self._groups.recover(key, read.group)
        if report is None:
            self._known.pop(key)
            return None
        return await self._read(known, report)

    async def watch(self) -> AsyncIterator[ClusterReport]:
        """Yield what happens to the clusters; see `ClusterProvider.watch`."""
        async for report in self._groups.watch():
            known = self._known.get(report.key)
            if known is not None:
                yield await self._read(known, report)

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """Delete all pods, the driver with its grace."""
        await self._groups.stop(key, grace_seconds=grace_seconds)

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Delete what is left, logs kept."""
        known = self._known.pop(key, None)
        if known is not None:
            known.hurry()
        group = known.handle if known else msgspec.json.decode(handle, type=Handle).group if handle else b""
        await self._groups.forget(key, group)

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        """Name all objects that are left."""
        return await self._groups.leftovers(key, msgspec.json.decode(handle, type=Handle).group)

    async def close(self, *, grace_seconds: float) -> None:
        """Let go: clusters go on, and the next platform takes them back."""
        await self._groups.close()

    async def _objects(self, spec: ClusterSpec) -> list[Manifest]:
        name = self._groups.pod_name(spec.driver, naming.SCHEDULER)
        address = f"tcp://{name}:{roles.COMM_PORT}"
        workers = dict(roles.workers(spec, address))
        others = {naming.DRIVER: self._driver(spec, name, address), naming.SCHEDULER: roles.scheduler(spec)}
        made = await self._groups.manifests(others | workers)
        for role in workers:
            # What ends of a worker is its container; Dask computes again what went with it.
            made[role]["spec"]["restartPolicy"] = "Always"
        return [*made.values(), service(made[naming.SCHEDULER])]

    def _driver(self, spec: ClusterSpec, scheduler: str, address: str) -> AttemptSpec:
        made = roles.driver(spec, address)
        counts = f"http://{scheduler}:{roles.HTTP_PORT}{waiting.COUNTS_PATH}"
        return msgspec.structs.replace(made, env={waiting.COUNTS_VARIABLE: counts, **made.env})

    async def _read(self, known: _Known, report: PodGroupReport) -> ClusterReport:
        links = tuple(LogLink(role, self._log_uri(report.key, role)) for role in known.limits.roles)
        told = reports.translate(report, known.limits, known.seen, links)
        known.last = told.progress
        if known.end is not None and report.stopped:
            return msgspec.structs.replace(known.end, at=told.at)
        if told.end is not None and not report.ended:
            # It is over, though its driver is not: nothing of it may run when that is told.
            known.end = told
            await self._groups.stop(report.key, grace_seconds=0.0)
            return msgspec.structs.replace(told, state=ClusterState.STARTING, end=None, fault=None)
        self._mind_the_start(known, told, report)
        return told

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
        there = f"{known.last.workers if known.last else 0} of {known.limits.quorum}"
        known.end = msgspec.structs.replace(
            told,
            state=ClusterState.ENDED,
            end=ClusterEnd.STARTUP_TIMEOUT,
            message=f"{there} workers were there {limit:g} s after the task was",
            deaths=tuple(known.seen.deaths),
        )
        await self._groups.stop(told.key, grace_seconds=0.0)


class Handle(msgspec.Struct, frozen=True):
    """What a later platform needs to take a cluster back."""

    group: bytes
    limits: reports.Limits


class _Known:
    def __init__(self, limits: reports.Limits) -> None:
        self.limits = limits
        self.handle = b""
        self.seen = reports.Seen()
        self.end: ClusterReport | None = None
        """What is told once all is gone that is to go for it."""
        self.last: Progress | None = None
        self.expiry: asyncio.Task[None] | None = None

    def hurry(self) -> None:
        """The cluster has started, or ended: nobody counts any more."""
        if self.expiry is not None:
            self.expiry.cancel()


def service(scheduler: Manifest) -> Manifest:
    """Return the Service by which all find the scheduler: its name stays while its pod's address is not known yet."""
    metadata = scheduler["metadata"]
    own = {name: metadata["labels"][name] for name in (pod_groups.PLATFORM, pod_groups.GROUP, pod_groups.ROLE)}
    ports = [("tcp-comm", roles.COMM_PORT), ("http-dashboard", roles.HTTP_PORT)]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": metadata["labels"],
            "annotations": metadata["annotations"],
        },
        "spec": {
            "type": "ClusterIP",
            "selector": own,
            # Roles look for it before it is ready, and it is ready once it listens.
            "publishNotReadyAddresses": True,
            "ports": [{"name": name, "port": port, "targetPort": port} for name, port in ports],
        },
    }


def roles_of(objects: list[Manifest]) -> tuple[str, ...]:
    """Return the roles of the pods among these, the driver first."""
    pods: list[Any] = [one for one in objects if one["kind"] == "Pod"]
    return tuple(pod["metadata"]["labels"][pod_groups.ROLE] for pod in pods)
