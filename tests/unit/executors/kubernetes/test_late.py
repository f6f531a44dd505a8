"""What kubelets tell of a worker only after the driver's end, of which it was the cause."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import late
from dayfly.ports.pod_groups import PodGroupReport, PodPhase, PodSeen
from tests.unit.executors.kubernetes.making import KEY

AT = 1_700_000_000.0

WORKER = PodSeen("x-worker", "worker-0", "w", PodPhase.RUNNING)

OOM: dict[str, Any] = {"phase": PodPhase.LOST, "code": "OOMKilled", "exit_code": 137}


def end(worker: PodSeen, ended_at: float = AT) -> PodGroupReport:
    driver = PodSeen("x", "driver", "d", PodPhase.EXITED, exit_code=0, ended_at=ended_at)
    return PodGroupReport(KEY, Micros(7), (driver, worker), ended=True)


@pytest.mark.parametrize(
    "since",
    [
        {**OOM, "ended_at": AT},
        {"restarts": 1, "last_exit_code": -9, "last_out_of_memory": True, "last_ended_at": AT, "last_words": "no room"},
        {"phase": PodPhase.EXITED, "signal": 11, "ended_at": AT - 1},
        {"phase": PodPhase.EXITED, "exit_code": 3, "ended_at": AT},
        {"phase": PodPhase.LOST, "code": "Evicted"},
    ],
)
def test_a_death_that_was_before_the_drivers_end_is_added(since: dict[str, Any]) -> None:
    worker = msgspec.structs.replace(WORKER, **since)
    assert late.add(end(WORKER), end(worker)) == end(worker)


@pytest.mark.parametrize(
    "since",
    [
        {**OOM, "ended_at": AT + 1},
        {"restarts": 1, "last_exit_code": 1, "last_ended_at": AT + 1},
        {"restarts": 1, "last_exit_code": 0, "last_ended_at": AT},
        {"phase": PodPhase.EXITED, "exit_code": 0, "ended_at": AT},
        {"phase": PodPhase.LOST, "code": "ResourceDeletedExternally", "ended_at": AT},
        {"uid": "another", **OOM, "ended_at": AT},
        {"phase": PodPhase.LOST, "code": "DeletionByPodGC"},
        {"phase": PodPhase.LOST, "code": "ErrImagePull"},
        {},
    ],
)
def test_what_ends_with_the_driver_or_after_it_is_no_news(since: dict[str, Any]) -> None:
    worker = msgspec.structs.replace(WORKER, **since)
    assert late.add(end(WORKER), end(worker)) == end(WORKER)


def test_of_a_driver_that_has_not_ended_itself_nothing_is_after_it() -> None:
    worker = msgspec.structs.replace(WORKER, **OOM, ended_at=AT)
    assert late.add(end(WORKER, 0.0), end(worker)) == end(WORKER, 0.0)
    assert late.add(PodGroupReport(KEY, Micros(7)), end(worker)).pods == ()


RESTARTED: dict[str, Any] = {"restarts": 1, "last_exit_code": -11, "last_ended_at": AT}


@pytest.mark.parametrize(
    "since",
    [
        {
            "phase": PodPhase.LOST,
            "code": "ResourceDeletedExternally",
            "message": "somebody deleted it",
            "ended_at": AT + 2,
        },
        {"phase": PodPhase.EXITED, "exit_code": 0, "ended_at": AT + 2},
        {"phase": PodPhase.INITIALIZING, "reason": "CrashLoopBackOff"},
    ],
)
def test_what_becomes_of_a_container_that_was_started_again_is_none_of_its_death(since: dict[str, Any]) -> None:
    now = msgspec.structs.replace(WORKER, **RESTARTED, **since)
    assert late.add(end(WORKER), end(now)) == end(msgspec.structs.replace(WORKER, **RESTARTED))


def test_a_death_stays_told_when_the_next_end_is_told() -> None:
    first = late.add(end(WORKER), end(msgspec.structs.replace(WORKER, **RESTARTED)))
    again = {"restarts": 2, "last_exit_code": 0, "last_ended_at": AT + 1}
    assert late.add(first, end(msgspec.structs.replace(WORKER, **again))) == first


def test_an_end_that_was_told_is_no_other_where_the_container_was_started_again() -> None:
    before = msgspec.structs.replace(WORKER, phase=PodPhase.EXITED, signal=11, ended_at=AT)
    assert late.add(end(before), end(msgspec.structs.replace(WORKER, **RESTARTED))) == end(before)
