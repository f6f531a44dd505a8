"""From what is seen of pods to what is told of the cluster that they are. Pure, but for what `Seen` remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dayfly.executors.dask import describing, naming
from dayfly.executors.dask.pods import roles
from dayfly.executors.dask.roles import settling
from dayfly.ports.clusters import ClusterEnd, ClusterReport, ClusterState, Death, Fault, Progress
from dayfly.ports.pod_groups import PodPhase, PodSeen

if TYPE_CHECKING:
    from dayfly.base.clock import Micros
    from dayfly.model.run import LogLink
    from dayfly.ports.pod_groups import PodGroupReport

KEPT_DEATHS = 100

OOM = "OOMKilled"

MORE_ROOM = "Give workers more room where they spill to (their temporary-directory: a volume, or ephemeral storage)"

SETTLED = "The scheduler ended as it was told to; nothing is made anew any more."
"""The reason of a cluster whose driver goes on alone."""


class Limits(msgspec.Struct, frozen=True):
    """What a cluster keeps to."""

    wanted: int
    quorum: int
    startup_timeout_seconds: float
    restart_limit: int
    roles: tuple[str, ...]
    """Of its pods, the driver first; those of workers that another names are not among them."""
    processes: dict[str, int] = {}
    """How many workers, as Dask counts them, a pod has, by its role or how that begins; one unless said."""
    told: str = ""
    """What the cluster is made of, and how it differs from what was asked for, for people."""
    scaled: tuple[str, ...] = ()
    """Roles of workers whose number follows the work, whether they are among `roles` from the beginning or not."""

    def processes_of(self, role: str) -> int:
        """Return how many workers, as Dask counts them, the pod of this role has."""
        return self.processes.get(role) or self.processes.get(role.rpartition("-")[0], 1)


class Seen:
    """What was seen of one cluster: each death is told once, however often its pod is."""

    def __init__(self) -> None:
        self.deaths: list[Death] = []
        self.ready = False
        """It was, once: workers that are missing later are none that it waits for."""
        self.settled = False
        """Its scheduler has ended as it was told to, and the workers with it: the driver goes on alone."""
        self.scheduler_told = ""
        """How the scheduler ended last, in words: many ends of workers after it leave it out of `deaths`."""
        self._ends: dict[str, int] = {}
        self._heard: dict[str, float] = {}
        self._count = 0

    @property
    def count(self) -> int:
        """Return how many deaths there were in all."""
        return sum(self._ends.values()) + self._count

    def look(self, pod: PodSeen, at: Micros) -> None:
        """Note what has ended since the pod was last seen. A container that has ended and one that was started again
        after that are one death."""
        told = self._ends.get(pod.uid, 0)
        if pod.restarts > told:
            self._ends[pod.uid] = pod.restarts
            self._note(pod, pod.last_ended_at, pod.last_exit_code, pod.restarts - 1, oom=pod.last_out_of_memory)
        if pod.phase in (PodPhase.LOST, PodPhase.EXITED) and pod.restarts >= told:
            self._ends[pod.uid] = pod.restarts + 1
            code = -pod.signal if pod.signal else pod.exit_code or 0
            self._note(pod, at / 1_000_000, code, pod.restarts, oom=pod.code == OOM)

    def hear(self, last: list[Death]) -> None:
        """Note ends that Kubernetes does not see, since their pod's nanny lives on: the last ones of a role, oldest
        first, which are told again and again."""
        new = [one for one in last if one.at > self._heard.get(one.role, 0.0)]
        if new:
            self._heard[new[-1].role] = new[-1].at
            self._count += len(new)
            self.deaths = sorted([*self.deaths, *new], key=lambda one: one.at)[-KEPT_DEATHS:]

    def settle(self) -> None:
        """Note that the cluster has ended for its own driver, which goes on: its workers were asked to end as well."""
        self.settled = self.ready = True
        self.deaths = [one for one in self.deaths if one.role == naming.SCHEDULER or one.exit_code or one.cause]

    def _note(self, pod: PodSeen, at: float, exit_code: int, restarts: int, *, oom: bool) -> None:
        limit = pod.memory_limit_bytes
        # A pod that is lost did not end by itself, whatever its container said in the end.
        cause = pod.message if pod.phase is PodPhase.LOST and not pod.users_fault else ""
        death = Death(pod.role, at, exit_code, restarts, limit if oom else 0, limit, cause=cause)
        death = msgspec.structs.replace(death, told=pod.message or f"{pod.role} {describing.ending(death)}")
        self.deaths = [*self.deaths, death][-KEPT_DEATHS:]
        if pod.role == naming.SCHEDULER:
            self.scheduler_told = death.told


def translate(report: PodGroupReport, limits: Limits, seen: Seen, logs: tuple[LogLink, ...]) -> ClusterReport:
    """Return the report of the cluster; an end that the group itself does not have yet is for the provider to make."""
    by_role = {pod.role: pod for pod in report.pods}
    for pod in report.pods:
        if pod.role != naming.DRIVER and not seen.settled:
            seen.look(pod, report.at)
    if not seen.settled and any(_settles(pod) for pod in report.pods):
        seen.settle()
    there = [pod for pod in report.pods if _is_worker(pod) and pod.phase is not PodPhase.LOST]
    workers = sum(limits.processes_of(pod.role) for pod in there if pod.phase is PodPhase.RUNNING)
    wanted = limits.wanted or sum(limits.processes_of(pod.role) for pod in there)
    driver, scheduler = by_role.get(naming.DRIVER), by_role.get(naming.SCHEDULER)
    state = _state(report, driver, workers, limits, seen)
    seen.ready = state is ClusterState.READY
    made = ClusterReport(
        report.key,
        report.at,
        state,
        reason=report.waits_for or _reason(report, seen) or limits.told,
        scheduler_address=f"tcp://{scheduler.address}:{roles.COMM_PORT}" if scheduler and scheduler.address else "",
        progress=Progress(workers=workers, wanted=wanted),
        logs=logs if driver is not None and driver.phase is not PodPhase.QUEUED else (),
        deaths=tuple(seen.deaths),
        more_room=MORE_ROOM,
    )
    return _ended(made, report, by_role, limits, seen)


def _state(report: PodGroupReport, driver: PodSeen | None, workers: int, limits: Limits, seen: Seen) -> ClusterState:
    if not report.pods or all(pod.phase is PodPhase.QUEUED for pod in report.pods):
        return ClusterState.QUEUED
    if driver is not None and driver.phase is PodPhase.RUNNING and (workers >= limits.quorum or seen.ready):
        return ClusterState.READY
    return ClusterState.STARTING


def _ended(
    made: ClusterReport, report: PodGroupReport, by_role: dict[str, PodSeen], limits: Limits, seen: Seen
) -> ClusterReport:
    """Add the end, if there is one."""
    driver, schedulers = by_role.get(naming.DRIVER), [pod for pod in report.pods if pod.role == naming.SCHEDULER]
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
    if seen.settled:
        return made
    for scheduler in schedulers:
        if scheduler.phase is PodPhase.LOST and scheduler.users_fault and scheduler.code != OOM:
            return _with_fault(made, scheduler)
        # Started again, it knows nothing of what there was.
        if scheduler.phase in (PodPhase.LOST, PodPhase.EXITED) or scheduler.restarts:
            return _with_end(made, ClusterEnd.SCHEDULER_LOST, seen.scheduler_told)
    hopeless = next((pod for pod in report.pods if _is_hopeless(pod)), None)
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
    if seen.settled:
        return SETTLED
    waiting = [pod for pod in report.pods if pod.phase in (PodPhase.QUEUED, PodPhase.INITIALIZING) and pod.reason]
    if waiting:
        others = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        return f"{waiting[0].role}: {waiting[0].reason}{others}"
    return f"{seen.deaths[-1].told}; it is made anew (number {seen.count})" if seen.deaths else ""


def _settles(pod: PodSeen) -> bool:
    """Say whether this is the scheduler, and has ended as it was told to. A Deployment starts it again, knowing
    nothing."""
    ended = pod.exit_code == 0 if pod.phase is PodPhase.EXITED else pod.restarts and pod.last_exit_code == 0
    return bool(ended) and pod.role == naming.SCHEDULER and pod.last_words == settling.ASKED


def _is_hopeless(pod: PodSeen) -> bool:
    """Say whether a pod never gets any better. A worker that has outgrown its memory is started again."""
    return pod.phase is PodPhase.LOST and pod.users_fault and not (pod.code == OOM and _is_worker(pod))


def _is_worker(pod: PodSeen) -> bool:
    return pod.role not in (naming.DRIVER, naming.SCHEDULER)
