"""What one sees of clusters of pods beside their pods: adds what their roles have told to what is reported of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import msgspec

from dayfly.base import log_tails
from dayfly.executors.dask import describing, naming, versions
from dayfly.executors.dask.pods import roles
from dayfly.executors.dask.relay import told_reports
from dayfly.model.run import LogLink
from dayfly.ports import dashboards, records
from dayfly.ports.clusters import ClusterEnd, ClusterState, Death, Fault, Progress

if TYPE_CHECKING:
    from dayfly.base.clock import Micros
    from dayfly.executors.dask.relay.hearing import Hearing
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.clusters import ClusterReport
    from dayfly.ports.pod_groups import PodGroupReport, PodSeen

LOG_TAIL_BYTES, WORKER_TAIL_BYTES = 4096, 32 * 1024
"""Read of a log's end for a report; of a dead worker's more, since another of its name has written on."""

MAX_WARNING = 2000
"""Characters of what a scheduler says of work that does not go on."""


class Heard(Protocol):
    """Takes deaths that Kubernetes does not see."""

    def hear(self, last: list[Death]) -> None:
        """Note the last ends of a role's processes, oldest first; those that were noted before are passed over."""
        ...


class View:
    """What is seen of one provider's clusters; `report_uri` returns where one of Dask's own reports can be read."""

    def __init__(self, hearing: Hearing, log_folder: Path, report_uri: Callable[[AttemptKey, str], str]) -> None:
        self._hearing, self._folder, self._report_uri = hearing, log_folder, report_uri

    def take(self, key: AttemptKey, role: str, line: bytes, at: Micros) -> bytes | None:
        """Take a line of a log; see `ports.pod_groups.LineTaker`."""
        return self._hearing.take(key, role, line, at)

    def begin(self, key: AttemptKey) -> None:
        """Look at a cluster from now on. Call it before its pods are made or taken back."""
        self._hearing.begin(key)

    async def forget(self, key: AttemptKey) -> None:
        """Let go of a cluster, its record complete."""
        await self._hearing.forget(key)

    async def close(self) -> None:
        """Let go of all clusters, their records complete."""
        await self._hearing.close()

    def look(self, report: PodGroupReport, heard: Heard) -> None:
        """Note the ends of workers that only their nannies have seen."""
        for pod in report.pods:
            if pod.role in (naming.DRIVER, naming.SCHEDULER):
                continue  # They have no nanny; what says so there is a user's.
            if told := self._hearing.facts(report.key, pod.role):
                heard.hear(read_deaths(pod, told))

    def wanted(self, key: AttemptKey) -> frozenset[str] | None:
        """Return the workers that are to run, of those whose number follows the work; None before that is told."""
        told = self._hearing.facts(key, naming.SCHEDULER).get("wanted_roles")
        try:
            return frozenset(msgspec.convert(told, list[str]))
        except msgspec.ValidationError:
            return None

    async def add(self, told: ClusterReport, report: PodGroupReport, dashboard_uri: str) -> ClusterReport:
        """Return what is told of a cluster with what its roles have told; of an end, with the ends of logs."""
        # One that was lost stands in front of the one that has taken its place.
        scheduler = next((pod for pod in reversed(report.pods) if pod.role == naming.SCHEDULER), None)
        told = add_facts(told, self._hearing.facts(told.key, naming.SCHEDULER), scheduler, dashboard_uri)
        told = add_mismatch(told, self._hearing.differing(told.key))
        if not report.ended:
            return told
        limits = [pod.memory_limit_bytes for pod in report.pods if pod.role == naming.DRIVER]
        await self._hearing.end(told.key, max(limits, default=0))
        return await self.add_tails(told)

    async def add_tails(self, told: ClusterReport) -> ClusterReport:
        """Return the end of a cluster with the ends of the logs that tell why and links to Dask's own reports, once all
        that was told is on the disk."""
        await self._hearing.settle(told.key)
        if told.end is None:
            return told
        dead = next((one.role for one in reversed(told.deaths) if one.role != naming.SCHEDULER), "")
        main = naming.SCHEDULER if told.end is ClusterEnd.SCHEDULER_LOST else naming.DRIVER
        tail, of_worker = await asyncio.to_thread(self._read_tails, told.key, main, dead)
        made = await asyncio.to_thread(told_reports.list_made, self._folder / told.key)
        links = (LogLink(records.REPORTS[name], self._report_uri(told.key, name)) for name in made)
        return msgspec.structs.replace(
            told, log_tail=told.log_tail or tail, worker_log_tail=of_worker, logs=(*told.logs, *links)
        )

    def _read_tails(self, key: AttemptKey, main: str, dead: str) -> tuple[str, str]:
        folder = self._folder / key
        of_worker = log_tails.last_lines(folder / f"{dead}.log", WORKER_TAIL_BYTES) if dead else ""
        return log_tails.last_lines(folder / f"{main}.log", LOG_TAIL_BYTES), of_worker


