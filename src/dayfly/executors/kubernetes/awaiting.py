"""What is to be said of a main pod that somebody else is to make, and has not yet. Pure, with a table test."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dayfly.executors.kubernetes import names, reading
from dayfly.ports.pod_groups import PodPhase, PodSeen

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.known import Handle
    from dayfly.executors.kubernetes.settings import Patience


class Facts(NamedTuple):
    """What was last seen of a group's first object, and of what is made for it."""

    taken_up: bool = False
    """Whoever makes the pods has seen it."""
    made: bool = False
    """The main pod was made, and is no more."""
    gone: bool = False
    """The object itself is no more."""
    trouble: str = ""
    """What keeps pods from being made, in Kubernetes' own words."""


def seen(handle: Handle, facts: Facts, waited_seconds: float, patience: Patience) -> PodSeen:
    """Return the main pod as it is told before it is there; it has not changed for `waited_seconds`."""
    maker, (kind, name) = handle.maker, handle.objects[0]
    assert maker is not None
    if facts.made or facts.gone:
        what = f"Pod {handle.main}" if facts.made else f"{kind} {name}"
        return _lost(handle, reading.DELETED, f"{what} is gone: somebody deleted it.")
    if not facts.taken_up and patience.operator and waited_seconds >= patience.operator:
        told = f"{maker.name} has not taken up {kind} {handle.namespace}/{name} for {waited_seconds:.0f} s."
        return _lost(handle, maker.absent, f"{told} {maker.remedy}")
    if facts.taken_up and patience.pending and waited_seconds >= patience.pending:
        told = f"{maker.name} has not made pod {handle.main} for {waited_seconds:.0f} s."
        return _lost(handle, "PodPendingTimeout", f"{told} {facts.trouble}".rstrip())
    reason = f"{maker.name} is to make it" if facts.taken_up else f"{kind} {name} waits for {maker.name} to take it up"
    return PodSeen(handle.main, names.MAIN, "", PodPhase.QUEUED, reason=reason)


def _lost(handle: Handle, code: str, message: str) -> PodSeen:
    return PodSeen(handle.main, names.MAIN, "", PodPhase.LOST, code=code, message=message[:1].upper() + message[1:])
