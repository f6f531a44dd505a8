"""Clusters made of forked processes: the `ClusterProvider` of one host.

Called by `executors.dask.executor`. One group of processes is one cluster with its driver; the group's supervisor makes
dead workers anew, holds everyone to their memory, and ends it all without the platform if it must.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from dayfly.base import errors, log_tails
from dayfly.executors.dask import fitting, versions
from dayfly.executors.dask.local import groups, reports
from dayfly.model import entrypoint_args, run
from dayfly.ports import dashboards, records

if TYPE_CHECKING:
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.clusters import ClusterReport, ClusterSpec
    from dayfly.ports.environments import Environments
    from dayfly.ports.process_groups import GroupReport, GroupSpec, ProcessGroups

LOG_TAIL_BYTES = 4096
"""What is read of a log's end for a report."""

WORKER_TAIL_BYTES = 32 * 1024
"""The same of a dead worker's log, where a new worker of that name has written on since."""


class Handle(msgspec.Struct, frozen=True):
    """What a later platform needs to take the cluster back."""

    workers: tuple[str, ...]
    """Their roles' names, where they are roles of the group."""
    wanted: int = 0
    """How many are wanted at the beginning; 0 is all."""
    later: tuple[str, ...] = ()
    """Those of them that are not there at the beginning, and perhaps never."""


class Shape(Protocol):
    """What a cluster is made of: see `groups`, where each worker is a role, and `any_cluster.groups`."""

    def build(
        self,
        spec: ClusterSpec,
        *,
        python: str,
        distribution: str,
        working_dir: str,
        log_dir: str,
        cpu_request: float,
        memory_request_bytes: int,
    ) -> GroupSpec:
        """Return the group of processes. Raise `InvalidArgument` for a cluster that cannot be made."""
        ...

    def worker_names(self, spec: ClusterSpec) -> tuple[str, ...]:
        """Return the workers that are roles of the group, and so have logs."""
        ...


class LocalClusters:
    """Clusters of this host. Implements `ports.clusters.ClusterProvider`.

    `unpack` returns the local folder that a distribution was unpacked to, empty for one that is not unpacked.
    `log_uri` returns where a role's log can be read, `dashboard_uri` where people see the dashboard, `report_uri` one
    of Dask's own reports. Working folders are made below `work_folder`; logs lie at
    `<log_folder>/<attempt key>/<role>.log`. `shape` says what clusters are made of; forked processes unless said.
    """

    def __init__(
        self,
        process_groups: ProcessGroups,
        environments: Environments,
        host: fitting.HostCapacity,
        *,
        unpack: Callable[[str], Awaitable[str]],
        log_uri: Callable[[AttemptKey, str], str],
        dashboard_uri: Callable[[AttemptKey], str],
        report_uri: Callable[[AttemptKey, str], str],
        work_folder: Path,
        log_folder: Path,
        shape: Shape = groups.FORKED,
    ) -> None:
        self._groups, self._environments, self._host = process_groups, environments, host
        self._unpack, self._log_uri, self._dashboard_uri = unpack, log_uri, dashboard_uri
        self._report_uri = report_uri
        self._work_folder, self._log_folder = work_folder, log_folder
        self._shape = shape
        self._known: dict[AttemptKey, Handle] = {}

    async def make(self, spec: ClusterSpec) -> bytes:
        """Start the group, or find it started; see `ClusterProvider.make`."""
        python = self._one_python(spec)
        distribution = entrypoint_args.parse(spec.driver.argv).distribution
        folder = await self._unpack(distribution) if distribution else ""
        cpu, memory = fitting.admission(spec, self._host)
        group = self._shape.build(
            spec,
            python=python,
            distribution=folder,
            working_dir=str(self._work_folder / spec.key.replace("/", ".")),
            log_dir=str(self._log_dir(spec.key)),
            cpu_request=cpu,
            memory_request_bytes=memory,
        )
        later = tuple(role.name for role in group.roles if role.scaled and role.name not in group.wanted_roles)
        handle = self._known[spec.key] = Handle(self._shape.worker_names(spec), spec.worker_count, later)
        await self._groups.start(group)
        return msgspec.json.encode(handle)

    async def recover(self, key: AttemptKey, handle: bytes) -> ClusterReport | None:
        """Take a cluster back; see `ClusterProvider.recover`."""
        # Without a handle the group may run all the same: its platform died before it could say that it had started it.
        self._known[key] = msgspec.json.decode(handle, type=Handle) if handle else Handle(())
        report = await self._groups.recover(key)
        return None if report is None else await self._translate(key, report)

    async def watch(self) -> AsyncIterator[ClusterReport]:
        """Yield what happens to the clusters; see `ClusterProvider.watch`."""
        async for report in self._groups.watch():
            for key in self._known.keys() & {report.key}:
                yield await self._translate(key, report)

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """Ask the driver to end, then end everything."""
        await self._groups.stop(key, grace_seconds=grace_seconds)

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Remove the record and the working folder."""
        await self._groups.forget(key)
        self._known.pop(key, None)

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        """Name all processes, ports and files that are left, logs apart."""
        return await self._groups.leftovers(key)

    async def close(self, *, grace_seconds: float) -> None:
        """End all groups."""
        await self._groups.close(grace_seconds=grace_seconds)

    def _one_python(self, spec: ClusterSpec) -> str:
        """All roles are forked from one interpreter; that is what makes them fast."""
        roles = versions.role_environments(spec, self._environments)
        pythons = {environment.python for environment in roles.values()}
        if len(pythons) > 1:
            told = ", ".join(
                f"{role}: {environment.name} ({environment.python})" for role, environment in roles.items()
            )
            raise errors.InvalidArgument(
                f"On this host a Dask cluster has one environment, but {spec.driver.task} names several ({told}).",
                remedy="Let the environments setting lead the images of all roles to one interpreter.",
            )
        return pythons.pop()

    async def _translate(self, key: AttemptKey, report: GroupReport) -> ClusterReport:
        handle = self._known[key]
        never = set(handle.later).difference(reports.read_begun(report))
        names = (groups.DRIVER, groups.SCHEDULER, *(name for name in handle.workers if name not in never))
        # Nothing of a queued cluster has written a line.
        links = () if report.state == "queued" else tuple(run.LogLink(name, self._log_uri(key, name)) for name in names)
        if groups.DASHBOARD_FACT in report.facts:
            links = (*links, run.LogLink(dashboards.LINK_NAME, self._dashboard_uri(key)))
        for name in reports.read_made(report):
            links = (*links, run.LogLink(records.REPORTS[name], self._report_uri(key, name)))
        tails = ("", "")
        if report.state == "ended":
            tails = await asyncio.to_thread(self._read_tails, key, report)
        return reports.translate(
            key,
            report,
            wanted=handle.wanted or len(handle.workers),
            logs=links,
            log_tail=tails[0],
            worker_log_tail=tails[1],
        )

    def _read_tails(self, key: AttemptKey, report: GroupReport) -> tuple[str, str]:
        """Return the ends of two logs: of the role whose end it was, and of the worker that died last."""
        folder = self._log_dir(key)
        dead = reports.find_dead_worker(report)
        return (
            log_tails.last_lines(folder / f"{report.role or groups.DRIVER}.log", LOG_TAIL_BYTES),
            log_tails.last_lines(folder / f"{dead}.log", WORKER_TAIL_BYTES) if dead else "",
        )

    def _log_dir(self, key: AttemptKey) -> Path:
        return self._log_folder / key
