"""From a pod as Kubernetes tells it to what is seen of it. Pure, with a table test.

Rules: flyteplugins/go/tasks/pluginmachinery/flytek8s/pod_helper.go (`DemystifyPending`, `DemystifyFailure`) in
flyteorg/flyte; where these leave a pod stuck or its cause untold, ours say so.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from dayfly.executors.kubernetes import manifests, names
from dayfly.executors.kubernetes.settings import Patience
from dayfly.model import quantities
from dayfly.ports.pod_groups import PodPhase, PodSeen

OOM = "OOMKilled"

PULLING = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"})

CREATING = frozenset({"CreateContainerError", "RunContainerError", "CrashLoopBackOff"})

HOPELESS = frozenset({"InvalidImageName", "ErrImageNeverPull"})

UNDER_WAY = frozenset({"", "ContainerCreating", "PodInitializing"})

MORE_MEMORY = "Ask for more: Resources(mem=...) in the task's limits."

BY_OTHERS = {
    "Evicted": "the node evicted it",
    "Preempting": "it made room for a pod of higher priority",
    "Preempted": "it made room for a pod of higher priority",
    "Shutdown": "its node shut down",
    "NodeShutdown": "its node shut down",
    "Terminated": "its node shut down",
    "NodeLost": "its node does not answer",
    "NodeAffinity": "its node no longer fits what it asks for",
    "UnexpectedAdmissionError": "its node did not admit it",
    "OutOfcpu": "its node had no CPU left for it",
    "OutOfmemory": "its node had no memory left for it",
    "OutOfpods": "its node had no place left for it",
    "DeletionByPodGC": "its node is gone",
    "DeletionByTaintManager": "its node does not answer, or is drained",
    "EvictionByEvictionAPI": "somebody drains its node",
    "PreemptionByScheduler": "it made room for a pod of higher priority",
    "TerminationByKubelet": "its node shut down, or ran out of something",
}
"""Why a pod ended by a hand that is none of ours: `status.reason`, or the reason of the condition DisruptionTarget."""

DELETED = "ResourceDeletedExternally"
"""Code of a pod that somebody deleted: Flyte's own."""


class Waiting(NamedTuple):
    """Why a pod has not begun."""

    code: str
    message: str
    on_node: bool


def read(pod: Mapping[str, Any], patience: Patience, waited_seconds: float) -> PodSeen:
    """Return what is seen of a pod; `waited_seconds` is how long it has waited for what `waits_for` says."""
    status = pod.get("status") or {}
    primary = _primary(pod)
    seen = PodSeen(
        pod["metadata"]["name"],
        names.role_of(pod),
        pod["metadata"].get("uid", ""),
        PodPhase.QUEUED,
        node=pod["spec"].get("nodeName") or "",
        address=status.get("podIP") or "",
        restarts=int(primary.get("restartCount") or 0),
        memory_limit_bytes=_memory_limit(pod),
    )
    seen = _with_last_end(seen, (primary.get("lastState") or {}).get("terminated"))
    phase = status.get("phase") or "Pending"
    ended = (primary.get("state") or {}).get("terminated")
    if ended:
        moment = ended.get("finishedAt")
        seen = msgspec.structs.replace(
            seen, last_words=ended.get("message") or "", ended_at=seconds(moment) if moment else 0.0
        )
    if phase == "Failed" or ended:
        return _ended(seen, pod, status, ended)
    if phase == "Succeeded":
        return msgspec.structs.replace(seen, phase=PodPhase.EXITED, exit_code=0)
    waiting = waits_for(pod)
    if waiting is not None:
        return _waiting(seen, waiting, patience, waited_seconds)
    return msgspec.structs.replace(seen, phase=PodPhase.RUNNING)


