"""What each state of a pod means: Flyte's table, and what it leaves untold."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.executors.kubernetes import reading
from dayfly.executors.kubernetes.settings import Patience
from dayfly.ports.pod_groups import PodPhase, PodSeen
from tests.unit.executors.kubernetes.making import RUNNING, ended, pod, waiting

UNSCHEDULABLE = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes fit."}]


def read(told: dict[str, Any], waited: float = 0.0) -> PodSeen:
    return reading.read(told, Patience(), waited)


@pytest.mark.parametrize(
    ("told", "phase", "words"),
    [
        (pod("Pending", node="", conditions=UNSCHEDULABLE), PodPhase.QUEUED, "Unschedulable: 0/3 nodes fit."),
        (pod("Pending", node=""), PodPhase.QUEUED, "waits for a node"),
        (pod("Pending"), PodPhase.INITIALIZING, "ContainerCreating"),
        (pod("Pending", waiting("PodInitializing")), PodPhase.INITIALIZING, "PodInitializing"),
        (pod("Pending", waiting("ErrImagePull", "no such image")), PodPhase.INITIALIZING, "main: no such image"),
        (
            pod("Pending", waiting("ImagePullBackOff", "b")),
            PodPhase.INITIALIZING,
            "ImagePullBackOff: container main: b",
        ),
        (pod("Pending", waiting("CreateContainerError", "c")), PodPhase.INITIALIZING, "CreateContainerError"),
        (pod("Pending", RUNNING, waiting("ErrImagePull", "x")), PodPhase.INITIALIZING, "container side: x"),
        (pod("Running", RUNNING), PodPhase.RUNNING, ""),
        (pod("Running", RUNNING, ended(1)), PodPhase.RUNNING, ""),
    ],
)
def test_what_is_under_way(told: dict[str, Any], phase: PodPhase, words: str) -> None:
    seen = read(told)
    assert seen.phase is phase
    assert words in seen.reason


@pytest.mark.parametrize(
    ("told", "waited", "code", "users", "recoverable", "words"),
    [
        (pod("Pending", waiting("ImagePullBackOff", "gone")), 180, "ImagePullBackOff", True, True, "may pull it"),
        (pod("Pending", waiting("InvalidImageName", "A B")), 0, "InvalidImageName", True, False, "Correct the image"),
        (pod("Pending", waiting("ErrImageNeverPull")), 0, "ErrImageNeverPull", True, False, "image"),
        (pod("Pending", waiting("CreateContainerError")), 180, "CreateContainerError", True, False, "command"),
        (
            pod("Pending", waiting("CreateContainerConfigError", 'secret "s" not found')),
            10,
            "CreateContainerConfigError",
            True,
            False,
            'secret "s" not found',
        ),
        (pod("Running", waiting("CrashLoopBackOff", "back-off")), 180, "CrashLoopBackOff", True, False, "back-off"),
        (pod("Pending", node="", conditions=UNSCHEDULABLE), 3600, "Unschedulable", False, True, "Ask for less"),
        (pod("Pending"), 1800, "PodPendingTimeout", False, True, "1800 s"),
        (pod("Failed", ended(137, "OOMKilled")), 0, "OOMKilled", True, True, "memory limit of 512 MiB"),
        (pod("Failed", ended(0, "Completed"), ended(137, "OOMKilled")), 0, "", False, True, ""),
        (pod("Failed", ended(1), ended(137, "OOMKilled")), 0, "OOMKilled", True, True, "container side"),
        (pod("Succeeded", ended(0, "OOMKilled")), 0, "OOMKilled", True, True, "more"),
        (
            pod("Failed", reason="Evicted", message="The node was low on memory"),
            0,
            "Evicted",
            False,
            True,
            "low on memory",
        ),
        (pod("Failed", ended(137), reason="Shutdown"), 0, "Shutdown", False, True, "its node shut down"),
        (pod("Failed", reason="DeadlineExceeded", message="too long"), 0, "DeadlineExceeded", True, True, "too long"),
        (pod("Failed"), 0, "PodFailed", False, True, "it failed"),
        (
            pod(
                "Failed",
                ended(143),
                conditions=[{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}],
            ),
            0,
            "EvictionByEvictionAPI",
            False,
            True,
            "somebody drains its node",
        ),
    ],
)
def test_what_is_lost(
    told: dict[str, Any], waited: float, code: str, users: bool, recoverable: bool, words: str
) -> None:
    seen = read(told, waited)
    if not code:
        assert (seen.phase, seen.exit_code) == (PodPhase.EXITED, 0), "only the primary container counts"
        return
    assert (seen.phase, seen.code) == (PodPhase.LOST, code)
    assert (seen.users_fault, seen.recoverable) == (users, recoverable)
    assert words in seen.message
    assert seen.message.startswith("Pod x1-n0-0: ")


def test_nothing_is_given_up_before_its_time() -> None:
    for reason in ("ImagePullBackOff", "CreateContainerError", "CrashLoopBackOff"):
        assert read(pod("Pending", waiting(reason)), 179.9).phase is PodPhase.INITIALIZING
    assert reading.read(pod("Pending", waiting("ErrImagePull")), Patience(image_pull=0), 1e6).phase is (
        PodPhase.INITIALIZING
    )


@pytest.mark.parametrize(
    ("told", "exit_code", "signum"),
    [
        (pod("Succeeded", ended(0, "Completed")), 0, None),
        (pod("Running", ended(0, "Completed"), RUNNING), 0, None),
        (pod("Running", ended(3), RUNNING), 3, None),
        (pod("Failed", ended(1)), 1, None),
        (pod("Failed", ended(137)), None, 9),
        (pod("Failed", ended(139)), None, 11),
        (pod("Failed", ended(143, signal=15)), None, 15),
        (pod("Failed", ended(247)), 247, None),
    ],
)
def test_the_primary_containers_end_is_the_pods(
    told: dict[str, Any], exit_code: int | None, signum: int | None
) -> None:
    seen = read(told)
    assert (seen.phase, seen.exit_code, seen.signal) == (PodPhase.EXITED, exit_code, signum)


def test_why_a_pod_is_gone() -> None:
    told = pod("Running", RUNNING)
    seen = reading.gone(read(told), told)
    assert (seen.phase, seen.code, seen.users_fault) == (PodPhase.LOST, "ResourceDeletedExternally", False)
    assert seen.message == "Pod x1-n0-0 is gone: somebody deleted it."
    drained = pod(
        "Running", RUNNING, conditions=[{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}]
    )
    assert reading.gone(read(drained), drained).message == "Pod x1-n0-0 is gone: its node is gone."
    assert "node-1 does not answer" in reading.unreachable(seen).message


@pytest.mark.parametrize(
    ("finished", "phase"), [("08:00:09", PodPhase.EXITED), ("08:00:10", PodPhase.LOST), ("08:00:12", PodPhase.LOST)]
)
def test_who_ends_because_he_is_deleted_was_not_done(finished: str, phase: PodPhase) -> None:
    told = pod("Running", ended(0, "Completed", finishedAt=f"2026-01-01T{finished}Z"))
    told["metadata"] |= {"deletionTimestamp": "2026-01-01T08:00:40Z", "deletionGracePeriodSeconds": 30}
    seen = read(told)
    assert seen.phase is phase
    assert seen.code == ("" if phase is PodPhase.EXITED else "ResourceDeletedExternally")


def test_what_a_container_has_left_as_the_message_of_its_end() -> None:
    assert read(pod("Succeeded", ended(0, "Completed", message="done"))).last_words == "done"
    again = pod("Running", RUNNING)
    assert read(again).last_words == ""
    again["status"]["containerStatuses"][0] |= {"restartCount": 1, "lastState": ended(0, message="before")}
    assert read(again).last_words == "before"