def add_facts(
    report: ClusterReport, told: Mapping[str, Any], scheduler: PodSeen | None, dashboard_uri: str
) -> ClusterReport:
    """Return the report with what its scheduler has told: figures, what is stuck, where its dashboard is. Pure."""
    if not told:
        return report
    shown = bool(told.get("dashboard")) and bool(report.logs)
    address = scheduler.address if scheduler is not None and shown and report.end is None else ""
    if ":" in address:
        address = f"[{address}]"
    return msgspec.structs.replace(
        report,
        progress=_read_progress(told, report.progress),
        reason=_read_warning(told) or report.reason,
        dashboard_address=f"{address}:{roles.HTTP_PORT}" if address else "",
        logs=(*report.logs, LogLink(dashboards.LINK_NAME, dashboard_uri)) if shown else report.logs,
    )


def add_mismatch(report: ClusterReport, event: Mapping[str, Any]) -> ClusterReport:
    """Return the end of a cluster whose roles cannot understand each other, by the record's event of it. Pure."""
    told = versions.tell_differing(event) if event and report.end is None else ""
    if not told:
        return report
    return msgspec.structs.replace(
        report,
        state=ClusterState.ENDED,
        end=ClusterEnd.PART_LOST,
        message=f"{told}. {versions.ONE_ENVIRONMENT.rstrip('.')}",
        fault=Fault(versions.VersionMismatch.code, users=True, recoverable=False),
    )


def read_deaths(pod: PodSeen, told: Mapping[str, Any]) -> list[Death]:
    """Return the last ends of a pod's processes under its nanny, oldest first. Pure."""
    try:
        ended = msgspec.convert(told, _Ended)
    except msgspec.ValidationError:
        return []
    first = max(0, ended.ended - len(ended.deaths))
    return [_death(pod, one, first + number) for number, one in enumerate(ended.deaths)]


_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
"""What is larger no protobuf Struct holds as it is."""


class _End(msgspec.Struct, frozen=True):
    at: Annotated[float, msgspec.Meta(ge=0.0, le=1e11)]
    exit_code: Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
    out_of_memory: bool = False
    held_bytes: _Count = 0


class _Ended(msgspec.Struct, frozen=True):
    ended: _Count = 0
    deaths: tuple[_End, ...] = ()


def _death(pod: PodSeen, end: _End, restarts: int) -> Death:
    limit = pod.memory_limit_bytes
    over = (end.held_bytes or limit or 1) if end.out_of_memory else 0
    death = Death(pod.role, end.at, end.exit_code, restarts, over, limit)
    return msgspec.structs.replace(death, told=f"{pod.role} {describing.ending(death)}")


class _Counted(msgspec.Struct, frozen=True):
    """`Progress`, as far as it can be."""

    workers: _Count = 0
    wanted: _Count = 0
    tasks_total: _Count = 0
    tasks_done: _Count = 0
    tasks_processing: _Count = 0
    memory_bytes: _Count = 0


def _read_warning(told: Mapping[str, Any]) -> str:
    warning = told.get("progress_warning")
    return warning[:MAX_WARNING] if isinstance(warning, str) else ""


def _read_progress(told: Mapping[str, Any], unless: Progress) -> Progress:
    try:
        counted = msgspec.convert(told.get("progress"), _Counted)
    except msgspec.ValidationError:
        return unless
    progress = Progress(**msgspec.structs.asdict(counted))
    # Where another makes their number follow the work, the scheduler does not know it.
    return progress if "wanted_roles" in told else msgspec.structs.replace(progress, wanted=unless.wanted)
