"""From what a process group tells to what is told of a cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from dayfly.executors.dask.local import groups
from dayfly.ports import clusters, records

if TYPE_CHECKING:
    from dayfly.model.identifiers import AttemptKey
    from dayfly.model.run import LogLink
    from dayfly.ports.process_groups import GroupReport

_STATES = {
    "queued": clusters.ClusterState.QUEUED,
    "starting": clusters.ClusterState.STARTING,
    "running": clusters.ClusterState.READY,
    "ended": clusters.ClusterState.ENDED,
}

_ENDS = {
    "exited": clusters.ClusterEnd.DRIVER_EXITED,
    "stopped": clusters.ClusterEnd.STOPPED,
    "essential_lost": clusters.ClusterEnd.SCHEDULER_LOST,
    "startup_timeout": clusters.ClusterEnd.STARTUP_TIMEOUT,
    "restarts_exhausted": clusters.ClusterEnd.RESTARTS_EXHAUSTED,
    "lost": clusters.ClusterEnd.LOST,
    "interrupted": clusters.ClusterEnd.INTERRUPTED,
}

_OUT_OF_MEMORY = {
    groups.DRIVER: clusters.ClusterEnd.DRIVER_OUT_OF_MEMORY,
    groups.SCHEDULER: clusters.ClusterEnd.SCHEDULER_LOST,
}
"""By role; a worker's end ends the cluster only when there were too many of them."""


def translate(
    key: AttemptKey,
    report: GroupReport,
    *,
    wanted: int,
    logs: tuple[LogLink, ...],
    log_tail: str = "",
    worker_log_tail: str = "",
) -> clusters.ClusterReport:
    """Return the report of the cluster; `wanted` is the number of its workers."""
    return clusters.ClusterReport(
        key=key,
        at=report.at,
        state=_STATES[report.state],
        reason=report.reason or str(report.facts.get(groups.WARNING_FACT, "")),
        scheduler_address=str(report.facts.get(groups.ADDRESS_FACT, "")),
        dashboard_address=str(report.facts.get(groups.DASHBOARD_FACT, "")),
        progress=_progress(report.facts, wanted),
        logs=logs,
        end=end_of(report),
        exit_code=report.exit_code,
        signal=report.signal,
        message=report.message,
        log_tail=log_tail,
        worker_log_tail=worker_log_tail,
        deaths=_deaths(report.facts),
        stood_by=groups.STOOD_BY_FACT in report.facts,
    )


def read_made(report: GroupReport) -> list[str]:
    """Return which of Dask's own reports there are; the names of their files."""
    told = report.facts.get(groups.REPORTS_FACT, ())
    return [name for name in records.REPORTS if isinstance(told, list) and name in told]


def read_begun(report: GroupReport) -> list[str]:
    """Return which workers have ever run, of those whose number follows the work; the names of their roles."""
    told = report.facts.get(groups.BEGUN_FACT, ())
    return [str(name) for name in told] if isinstance(told, list) else []


def find_dead_worker(report: GroupReport) -> str:
    """Return the role of the worker that died last, empty if none did."""
    return next((one.role for one in reversed(_deaths(report.facts)) if one.role != groups.SCHEDULER), "")


def end_of(report: GroupReport) -> clusters.ClusterEnd | None:
    """Return why the cluster ended, None while it lives."""
    if report.state != "ended":
        return None
    if report.end == "oom":
        return _OUT_OF_MEMORY.get(report.role, clusters.ClusterEnd.RESTARTS_EXHAUSTED)
    return _ENDS[report.end]


def _deaths(facts: Mapping[str, object]) -> tuple[clusters.Death, ...]:
    return msgspec.convert(facts.get(groups.DEATHS_FACT, ()), tuple[clusters.Death, ...])


def _progress(facts: Mapping[str, object], wanted: int) -> clusters.Progress:
    told = facts.get(groups.PROGRESS_FACT)
    if isinstance(told, Mapping):
        return clusters.Progress(**{name: int(told[name]) for name in clusters.Progress.__struct_fields__})
    ready = facts.get(groups.READY_FACT)
    return clusters.Progress(workers=len(ready) if isinstance(ready, list) else 0, wanted=wanted)
