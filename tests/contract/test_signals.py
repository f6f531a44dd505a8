"""What every `Signals` does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.ports.definitions import Filter, Page
from dayfly.stores import database
from tests.contract.databases import Place
from tests.contract.stored import abort, at, execution, launched, new_run

ONE, OTHER = execution("one"), execution("other")
IN_ORDER = Page(limit=10, sort_key="")


@pytest.fixture
async def opened(place: Place) -> AsyncIterator[database.Database]:
    store = await place.open(ManualClock(at(3)))
    for name in ("one", "other"):
        await store.runs.create(new_run(name), launched())
    yield store
    await store.close()


async def test_a_signal_is_made_once(opened: database.Database) -> None:
    made = await opened.signals.get_or_create(ONE, "review", b"type")
    assert (made.execution, made.id, made.type, made.created_at, made.value) == (ONE, "review", b"type", at(3), None)
    assert await opened.signals.get_or_create(ONE, "review", b"another type") == made
    assert await opened.signals.find(ONE, "review") == made


async def test_signals_belong_to_their_execution(opened: database.Database) -> None:
    await opened.signals.get_or_create(ONE, "review", b"type")
    assert await opened.signals.find(OTHER, "review") is None
    assert await opened.signals.list(OTHER, IN_ORDER) == []


async def test_no_signal_without_an_execution(opened: database.Database) -> None:
    with pytest.raises(errors.NotFound):
        await opened.signals.get_or_create(execution("unknown"), "review", b"type")
    assert await opened.signals.find(execution("unknown"), "review") is None
    assert await opened.signals.list(execution("unknown"), IN_ORDER) == []


async def test_the_value_comes_with_its_event(opened: database.Database) -> None:
    await opened.signals.get_or_create(ONE, "review", b"type")
    await opened.signals.set(ONE, "review", b"value", abort(5))
    found = await opened.signals.find(ONE, "review")
    assert found is not None
    assert found.value == b"value"
    assert [item.event for item in await opened.runs.list_events(ONE)] == [launched(), abort(5)]
    await opened.signals.set(ONE, "review", b"", abort(6))
    found = await opened.signals.get_or_create(ONE, "review", b"type")
    assert found.value == b""


async def test_setting_wakes_the_driver(opened: database.Database) -> None:
    await opened.signals.get_or_create(ONE, "review", b"type")
    await opened.runs.wait_until_woken(0)  # what creating has left
    await opened.signals.set(ONE, "review", b"value", abort(5))
    await opened.runs.wait_until_woken(60)


async def test_what_nobody_waits_for_cannot_be_set(opened: database.Database) -> None:
    await opened.signals.get_or_create(OTHER, "review", b"type")
    for unknown in (ONE, execution("unknown")):
        with pytest.raises(errors.NotFound):
            await opened.signals.set(unknown, "review", b"value", abort(5))
    assert [item.event for item in await opened.runs.list_events(ONE)] == [launched()]


async def test_lists_are_in_order_and_paged(opened: database.Database) -> None:
    for name in ("c", "a", "b"):
        await opened.signals.get_or_create(ONE, name, b"type")
    assert [one.id for one in await opened.signals.list(ONE, IN_ORDER)] == ["c", "a", "b"]
    second = Page(limit=2, offset=2, sort_key="")
    assert [one.id for one in await opened.signals.list(ONE, second)] == ["b"]
    sorted_down = Page(limit=10, sort_key="signal_id", descending=True)
    assert [one.id for one in await opened.signals.list(ONE, sorted_down)] == ["c", "b", "a"]


@pytest.mark.parametrize("field", ["signal_id", "signal.signal_id"])
async def test_lists_are_filtered(opened: database.Database, field: str) -> None:
    for name in ("c", "a", "b"):
        await opened.signals.get_or_create(ONE, name, b"type")
    page = Page(limit=10, filters=(Filter(field, "value_in", ("a", "c")),), sort_key="created_at")
    assert sorted(one.id for one in await opened.signals.list(ONE, page)) == ["a", "c"]
    with pytest.raises(errors.InvalidArgument, match="no_such"):
        await opened.signals.list(ONE, Page(limit=1, filters=(Filter("no_such", "eq", ("a",)),)))
