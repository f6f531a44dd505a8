"""What is known of one group of pods while a platform watches it. No I/O: facts in, reports out."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

import msgspec

from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import reading
from dayfly.ports import pod_groups
from dayfly.ports.pod_groups import Manifest, PodGroupReport, PodGroupSpec, PodPhase, PodSeen

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
    remade: bytes = b""
    """Manifests of those that are made anew when they are lost, by name: JSON, compressed, for they are much alike."""

    def manifest(self, name: str) -> Manifest | None:
        """Return how an object that is lost is made anew; None if it is not."""
        found: Manifest | None = json.loads(zlib.decompress(self.remade)).get(name) if self.remade else None
        return found


def handle_of(spec: PodGroupSpec, main: Manifest) -> Handle:
    """Return the handle of a group."""
    remade = {one["metadata"]["name"]: one for one in spec.objects if role_of(one) in spec.remade}
    return Handle(
        spec.namespace,
        main["metadata"]["name"],
        tuple((one["kind"], one["metadata"]["name"]) for one in spec.objects),
        zlib.compress(json.dumps(remade).encode()) if remade else b"",
    )


def role_of(manifest: Manifest) -> str:
    """Return what a pod is to its group."""
    return str((manifest["metadata"].get("labels") or {}).get(pod_groups.ROLE, ""))


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
        self.remaking: set[str] = set()
        """Ids of pods that were lost and are being made anew."""
        self._since: dict[str, tuple[str, float]] = {}
        self._told: PodGroupReport | None = None

    def tell(self, pod: Manifest) -> None:
        """Take in how a pod is."""
        name = pod["metadata"]["name"]
        self.pods[name] = pod
        last = self.gone.get(name)
        if last is not None and last.uid != pod["metadata"].get("uid"):
            del self.gone[name]  # It is another one.

    def tell_gone(self, name: str, patience: Patience) -> None:
        """Take in that a pod is no more."""
        last = self.pods.pop(name, None)
        if last is not None and name not in self.gone:
            seen = reading.read(last, patience, 0.0)
            # One that had ended before it was deleted is not lost by that.
            self.gone[name] = seen if seen.phase in ENDED else reading.gone(seen, last)

    def lost(self, report: PodGroupReport) -> Iterator[PodSeen]:
        """Yield the pods that are to be made anew now: lost, through no fault of the task, and not in the making."""
        for seen in report.pods:
            remade = seen.phase is PodPhase.LOST and not seen.users_fault and seen.uid not in self.remaking
            if remade and not self.stopping and not self.ended and self.handle.manifest(seen.name) is not None:
                self.remaking.add(seen.uid)
                yield seen

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
