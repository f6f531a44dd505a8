"""Tests for what is told of a host's room."""

from __future__ import annotations

import pytest

from dayfly.executors.local import looking
from dayfly.executors.local.admission import Admission, Capacity, Wish

GIBI = 1024**3


@pytest.fixture
def host() -> Admission:
    return Admission(Capacity(4.0, 8 * GIBI), default_cpu=1.0)


def test_an_empty_host_is_told(host: Admission) -> None:
    assert looking.tell(host.room()) == "No task has any of 4 CPUs and 8.0 GiB of memory."


def test_who_has_waits_and_stands_by_is_told(host: Admission) -> None:
    assert host.stand(Wish("standby/1", 1.0, GIBI))
    host.offer(Wish("p/d/a/n0/0", 2.5, 2 * GIBI))
    assert host.admit()
    assert looking.tell(host.room()) == (
        "1 task has 2.5 of 4 CPUs and 2.0 GiB of 8.0 GiB of memory; 1 cluster stands by for the next task like its "
        "last, with 1.0 GiB that any other task may have."
    )
    for number in range(3):
        host.offer(Wish(f"p/d/a/n{number + 1}/0", 1.5, GIBI))
    host.admit()
    host.give_way()
    assert looking.tell(host.room()) == "2 tasks have 4 of 4 CPUs and 3.0 GiB of 8.0 GiB of memory, 2 wait for room."


def test_a_host_that_is_given_away_more_than_once_says_so() -> None:
    twice = Admission(Capacity(2.0, GIBI, overcommit=2.0), default_cpu=1.0)
    assert " of 4 CPUs" in looking.tell(twice.room())
