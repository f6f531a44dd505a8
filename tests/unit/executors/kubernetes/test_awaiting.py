"""What is said of a main pod that somebody else is to make."""

from __future__ import annotations

import pytest

from dayfly.executors.kubernetes import awaiting
from dayfly.executors.kubernetes.awaiting import Facts
from dayfly.executors.kubernetes.known import Handle
from dayfly.executors.kubernetes.settings import Patience
from dayfly.ports.pod_groups import PodPhase
from tests.unit.executors.kubernetes.test_known import MAKER

HANDLE = Handle("ns", "x-runner", (("Job", "x"),), maker=MAKER)

PATIENCE = Patience(operator=60.0, pending=1800.0)


@pytest.mark.parametrize(
    ("facts", "waited", "phase", "code", "told"),
    [
        (Facts(), 59.9, PodPhase.QUEUED, "", "Job x waits for the operator to take it up"),
        (
            Facts(),
            60.0,
            PodPhase.LOST,
            "OperatorAbsent",
            "The operator has not taken up Job ns/x for 60 s. Start it.",
        ),
        (Facts(taken_up=True), 1799.0, PodPhase.QUEUED, "", "the operator is to make it"),
        (
            Facts(taken_up=True, trouble="exceeded quota"),
            1800.0,
            PodPhase.LOST,
            "PodPendingTimeout",
            "The operator has not made pod x-runner for 1800 s. exceeded quota",
        ),
        (
            Facts(taken_up=True, made=True),
            0.0,
            PodPhase.LOST,
            "ResourceDeletedExternally",
            "Pod x-runner is gone: somebody deleted it.",
        ),
        (Facts(gone=True), 0.0, PodPhase.LOST, "ResourceDeletedExternally", "Job x is gone: somebody deleted it."),
    ],
)
def test_it_is_waited_for_and_given_up(facts: Facts, waited: float, phase: PodPhase, code: str, told: str) -> None:
    seen = awaiting.seen(HANDLE, facts, waited, PATIENCE)
    assert (seen.name, seen.role, seen.phase, seen.code) == ("x-runner", "driver", phase, code)
    assert (seen.message or seen.reason) == told
    assert not seen.users_fault


def test_who_waits_for_ever_does() -> None:
    for facts in (Facts(), Facts(taken_up=True)):
        assert awaiting.seen(HANDLE, facts, 1e9, Patience(operator=0.0, pending=0.0)).phase is PodPhase.QUEUED