def waits_for(pod: Mapping[str, Any]) -> Waiting | None:
    """Say what a pod waits for that has not begun; None for one that has."""
    status = pod.get("status") or {}
    if (status.get("phase") or "Pending") not in ("Pending", "Running"):
        return None
    scheduled = _condition(pod, "PodScheduled")
    if not pod["spec"].get("nodeName"):
        return Waiting(scheduled.get("reason") or "", scheduled.get("message") or "waits for a node", False)
    for container in (*_statuses(pod, "initContainerStatuses"), *_statuses(pod, "containerStatuses")):
        waiting = (container.get("state") or {}).get("waiting")
        if waiting is not None and (waiting.get("reason") or "") not in UNDER_WAY:
            last = ((container.get("lastState") or {}).get("terminated") or {}).get("message") or ""
            told = waiting.get("message") or last
            return Waiting(waiting["reason"], f"container {container['name']}: {told}".rstrip(": "), True)
    primary = _primary(pod)
    if status.get("phase") == "Running" and (primary.get("state") or {}).get("running"):
        return None
    reason = ((primary.get("state") or {}).get("waiting") or {}).get("reason") or "ContainerCreating"
    return Waiting(reason, "", True)


def gone(seen: PodSeen, pod: Mapping[str, Any]) -> PodSeen:
    """Return what is to be said of a pod that is no more, of which `pod` was the last word."""
    why = _disruption(pod)
    code, told = (why, BY_OTHERS.get(why, "")) if why else (DELETED, "somebody deleted it")
    message = f"Pod {seen.name} is gone: {told or why}."
    return msgspec.structs.replace(seen, phase=PodPhase.LOST, code=code, message=message, recoverable=True)


def missed(name: str, uid: str, role: str) -> PodSeen:
    """Return what is to be said of a pod that is no more, of which nobody has seen the end."""
    message = f"Pod {name} is gone: somebody deleted it while no platform ran."
    return PodSeen(name, role, uid, PodPhase.LOST, code=DELETED, message=message)


def unreachable(seen: PodSeen) -> PodSeen:
    """Return what is to be said of a pod that was deleted and does not go, since its node does not answer."""
    message = f"Pod {seen.name} was deleted and does not end: node {seen.node} does not answer."
    return msgspec.structs.replace(seen, phase=PodPhase.LOST, code="NodeLost", message=message)


def _with_last_end(seen: PodSeen, last: Mapping[str, Any] | None) -> PodSeen:
    """Note how the container ended that the kubelet started again."""
    if last is None:
        return seen
    code, signum = _code_and_signal(last)
    moment = last.get("finishedAt")
    return msgspec.structs.replace(
        seen,
        last_exit_code=-signum if signum else code,
        last_ended_at=seconds(moment) if moment else 0.0,
        last_out_of_memory=last.get("reason") == OOM,
        last_words=last.get("message") or "",
    )


def _was_told_to_end(pod: Mapping[str, Any], ended: Mapping[str, Any] | None) -> bool:
    """Say whether a container ended because its pod was deleted: whatever it says then, it was not done."""
    until, metadata = (ended or {}).get("finishedAt"), pod["metadata"]
    if not metadata.get("deletionTimestamp") or not until:
        return False
    asked = seconds(metadata["deletionTimestamp"]) - float(metadata.get("deletionGracePeriodSeconds") or 0)
    return seconds(until) >= asked


def seconds(moment: str) -> float:
    """Return a moment as Kubernetes writes it in seconds since the epoch; it knows whole seconds alone."""
    return datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def _code_and_signal(ended: Mapping[str, Any]) -> tuple[int, int]:
    """Return how a container ended: its exit code, and the signal if it was one."""
    code = int(ended.get("exitCode") or 0)
    # A shell's way to tell signals, which container runtimes have taken over.
    return code, int(ended.get("signal") or 0) or (code - 128 if 128 < code < 192 else 0)


def _memory_limit(pod: Mapping[str, Any]) -> int:
    name = manifests.primary_of(pod)
    found: Mapping[str, Any] = next((one for one in pod["spec"]["containers"] if one["name"] == name), {})
    limit = ((found.get("resources") or {}).get("limits") or {}).get("memory")
    return quantities.size_bytes(str(limit)) if limit else 0


