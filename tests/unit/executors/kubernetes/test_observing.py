"""From a lone pod to what the controller sees of its attempt."""

from __future__ import annotations

import pytest

from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import observing
from dayfly.model.phases import FailureKind
from dayfly.model.run import LogLink
from dayfly.ports.executors import Observation, ObservationKind
from dayfly.ports.pod_groups import PodGroupReport, PodPhase, PodSeen
from tests.unit.executors.kubernetes.making import KEY

LOGS = (LogLink("driver", "http://log"),)


def observe(phase: PodPhase | None = None, *, report: dict[str, object] | None = None, **fields: object) -> Observation:
    pods = () if phase is None else (PodSeen("x", "driver", "u", phase, **fields),)  # type: ignore[arg-type]
    return observing.observe(PodGroupReport(KEY, Micros(1), pods, **(report or {})), LOGS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "kind", "reason"),
    [
        (observe(), ObservationKind.QUEUED, ""),
        (observe(report={"waits_for": "a quota"}), ObservationKind.QUEUED, "a quota"),
        (observe(PodPhase.QUEUED, reason="no node"), ObservationKind.QUEUED, "pod x: no node"),
        (
            observe(PodPhase.INITIALIZING, node="n", reason="pulls"),
            ObservationKind.INITIALIZING,
            "pod x on node n: pulls",
        ),
        (observe(PodPhase.RUNNING, node="n"), ObservationKind.RUNNING, "pod x on node n"),
        (observe(report={"stopped": True}), ObservationKind.STOPPED, "stopped"),
    ],
)
def test_what_is_under_way(seen: Observation, kind: ObservationKind, reason: str) -> None:
    assert (seen.kind, seen.reason) == (kind, reason)
    assert seen.logs == (LOGS if kind in (ObservationKind.RUNNING, ObservationKind.STOPPED) else ())


def test_an_exit_is_for_the_files_to_explain() -> None:
    seen = observe(PodPhase.EXITED, report={"log_tail": "the end"}, signal=9)
    assert (seen.kind, seen.exit_code, seen.signal) == (ObservationKind.EXITED, None, 9)
    assert (seen.failure_kind, seen.log_tail, seen.logs) == (FailureKind.UNKNOWN, "the end", LOGS)


@pytest.mark.parametrize(("users", "kind"), [(True, FailureKind.USER), (False, FailureKind.SYSTEM)])
def test_a_lost_pod_is_somebodys_fault(users: bool, kind: FailureKind) -> None:
    seen = observe(PodPhase.LOST, code="Evicted", message="evicted", users_fault=users, recoverable=False)
    assert (seen.kind, seen.failure_kind, seen.code) == (ObservationKind.FAILED, kind, "Evicted")
    assert (seen.message, seen.recoverable) == ("evicted", False)
