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


def add(end: PodGroupReport, latest: PodGroupReport) -> PodGroupReport:
    """Return the report of an end with those pods as they were `latest` that had ended by themselves, and badly, when
    the main pod did. How others end, which are asked to after it, is no news."""
    until, now = end.pods[0].ended_at if end.pods else 0.0, {pod.uid: pod for pod in latest.pods}
    if not until:
        return end
    main, *others = end.pods
    told = (now[pod.uid] if pod.uid in now and _died(pod, now[pod.uid], until) else pod for pod in others)
    return msgspec.structs.replace(end, pods=(main, *told))


def _died(before: PodSeen, now: PodSeen, until: float) -> bool:
    if now.restarts > before.restarts:
        return bool(now.last_exit_code or now.last_out_of_memory) and now.last_ended_at <= until
    if now.phase is before.phase or now.ended_at > until:
        return False
    if now.phase is PodPhase.LOST:
        return now.code != reading.DELETED
    return now.phase is PodPhase.EXITED and bool(now.exit_code or now.signal)