def _waiting(seen: PodSeen, waiting: Waiting, patience: Patience, waited: float) -> PodSeen:
    code, told = waiting.code, waiting.message
    reason = f"{code}: {told}" if code and told else code or told
    seen = msgspec.structs.replace(
        seen, phase=PodPhase.INITIALIZING if waiting.on_node else PodPhase.QUEUED, reason=reason
    )
    if not waiting.on_node:
        remedy = "Ask for less, or give the cluster a node that fits."
        return _given_up(seen, patience.unschedulable, waited, code or "Unschedulable", remedy, users_fault=False)
    if code in PULLING:
        remedy = "Look whether the image exists and whether the cluster may pull it."
        return _given_up(seen, patience.image_pull, waited, code, remedy)
    if code in HOPELESS:
        return _lost(seen, code, f"{reason}. Correct the image's name.", recoverable=False)
    if code == "CreateContainerConfigError":
        remedy = "Look whether the Secrets and ConfigMaps that it names exist."
        return _given_up(seen, patience.config_error, waited, code, remedy, recoverable=False)
    if code in CREATING:
        remedy = "Look whether the command exists in the image."
        return _given_up(seen, patience.create_container, waited, code, remedy, recoverable=False)
    return _given_up(seen, patience.pending, waited, "PodPendingTimeout", "", users_fault=False)


def _given_up(
    seen: PodSeen,
    limit: float,
    waited: float,
    code: str,
    remedy: str,
    *,
    users_fault: bool = True,
    recoverable: bool = True,
) -> PodSeen:
    if not limit or waited < limit:
        return seen
    told = f"{seen.reason or 'it did not begin'}. So for {waited:.0f} s. {remedy}".rstrip()
    return _lost(seen, code, told, users_fault=users_fault, recoverable=recoverable)


def _lost(seen: PodSeen, code: str, message: str, *, users_fault: bool = True, recoverable: bool = True) -> PodSeen:
    return msgspec.structs.replace(
        seen,
        phase=PodPhase.LOST,
        code=code,
        message=f"Pod {seen.name}: {message}",
        users_fault=users_fault,
        recoverable=recoverable,
    )


def _ended(
    seen: PodSeen, pod: Mapping[str, Any], status: Mapping[str, Any], ended: Mapping[str, Any] | None
) -> PodSeen:
    """Judge a pod whose primary container has ended, or that failed as a whole."""
    code = None if ended is None else int(ended.get("exitCode") or 0)
    seen = msgspec.structs.replace(seen, exit_code=code)
    for container in _statuses(pod, "containerStatuses"):
        over = (container.get("state") or {}).get("terminated") or {}
        if over.get("reason") == OOM and (code != 0 or container["name"] == manifests.primary_of(pod)):
            return _lost(seen, OOM, f"{_tell_memory(pod, container['name'])} {MORE_MEMORY}")
    if _was_told_to_end(pod, ended):
        return gone(seen, pod)
    why = status.get("reason") or _disruption(pod)
    if why and code != 0:
        told = status.get("message") or BY_OTHERS.get(why) or why
        return _lost(seen, why, f"{why}: {told}", users_fault=why == "DeadlineExceeded")
    if code is None:
        return _lost(seen, "PodFailed", status.get("message") or "it failed", users_fault=False)
    by = _code_and_signal(ended or {})[1]
    return msgspec.structs.replace(seen, phase=PodPhase.EXITED, exit_code=None if by else code, signal=by or None)


def _tell_memory(pod: Mapping[str, Any], container: str) -> str:
    found = next(one for one in pod["spec"]["containers"] if one["name"] == container)
    limit = ((found.get("resources") or {}).get("limits") or {}).get("memory")
    if not limit:
        return f"container {container} was killed because its node ran out of memory."
    limit = f"{int(limit) >> 20} MiB" if limit.isdecimal() else limit
    return f"container {container} went over its memory limit of {limit}."


def _disruption(pod: Mapping[str, Any]) -> str:
    condition = _condition(pod, "DisruptionTarget")
    return str(condition.get("reason") or "") if condition.get("status") == "True" else ""


def _condition(pod: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one.get("type") == kind), {})


def _statuses(pod: Mapping[str, Any], field: str) -> Iterator[Mapping[str, Any]]:
    yield from (pod.get("status") or {}).get(field) or []


def _primary(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    name = manifests.primary_of(pod)
    return next((one for one in _statuses(pod, "containerStatuses") if one["name"] == name), {})
