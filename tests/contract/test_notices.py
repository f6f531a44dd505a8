"""What every `Notices` does, and how many executions a launch plan's policy lets begin."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.model.phases import ExecutionPhase
from dayfly.ports.notices import NewNotice
from dayfly.stores import database
from tests.contract import stored
from tests.contract.databases import Place
from tests.contract.stored import at


@pytest.fixture
async def opened(place: Place) -> AsyncIterator[database.Database]:
    store = await place.open(ManualClock(at(0)))
    yield store
    await store.close()


async def run_to_its_end(store: database.Database, name: str, seconds: float, **changes: object) -> None:
    await store.runs.create(stored.new_run(name, **changes), stored.launched())
    run, unread = await store.runs.load(stored.execution(name))
    ended = stored.ended(stored.running(), ExecutionPhase.FAILED, seconds)
    await store.runs.commit(run, ended, unread, [])


def notice(name: str = "one", target: str = "ann@example.org") -> NewNotice:
    return NewNotice(stored.execution(name), "email", target, "it failed", "badly")


async def names(store: database.Database) -> list[str]:
    return [one.id.name for one in await store.notices.list_ended(10)]


async def test_what_has_ended_is_seen_until_it_is_taken_up(opened: database.Database) -> None:
    assert await names(opened) == []
    await opened.notices.begin(at(0))
    await run_to_its_end(opened, "one", 10)
    await run_to_its_end(opened, "two", 20)
    await opened.runs.create(stored.new_run("three"), stored.launched())
    assert await names(opened) == ["one", "two"]
    (first, _) = await opened.notices.list_ended(10)
    assert (first.phase, first.updated_at, first.spec) == ("FAILED", at(10), b"spec of one")
    await opened.notices.take_up(at(15), [], now=at(30))
    assert await names(opened) == ["two"]
    await opened.notices.take_up(at(5), [], now=at(30))
    assert await names(opened) == ["two"]


async def test_what_ended_before_the_first_look_is_nobodys_business(opened: database.Database) -> None:
    await run_to_its_end(opened, "old", 10)
    await opened.notices.begin(at(20))
    await opened.notices.begin(at(0))
    await run_to_its_end(opened, "new", 30)
    assert await names(opened) == ["new"]


async def test_a_notice_is_there_once_and_waits_until_it_is_settled(opened: database.Database) -> None:
    await opened.notices.begin(at(0))
    await run_to_its_end(opened, "one", 10)
    for _ in range(2):
        await opened.notices.take_up(at(0), [notice(), notice(target="bob@example.org")], now=at(30))
    due = await opened.notices.list_due(at(30), 10)
    assert [(one.kind, one.target, one.subject, one.body, one.tries) for one in due] == [
        ("email", "ann@example.org", "it failed", "badly", 0),
        ("email", "bob@example.org", "it failed", "badly", 0),
    ]
    assert await opened.notices.list_due(at(29), 10) == []
    await opened.notices.settle(due[0].number, error="", due_at=None)
    await opened.notices.settle(due[1].number, error="no answer", due_at=at(60))
    assert await opened.notices.list_due(at(59), 10) == []
    (again,) = await opened.notices.list_due(at(60), 10)
    assert (again.target, again.tries) == ("bob@example.org", 1)
    # Taken up once more: what was delivered stays so.
    await opened.notices.take_up(at(0), [notice()], now=at(61))
    assert len(await opened.notices.list_due(at(99), 10)) == 1


async def test_a_policy_lets_so_many_begin_and_more_once_one_has_ended(opened: database.Database) -> None:
    await opened.runs.create(stored.new_run("one", at_once=2), stored.launched())
    await opened.runs.create(stored.new_run("two", at_once=2), stored.launched())
    with pytest.raises(errors.AlreadyExists, match=r"2 execution\(s\) under way"):
        await opened.runs.create(stored.new_run("three", at_once=2), stored.launched())
    assert await opened.runs.find_execution(stored.execution("three")) is None
    await opened.runs.create(stored.new_run("without"), stored.launched())
    for name in ("one", "without"):
        run, unread = await opened.runs.load(stored.execution(name))
        await opened.runs.commit(run, stored.ended(run.state, ExecutionPhase.ABORTED), unread, [])
    await opened.runs.create(stored.new_run("three", at_once=2), stored.launched())
