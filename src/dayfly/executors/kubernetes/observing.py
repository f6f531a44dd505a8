"""From what is seen of a lone pod to what the controller sees of an attempt. Pure, with a table test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.model.phases import FailureKind
from dayfly.ports.executors import Observation, ObservationKind
from dayfly.ports.pod_groups import PodPhase

if TYPE_CHECKING:
    from dayfly.model.run import LogLink
    from dayfly.ports.pod_groups import PodGroupReport, PodSeen

_ALIVE = {
    PodPhase.QUEUED: ObservationKind.QUEUED,
    PodPhase.INITIALIZING: ObservationKind.INITIALIZING,
    PodPhase.RUNNING: ObservationKind.RUNNING,
}


def observe(report: PodGroupReport, logs: tuple[LogLink, ...]) -> Observation:
    """Return what a report on a lone pod means; `logs` lead to what it has written, once it has begun."""
    if report.stopped:
        return Observation(report.key, ObservationKind.STOPPED, report.at, "stopped", logs)
    if report.waits_for or not report.pods:
        return Observation(report.key, ObservationKind.QUEUED, report.at, report.waits_for)
    pod = report.pods[0]
    if pod.phase in _ALIVE:
        told = logs if pod.phase is PodPhase.RUNNING else ()
        return Observation(report.key, _ALIVE[pod.phase], report.at, _reason(pod), told)
    kind = ObservationKind.EXITED if pod.phase is PodPhase.EXITED else ObservationKind.FAILED
    fault = FailureKind.USER if pod.users_fault else FailureKind.SYSTEM
    return Observation(
        report.key,
        kind,
        report.at,
        logs=logs,
        exit_code=pod.exit_code,
        signal=pod.signal,
        failure_kind=fault if kind is ObservationKind.FAILED else FailureKind.UNKNOWN,
        code=pod.code,
        message=pod.message,
        recoverable=pod.recoverable,
        log_tail=report.log_tail,
    )


def _reason(pod: PodSeen) -> str:
    where = f"pod {pod.name}" + (f" on node {pod.node}" if pod.node else "")
    return f"{where}: {pod.reason}" if pod.reason else where
