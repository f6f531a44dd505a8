"""From what is told of a cluster to what is observed of its attempt. Pure.

Called by `executor`. Ends have codes of their own, so that people can search for them and the engine knows whose fault
each is and whether a retry helps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import struct_pb2

from dayfly.model.phases import FailureKind
from dayfly.ports import clusters, dashboards, executors

if TYPE_CHECKING:
    from dayfly.base.clock import Micros
    from dayfly.model.identifiers import AttemptKey

STOOD_BY = "A warm cluster stood by."
"""The reason of an attempt that did not have to wait for its cluster."""

_KINDS = {
    clusters.ClusterState.QUEUED: executors.ObservationKind.QUEUED,
    clusters.ClusterState.STARTING: executors.ObservationKind.INITIALIZING,
    clusters.ClusterState.READY: executors.ObservationKind.RUNNING,
}

_FAILURES: dict[clusters.ClusterEnd, tuple[FailureKind, str, str]] = {
    clusters.ClusterEnd.DRIVER_OUT_OF_MEMORY: (
        FailureKind.USER,
        "OOMKilled",
        "The driver ran out of memory: {message}. Ask for more with limits=Resources(mem=...), or let the workers keep "
        "the data and bring only results to the driver.",
    ),
    clusters.ClusterEnd.SCHEDULER_LOST: (
        FailureKind.SYSTEM,
        "DaskSchedulerLost",
        "The Dask scheduler is gone ({message}), and with it what the cluster had computed; a new attempt gets a new "
        "cluster.",
    ),
    clusters.ClusterEnd.STARTUP_TIMEOUT: (
        FailureKind.SYSTEM,
        "DaskStartupTimeout",
        "The Dask cluster did not start: {message}. The logs of scheduler and workers say more.",
    ),
    clusters.ClusterEnd.RESTARTS_EXHAUSTED: (
        FailureKind.USER,
        "DaskWorkersLost",
        "The Dask workers died again and again: {message}. Mostly they lack memory: ask for more, or for smaller "
        "partitions.",
    ),
    clusters.ClusterEnd.INTERRUPTED: (
        FailureKind.SYSTEM,
        "Interrupted",
        "The platform ended while the task ran.",
    ),
    clusters.ClusterEnd.PART_LOST: (FailureKind.SYSTEM, "DaskClusterLost", "{message}."),
    clusters.ClusterEnd.LOST: (
        FailureKind.SYSTEM,
        "DaskClusterLost",
        "The Dask cluster is gone: {message}. A new attempt gets a new cluster.",
    ),
}


def observe(report: clusters.ClusterReport, notes: tuple[str, ...] = ()) -> executors.Observation:
    """Return the observation. `notes` are told as the reason where there is no other."""
    if report.end is not None:
        return _observe_end(report, report.end)
    return executors.Observation(
        report.key,
        _KINDS[report.state],
        report.at,
        reason=report.reason or " ".join((*((STOOD_BY,) if report.stood_by else ()), *notes)),
        logs=report.logs,
        custom_info=custom_info(report.progress, report.dashboard_address),
    )


def vanished(key: AttemptKey, at: Micros) -> executors.Observation:
    """Return the observation of a cluster that nobody knows any more."""
    report = clusters.ClusterReport(
        key, at, clusters.ClusterState.ENDED, end=clusters.ClusterEnd.LOST, message="there is no record of it"
    )
    return observe(report)


def custom_info(progress: clusters.Progress, dashboard_address: str = "") -> bytes:
    """Return what clients read of a cluster: a Struct, `{"dask": {...}}`; once it has ended, without an address."""
    dask: dict[str, str | int] = {
        "workers": progress.workers,
        "wanted": progress.wanted,
        "tasksDone": progress.tasks_done,
        "tasksTotal": progress.tasks_total,
        "tasksProcessing": progress.tasks_processing,
        "memoryBytes": progress.memory_bytes,
    }
    if dashboard_address:
        dask[dashboards.ADDRESS_FIELD] = dashboard_address
    message = struct_pb2.Struct()
    message["dask"] = dask
    return message.SerializeToString(deterministic=True)


def _observe_end(report: clusters.ClusterReport, end: clusters.ClusterEnd) -> executors.Observation:
    if end is clusters.ClusterEnd.STOPPED:
        return executors.Observation(
            report.key,
            executors.ObservationKind.STOPPED,
            report.at,
            logs=report.logs,
            custom_info=custom_info(report.progress),
        )
    if end is clusters.ClusterEnd.DRIVER_EXITED:
        return executors.Observation(
            report.key,
            executors.ObservationKind.EXITED,
            report.at,
            logs=report.logs,
            custom_info=custom_info(report.progress),
            exit_code=report.exit_code,
            signal=report.signal,
            log_tail=report.log_tail,
        )
    recoverable = True
    if end is clusters.ClusterEnd.PART_LOST and report.fault is not None:
        kind = FailureKind.USER if report.fault.users else FailureKind.SYSTEM
        code, message, recoverable = report.fault.code, report.message, report.fault.recoverable
    else:
        kind, code, sentence = _FAILURES[end]
        message = sentence.format(message=report.message.rstrip(".") or "nothing more is known")
    return executors.Observation(
        report.key,
        executors.ObservationKind.FAILED,
        report.at,
        logs=report.logs,
        custom_info=custom_info(report.progress),
        exit_code=report.exit_code,
        signal=report.signal,
        failure_kind=kind,
        code=code,
        message=message,
        recoverable=recoverable,
        log_tail=report.log_tail,
    )
