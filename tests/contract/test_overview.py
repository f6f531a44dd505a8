"""What every `Overview` counts."""

from __future__ import annotations

import pytest

from dayfly.model.phases import ExecutionPhase
from dayfly.ports.overview import HourCount, PlaceCount, Scope
from dayfly.stores import database, overview
from tests.contract import stored
from tests.contract.stored import at, execution, launched, new_run

ALL, HERE, ELSEWHERE = Scope(), Scope("p", "d"), Scope("p", "staging")


@pytest.fixture
async def filled(opened: database.Database) -> database.Database:
    """`a` succeeded, `b` failed an hour later, `c` timed out, `d` runs, `e` is archived, `f` is fresh elsewhere."""
    runs = opened.runs
    for name, seconds in (("a", 0), ("b", 3600), ("c", 3700), ("d", 7200), ("e", 7300)):
        await runs.create(new_run(name, seconds=seconds), launched())
    await runs.create(new_run(seconds=7400, id=execution("f", domain="staging")), launched())
    for name, state in (
        ("a", stored.ended(stored.running(), ExecutionPhase.SUCCEEDED, 3)),
        ("b", stored.ended(stored.running(), ExecutionPhase.FAILED, 91, failure=stored.failure())),
        ("c", stored.ended(stored.running(), ExecutionPhase.TIMED_OUT, 91, failure=stored.failure())),
        ("d", stored.running()),
    ):
        run, unread = await runs.load(execution(name))
        await runs.commit(run, state, unread, [])
    await runs.set_archived(execution("e"), archived=True, principal="ann", at=at(7500))
    return opened


async def test_runs_under_way_are_counted_by_phase(filled: database.Database) -> None:
    assert await filled.overview.count_active(ALL) == {"RUNNING": 1, "UNDEFINED": 1}
    assert await filled.overview.count_active(Scope("p")) == {"RUNNING": 1, "UNDEFINED": 1}
    assert await filled.overview.count_active(HERE) == {"RUNNING": 1}
    assert await filled.overview.count_active(Scope("other")) == {}


async def test_runs_are_counted_by_the_hour_they_were_created_in(filled: database.Database) -> None:
    def hour(seconds: float) -> int:
        return at(seconds) - at(seconds) % overview.HOUR

    assert sorted(await filled.overview.count_hours(HERE, at(60)), key=lambda one: (one.hour, one.phase)) == [
        HourCount(hour(3600), "FAILED", 1),
        HourCount(hour(3700), "TIMED_OUT", 1),
        HourCount(hour(7200), "RUNNING", 1),
    ]
    assert sum(one.count for one in await filled.overview.count_hours(ALL, at(0))) == 5


async def test_runs_in_some_phases_are_listed_the_newest_first(filled: database.Database) -> None:
    failed = (ExecutionPhase.FAILED, ExecutionPhase.TIMED_OUT)
    found = await filled.overview.list_newest(ALL, failed, limit=10)
    assert [one.id.name for one in found] == ["c", "b"]
    assert b"it broke" in found[0].closure
    assert [one.id.name for one in await filled.overview.list_newest(HERE, failed, limit=1)] == ["c"]
    assert await filled.overview.list_newest(ELSEWHERE, failed, limit=1) == []
    every = await filled.overview.list_newest(ALL, tuple(ExecutionPhase), limit=10)
    assert [one.id.name for one in every] == ["f", "d", "c", "b", "a"]


async def test_signals_are_listed_that_runs_under_way_wait_for(filled: database.Database) -> None:
    for name in ("a", "d"):
        await filled.signals.get_or_create(execution(name), "review", b"type")
    found = await filled.overview.list_unset(ALL, limit=10)
    assert [(one.execution, one.id, one.type) for one in found] == [(execution("d"), "review", b"type")]
    assert await filled.overview.list_unset(ELSEWHERE, limit=10) == []
    await filled.signals.set(execution("d"), "review", b"value", stored.abort(5))
    assert await filled.overview.list_unset(HERE, limit=10) == []


async def test_runs_are_counted_by_place(filled: database.Database) -> None:
    assert await filled.overview.count_places() == [PlaceCount("p", "d", 4), PlaceCount("p", "staging", 1)]


async def test_what_nobody_has_dealt_with_is_counted(filled: database.Database) -> None:
    backlog = await filled.overview.read_backlog()
    assert backlog.kind in ("SQLite", "PostgreSQL")
    assert (backlog.unread_events, backlog.undone_commands) == (2, 0)
