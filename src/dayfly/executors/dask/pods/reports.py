"""From what is seen of pods to what is told of the cluster that they are. Pure, but for what `Seen` remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dayfly.executors.dask import describing, naming
from dayfly.ports.clusters import ClusterEnd, ClusterReport, ClusterState, Death, Fault, Progress
from dayfly.ports.pod_groups import PodPhase, PodSeen

if TYPE_CHECKING:
    from dayfly.base.clock import Micros
    from dayfly.model.run import LogLink
    from dayfly.ports.pod_groups import PodGroupReport

KEPT_DEATHS = 100

OOM = "OOMKilled"


class Limits(msgspec.Struct, frozen=True):
    """What a cluster keeps to."""

    wanted: int
    quorum: int
    startup_timeout_seconds: float
    restart_limit: int
    roles: tuple[str, ...]
    """Of all its pods, the driver first."""
    processes: dict[str, int] = {}
    """How many workers, as Dask counts them, a pod has; one unless said."""


class Seen:
    """The deaths that were seen of one cluster: each is told once, however often its pod is."""

    def __init__(self) -> None:
        self.deaths: list[Death] = []
        self._restarts: dict[tuple[str, str], int] = {}
        self._lost: set[str] = set()

    @property
    def count(self) -> int:
        """Return how many there were in all."""
        return sum(self._restarts.values()) + len(self._lost)

    def look(self, pod: PodSeen, at: Micros) -> None:
        """Note what has ended since the pod was last seen."""
        which = (pod.role, pod.uid)
        if pod.restarts > self._restarts.get(which, 0):
            self._restarts[which] = pod.restarts
            self._note(pod, pod.last_ended_at, pod.last_exit_code, pod.restarts - 1, oom=pod.last_out_of_memory)
        if pod.phase in (PodPhase.LOST, PodPhase.EXITED) and pod.uid not in self._lost:
            self._lost.add(pod.uid)
            code = -pod.signal if pod.signal else pod.exit_code or 0
            self._note(pod, at / 1_000_000, code, pod.restarts, oom=pod.code == OOM)

    def _note(self, pod: PodSeen, at: float, exit_code: int, restarts: int, *, oom: bool) -> None:
        limit = pod.memory_limit_bytes
        death = Death(pod.role, at, exit_code, restarts, limit if oom else 0, limit)
        death = msgspec.structs.replace(death, told=pod.message or f"{pod.role} {describing.ending(death)}")
        self.deaths = [*self.deaths, death][-KEPT_DEATHS:]


def translate(report: PodGroupReport, limits: Limits, seen: Seen, logs: tuple[LogLink, ...]) -> ClusterReport:
    """Return the report of the cluster; an end that the group itself does not have yet is for the provider to make."""
    by_role = {pod.role: pod for pod in report.pods}
    for pod in report.pods:
        if pod.role != naming.DRIVER:
            seen.look(pod, report.at)
    working = [pod for pod in report.pods if _is_worker(pod) and pod.phase is PodPhase.RUNNING]
    workers = sum(limits.processes.get(pod.role, 1) for pod in working)
    driver = by_role.get(naming.DRIVER)
    made = ClusterReport(
        report.key,
        report.at,
        _state(report, driver, workers, limits),
        reason=report.waits_for or _reason(report, seen),
        progress=Progress(workers=workers, wanted=limits.wanted),
        logs=logs if driver is not None and driver.phase is not PodPhase.QUEUED else (),
        deaths=tuple(seen.deaths),
    )
    return _ended(made, report, by_role, limits, seen)


def _state(report: PodGroupReport, driver: PodSeen | None, workers: int, limits: Limits) -> ClusterState:
    if not report.pods or all(pod.phase is PodPhase.QUEUED for pod in report.pods):
        return ClusterState.QUEUED
    if driver is not None and driver.phase is PodPhase.RUNNING and workers >= limits.quorum:
        return ClusterState.READY
    return ClusterState.STARTING


def _ended(
    made: ClusterReport, report: PodGroupReport, by_role: dict[str, PodSeen], limits: Limits, seen: Seen
) -> ClusterReport:
    """Add the end, if there is one."""
    driver, scheduler = by_role.get(naming.DRIVER), by_role.get(naming.SCHEDULER)
    if report.stopped:
        return _with_end(made, ClusterEnd.STOPPED)
    if driver is not None and driver.phase is PodPhase.EXITED:
        return msgspec.structs.replace(
            _with_end(made, ClusterEnd.DRIVER_EXITED),
            exit_code=driver.exit_code,
            signal=driver.signal,
            log_tail=report.log_tail,
        )
    if driver is not None and driver.phase is PodPhase.LOST:
        if driver.code == OOM:
            return _with_end(made, ClusterEnd.DRIVER_OUT_OF_MEMORY, driver.message)
        return _with_fault(made, driver)
    if scheduler is not None and scheduler.phase is PodPhase.LOST and scheduler.users_fault and scheduler.code != OOM:
        return _with_fault(made, scheduler)
    if scheduler is not None and scheduler.phase in (PodPhase.LOST, PodPhase.EXITED):
        return _with_end(made, ClusterEnd.SCHEDULER_LOST, seen.deaths[-1].told)
    hopeless = next((pod for pod in report.pods if pod.phase is PodPhase.LOST and pod.users_fault), None)
    if hopeless is not None:
        return _with_fault(made, hopeless)
    if limits.restart_limit and seen.count > limits.restart_limit:
        told = f"{seen.deaths[-1].told}; it was the end number {seen.count}, and {limits.restart_limit} are allowed"
        return _with_end(made, ClusterEnd.RESTARTS_EXHAUSTED, told)
    return made


def _with_end(made: ClusterReport, end: ClusterEnd, message: str = "") -> ClusterReport:
    return msgspec.structs.replace(made, state=ClusterState.ENDED, end=end, message=message)


def _with_fault(made: ClusterReport, pod: PodSeen) -> ClusterReport:
    fault = Fault(pod.code, pod.users_fault, pod.recoverable)
    return msgspec.structs.replace(_with_end(made, ClusterEnd.PART_LOST, pod.message), fault=fault)


def _reason(report: PodGroupReport, seen: Seen) -> str:
    """Say what is waited for, the driver's reason first; once all are there, which worker died last."""
    waiting = [pod for pod in report.pods if pod.phase in (PodPhase.QUEUED, PodPhase.INITIALIZING) and pod.reason]
    if waiting:
        others = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        return f"{waiting[0].role}: {waiting[0].reason}{others}"
    return f"{seen.deaths[-1].told}; it is made anew (number {seen.count})" if seen.deaths else ""


def _is_worker(pod: PodSeen) -> bool:
    return pod.role not in (naming.DRIVER, naming.SCHEDULER)
