"""What is known of one group of pods while a platform watches it. No I/O: facts in, reports out."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

import msgspec

from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import awaiting, names, reading
from dayfly.ports.pod_groups import (
    GROUP,
    TOLD_APART_BY,
    Maker,
    Manifest,
    PodGroupReport,
    PodGroupSpec,
    PodPhase,
    PodSeen,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    teller: str = ""
    """Role of the pod that ends before the others do."""
    maker: Maker | None = None
    """Who makes the pods, where they are not among the objects."""
    followers: bytes = b""
    """Manifests of what is made once the main pod is there, likewise."""
    waiting: bytes = b""
    """Manifests of all objects, likewise but in their order, where some could not be made when the group was started:
    who made them later cannot tell a later platform so."""
    waited_for: str = ""
    """What kept them from being made, in Kubernetes' own words."""
    teller_seconds: float = 5.0
    """What the teller may take to end."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of all that belongs to the group, in the order in which it is to be deleted."""
        made = self.maker.kinds if self.maker else ()
        return tuple(dict.fromkeys((*(kind for kind, _ in self.objects), *made)))

    def is_of(self, key: AttemptKey, pod: Manifest) -> bool:
        """Say whether a pod is one of this group, which is that of an attempt.

        An annotation anybody can write who may make a pod somewhere: only where the group's own are made does it count.
        """
        metadata = pod["metadata"]
        group = (metadata.get("labels") or {}).get(GROUP)
        attempt = (metadata.get("annotations") or {}).get(names.ATTEMPT)
        return (metadata["namespace"], group, attempt) == (self.namespace, names.group(key), key)

    def manifest(self, name: str) -> Manifest | None:
        """Return how an object that is lost is made anew; None if it is not."""
        return _unpacked(self.remade).get(name)

    def list_remade(self) -> dict[str, str]:
        """Return the roles of the pods that are made anew when they are lost, by their names."""
        return {name: names.role_of(one) for name, one in _unpacked(self.remade).items()}

    def list_waiting(self) -> list[Manifest]:
        """Return all objects, where some could not be made when the group was started."""
        read: list[Manifest] = json.loads(zlib.decompress(self.waiting)) if self.waiting else []
        return read

    def list_followers(self) -> list[Manifest]:
        """Return what is to be made once the main pod is there."""
        return list(_unpacked(self.followers).values())


def handle_of(spec: PodGroupSpec) -> Handle:
    """Return the handle of a group."""
    return Handle(
        spec.namespace,
        spec.maker.main if spec.maker else spec.objects[0]["metadata"]["name"],
        tuple((one["kind"], one["metadata"]["name"]) for one in spec.objects),
        _packed([one for one in spec.objects if names.role_of(one) in spec.remade]),
        spec.teller,
        spec.maker,
        _packed(spec.followers),
        teller_seconds=spec.teller_seconds,
    )


def waiting_handle_of(spec: PodGroupSpec, waits_for: str) -> Handle:
    """Return the handle of a group of which not all could be made yet."""
    objects = [one for one in spec.objects if names.role_of(one) not in spec.later]
    packed = zlib.compress(json.dumps(objects).encode())
    return msgspec.structs.replace(handle_of(spec), waiting=packed, waited_for=waits_for)


def not_made(key: AttemptKey, handle: Handle, at: Micros) -> PodGroupReport:
    """Return the report of a group that waited to be made when its platform ended, and of which nothing is there."""
    message = f"Its pod was not made before the platform ended, or is gone since; it had to wait: {handle.waited_for}"
    pod = PodSeen(handle.main, names.MAIN, "", PodPhase.LOST, code="NotMadeYet", message=message)
    return PodGroupReport(key, at, (pod,), ended=True)


