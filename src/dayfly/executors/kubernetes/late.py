"""What is told of a group's pods only after the end of the main one, though it was before, and may be its cause.

Each kubelet looks at its containers once a second, and tells of them one after the other. A driver that loses its
worker for good may be told to have ended before it is told that the worker went over its limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dayfly.executors.kubernetes import reading
from dayfly.ports.pod_groups import PodPhase

if TYPE_CHECKING:
    from dayfly.ports.pod_groups import PodGroupReport, PodSeen

EVICTED = "Evicted"
"""Code of a pod that its node has ended, which may not tell when its containers did."""


def add(end: PodGroupReport, latest: PodGroupReport) -> PodGroupReport:
    """Return the report of an end with the ends of those pods, as they are told in the `latest` one, that had ended by
    themselves, and badly, when the main pod did. How others end, which are asked to after it, is no news; so each
    report is to be added as it comes, for a later one may tell of such an end only."""
    until, now = end.pods[0].ended_at if end.pods else 0.0, {pod.uid: pod for pod in latest.pods}
    if not until:
        return end
    main, *others = end.pods
    told = (_with_end(pod, now[pod.uid], until) if pod.uid in now else pod for pod in others)
    return msgspec.structs.replace(end, pods=(main, *told))


def _with_end(before: PodSeen, now: PodSeen, until: float) -> PodSeen:
    if before.phase in (PodPhase.EXITED, PodPhase.LOST):
        return before  # Its end is told already.
    if now.restarts > before.restarts:
        died = now.last_exit_code or now.last_out_of_memory
        return _as_restarted(before, now) if died and now.last_ended_at <= until else before
    return now if _died(now, until) else before


def _as_restarted(before: PodSeen, now: PodSeen) -> PodSeen:
    """Return what was seen with the end that is told of: what has become of the pod since may be another's doing."""
    return msgspec.structs.replace(
        before,
        restarts=now.restarts,
        last_exit_code=now.last_exit_code,
        last_ended_at=now.last_ended_at,
        last_out_of_memory=now.last_out_of_memory,
        last_words=now.last_words,
    )


def _died(now: PodSeen, until: float) -> bool:
    if now.phase is PodPhase.LOST:
        by_itself = now.code != reading.DELETED and (now.code == EVICTED or now.ended_at > 0.0)
    else:
        by_itself = now.phase is PodPhase.EXITED and bool(now.exit_code or now.signal)
    return by_itself and now.ended_at <= until
