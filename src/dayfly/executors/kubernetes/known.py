"""What is known of one group of pods while a platform watches it. No I/O: facts in, reports out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import reading
from dayfly.ports.pod_groups import Manifest, PodGroupReport, PodPhase, PodSeen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dayfly.executors.kubernetes.settings import Patience
    from dayfly.model.identifiers import AttemptKey

ENDED = (PodPhase.EXITED, PodPhase.LOST)


class Handle(msgspec.Struct, frozen=True):
    """What a later platform needs to take a group back."""

    namespace: str
    main: str
    """The main pod's name."""
    objects: tuple[tuple[str, str], ...]
    """Kind and name of each."""


class Known:
    """One group: its pods as they were last told, and what of that has been reported."""

    def __init__(self, key: AttemptKey, handle: Handle) -> None:
        self.key, self.handle = key, handle
        self.pods: dict[str, Manifest] = {}
        self.gone: dict[str, PodSeen] = {}
        """Pods that are no more, with what is to be said of them."""
        self.waits_for = ""
        self.stopping = False
        self.ended = False
        """The end was reported: nothing after it counts."""
        self._since: dict[str, tuple[str, float]] = {}
        self._told: PodGroupReport | None = None

    def tell(self, pod: Manifest) -> None:
        """Take in how a pod is."""
        self.pods[pod["metadata"]["name"]] = pod

    def tell_gone(self, name: str, patience: Patience) -> None:
        """Take in that a pod is no more."""
        last = self.pods.pop(name, None)
        if last is not None and name not in self.gone:
            seen = reading.read(last, patience, 0.0)
            # One that had ended before it was deleted is not lost by that.
            self.gone[name] = seen if seen.phase in ENDED else reading.gone(seen, last)

    def waits(self) -> bool:
        """Say whether a pod waits for something, so that time alone may change what is to be said."""
        return any(reading.waits_for(pod) is not None or _leaving(pod) for pod in self.pods.values())

    def report(self, at: Micros, now: float, patience: Patience) -> PodGroupReport:
        """Return how the group is; `now` is a monotonic moment in seconds."""
        pods = tuple(sorted(self._seen(now, patience), key=lambda one: (one.name != self.handle.main, one.role)))
        ended = bool(pods) and pods[0].name == self.handle.main and pods[0].phase in ENDED
        stopped = self.stopping and not self.pods
        return PodGroupReport(self.key, at, pods, self.waits_for, ended or stopped, stopped)

    def news(self, report: PodGroupReport) -> bool:
        """Say whether a report tells anything that the one before did not, and remember it."""
        told, self._told = self._told, msgspec.structs.replace(report, at=Micros(0))
        return told != self._told

    def _seen(self, now: float, patience: Patience) -> Iterator[PodSeen]:
        yield from (seen for name, seen in self.gone.items() if name not in self.pods)
        for name, pod in self.pods.items():
            seen = reading.read(pod, patience, self._waited(name, pod, now))
            yield reading.unreachable(seen) if self._is_unreachable(name, pod, now, patience) else seen

    def _waited(self, name: str, pod: Manifest, now: float) -> float:
        """Return for how long the pod has waited for what it waits for."""
        waiting = reading.waits_for(pod)
        return 0.0 if waiting is None else self._lasting(name, waiting.code, now)

    def _is_unreachable(self, name: str, pod: Manifest, now: float, patience: Patience) -> bool:
        if not _leaving(pod):
            return False
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        return self._lasting(f"{name}/leaving", "", now) > grace + patience.node_lost > grace

    def _lasting(self, what: str, code: str, now: float) -> float:
        """Return for how long `what` has been so. Kinds of one trouble, which follow each other, are one."""
        code = "pulling" if code in reading.PULLING else code
        if what not in self._since or self._since[what][0] != code:
            self._since[what] = (code, now)
        return now - self._since[what][1]


def _leaving(pod: Manifest) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))
