"""Roles that come and go as they are wanted, as their supervisor handles them; the clock is ours."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from dayfly.executors.local.forked import processes, running, scaling


class Group:
    """A group with two scaled roles, of which one runs from the beginning, and another role."""

    def __init__(self, log_dir: Path) -> None:
        specs: list[dict[str, Any]] = [{"name": "scheduler"}, *({"name": name, "scaled": True} for name in "ab")]
        self.other, self.a, self.b = self.roles = [running.Running(spec, str(log_dir)) for spec in specs]
        self.facts: dict[str, Any] = {}
        self.scaling = scaling.Scaling({"wanted_roles": ["a"]}, self.roles, self.facts)

    def want(self, names: str, now: float) -> None:
        self.facts[scaling.WANTED_FACT] = list(names)
        self.scaling.heed(now)

    def fork(self, one: running.Running, pid: int) -> None:
        """As the supervisor does when it is time to restart."""
        assert one.restart_at
        one.pid, one.restart_at = pid, 0.0


@pytest.fixture
def group(tmp_path: Path) -> Group:
    return Group(tmp_path)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(processes, "send", lambda pid, signum, **_: told.append((pid, signum)))
    return told


def test_a_group_without_scaled_roles_has_no_such_facts(tmp_path: Path) -> None:
    facts: dict[str, Any] = {}
    plain = running.Running({"name": "a"}, str(tmp_path))
    assert not scaling.Scaling({}, [plain], facts).take_leave(plain, 1.0)
    assert (plain.begun, facts) == (True, {})


def test_those_wanted_from_the_beginning_have_begun(group: Group) -> None:
    assert [one.begun for one in group.roles] == [True, True, False]
    assert group.facts == {"wanted_roles": ["a"], "begun_roles": ["a"]}


def test_one_that_takes_too_long_to_end_is_killed(group: Group, sent: list[tuple[int, int]]) -> None:
    group.a.pid = 11
    group.want("", 100.0)
    group.want("", 101.0)
    assert sent == [(11, signal.SIGTERM)], "it is told once"
    (due,) = group.scaling.moments
    group.scaling.hurry(due - 0.1)
    assert len(sent) == 1
    group.scaling.hurry(due)
    assert sent[1:] == [(11, signal.SIGKILL)]
    assert min(group.scaling.moments) > due
    group.a.pid = 0
    assert group.scaling.take_leave(group.a, due + 1)
    assert not list(group.scaling.moments)


def test_one_that_is_wanted_again_while_it_ends_begins_anew(group: Group, sent: list[tuple[int, int]]) -> None:
    group.a.pid = 11
    group.want("", 100.0)
    group.want("a", 101.0)
    assert not group.a.restart_at, "there is one, which is ending"
    group.a.pid = 0
    assert group.scaling.take_leave(group.a, 102.0)
    assert (group.a.restart_at, group.a.restarts, group.a.failures) == (102.0, 1, 0)
    group.fork(group.a, 12)
    assert not group.scaling.take_leave(group.a, 103.0), "nobody has told this one to end"


def test_one_that_waits_to_be_made_anew_is_not_when_nobody_wants_it(group: Group, sent: list[tuple[int, int]]) -> None:
    group.a.restart_at = 105.0
    group.want("b", 100.0)
    assert (group.a.restart_at, group.b.restart_at, sent) == (0.0, 100.0, [])
    assert group.facts["begun_roles"] == ["a", "b"]
    group.want("ab", 101.0)
    assert (group.a.restart_at, group.b.restart_at) == (101.0, 100.0)
    assert (group.a.restarts, group.b.restarts) == (1, 0)


def test_coming_and_going_does_not_delay_being_made_anew(group: Group, sent: list[tuple[int, int]]) -> None:
    for number in range(5):
        group.want("b", float(number))
        group.want("ab", float(number))
        group.fork(group.a, 10 + number) if group.a.restart_at else None
    assert running.pause_seconds(group.a) == 0.0