class Known:
    """One group: its pods as they were last told, and what of that has been reported."""

    def __init__(self, key: AttemptKey, handle: Handle) -> None:
        self.key, self.handle = key, handle
        self.pods: dict[str, Manifest] = {}
        self.gone: dict[str, PodSeen] = {}
        """Pods that are no more, with what is to be said of them."""
        self.waits_for = ""
        self.unmade = False
        """Its first object is yet to be made: nobody has deleted it, nor can anybody take it up."""
        self.facts = awaiting.Facts()
        """Of a group whose pods another makes: what is known of that."""
        self.cleared = False
        """Nothing of what another makes is left."""
        self.given_up: set[str] = set()
        """Ids of pods that whoever made them has deleted, and does not make anew: nobody has lost them."""
        self.followed = False
        """What follows the main pod is made, or being made."""
        self.stopping = False
        self.ended = False
        """The end was reported: nothing after it counts."""
        self.end: PodGroupReport | None = None
        """What is told of the end once all has been heard that is waited for."""
        self.wanted: frozenset[str] | None = None
        """Roles of those pods, among them that are made anew, that are to be there; None is all that there are."""
        self.remaking: set[str] = set()
        """Ids of pods that were lost and are being made anew."""
        self._remade = handle.list_remade()
        self._since: dict[str, tuple[str, float]] = {}
        self._told: PodGroupReport | None = None

    def tell(self, pod: Manifest) -> None:
        """Take in how a pod is."""
        name, uid, role = pod["metadata"]["name"], pod["metadata"].get("uid"), names.role_of(pod)
        if uid in self.given_up:
            return
        self.pods[name] = pod
        told = {one.uid for one in self._told.pods} if self._told else set()
        for other, last in tuple(self.gone.items()):
            # It is another one, of the same name or, where somebody else names them, of the same role.
            if last.uid != uid and (other == name or (last.role == role and last.uid in told)):
                del self.gone[other]

    def tell_given_up(self, pod: Manifest) -> None:
        """Take in that a pod is to go, and no other to come for it."""
        self.given_up.add(pod["metadata"]["uid"])
        self.pods.pop(pod["metadata"]["name"], None)

    def may_be_given_up(self, pod: Manifest) -> bool:
        """Say whether a pod goes of which it is to be asked whether another comes: one of those that another makes from
        one template."""
        told_apart = TOLD_APART_BY in (pod["metadata"].get("annotations") or {})
        return self.handle.maker is not None and told_apart and _leaving(pod) and not (self.stopping or self.ended)

    def tell_gone(self, name: str, patience: Patience) -> None:
        """Take in that a pod is no more."""
        last = self.pods.pop(name, None)
        if last is not None and name not in self.gone and self.wants(names.role_of(last)):
            seen = reading.read(last, patience, 0.0)
            # One that had ended before it was deleted is not lost by that.
            self.gone[name] = seen if seen.phase in ENDED else reading.gone(seen, last)

    def tell_missed(self, name: str, uid: str, role: str) -> None:
        """Take in that a pod went while no platform was there to see it."""
        self.gone[name] = reading.missed(name, uid, role)

    def is_missed(self, pod: Manifest) -> bool:
        """Say whether the loss of a pod is one also where another takes its role: nobody asked for that one."""
        metadata = pod["metadata"]
        several = TOLD_APART_BY in (metadata.get("annotations") or {})
        return not several and metadata["name"] != self.handle.main and metadata["name"] not in self._remade

    def list_tellers(self) -> list[str]:
        """Return the names of the pods that end before the others do."""
        teller = self.handle.teller
        return [name for name, pod in self.pods.items() if teller and names.role_of(pod) == teller]

    def wants(self, role: str) -> bool:
        """Say whether a pod of this role is to be there."""
        return self.wanted is None or role in self.wanted or role not in self._remade.values()

    def amiss(self) -> Iterator[str]:
        """Yield the names of pods that are to be there and are not, or that are there and are not to be."""
        for name, role in self._remade.items() if self.wanted is not None else ():
            there = name in self.pods and not (self.wants(role) and _leaving(self.pods[name]))
            if there != self.wants(role):
                yield name

    def lost(self, report: PodGroupReport) -> Iterator[PodSeen]:
        """Yield the pods that are to be made anew now: lost, through no fault of the task, and not in the making."""
        for seen in report.pods:
            remade = seen.phase is PodPhase.LOST and not seen.users_fault and seen.uid not in self.remaking
            if remade and not self.stopping and not self.ended and self.handle.manifest(seen.name) is not None:
                self.remaking.add(seen.uid)
                yield seen

    def waits(self) -> bool:
        """Say whether a pod waits for something, so that time alone may change what is to be said."""
        return self.lacks() or any(reading.waits_for(pod) is not None or _leaving(pod) for pod in self.pods.values())

    def lives(self) -> bool:
        """Say whether the group is to be whole: nobody ends it, nor has its main pod begun to go."""
        main = self.pods.get(self.handle.main)
        return not (self.stopping or self.ended or (main is not None and _leaving(main)))

    def awaits_main(self) -> bool:
        """Say whether the main pod is still to be made, by another."""
        main = self.handle.main
        return self.handle.maker is not None and main not in self.pods and main not in self.gone

    def lacks(self) -> bool:
        """Say whether there are fewer pods than another is to make."""
        maker = self.handle.maker
        return maker is not None and sum(not _leaving(pod) for pod in self.pods.values()) < maker.pods

    def report(self, at: Micros, now: float, patience: Patience) -> PodGroupReport:
        """Return how the group is; `now` is a monotonic moment in seconds."""
        pods = tuple(sorted(self._seen(now, patience), key=lambda one: (one.name != self.handle.main, one.role)))
        ended = bool(pods) and pods[0].name == self.handle.main and pods[0].phase in ENDED
        stopped = self.stopping and not self.pods and (self.handle.maker is None or self.cleared)
        waits_for = self.waits_for or (self.facts.trouble if self.lacks() else "")
        return PodGroupReport(self.key, at, pods, waits_for, ended or stopped, stopped)

    def news(self, report: PodGroupReport) -> bool:
        """Say whether a report tells anything that the one before did not, and remember it."""
        told, self._told = self._told, msgspec.structs.replace(report, at=Micros(0))
        return told != self._told

    def _seen(self, now: float, patience: Patience) -> Iterator[PodSeen]:
        if self.awaits_main():
            waited = 0.0 if self.unmade else self._lasting("main", str(self.facts.taken_up), now)
            yield awaiting.seen(self.handle, self.facts, waited, patience)
        yield from (seen for name, seen in self.gone.items() if name not in self.pods)
        for name, pod in self.pods.items():
            if not self.wants(names.role_of(pod)):
                continue  # Its end is no loss.
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


def _packed(manifests: Iterable[Manifest]) -> bytes:
    by_name = {one["metadata"]["name"]: one for one in manifests}
    return zlib.compress(json.dumps(by_name).encode()) if by_name else b""


def _unpacked(packed: bytes) -> dict[str, Manifest]:
    read: dict[str, Manifest] = json.loads(zlib.decompress(packed)) if packed else {}
    return read
