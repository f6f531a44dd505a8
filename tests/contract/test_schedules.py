"""What every `Schedules` does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
from flyteidl.core import identifier_pb2

from dayfly.base.clock import ManualClock
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition
from dayfly.stores import database
from tests.contract.databases import Place
from tests.contract.stored import WORKFLOW, at

PLAN = EntityId(int(identifier_pb2.LAUNCH_PLAN), "p", "d", "nightly", "v1")
NEWER = msgspec.structs.replace(PLAN, version="v2")


@pytest.fixture
async def opened(place: Place) -> AsyncIterator[database.Database]:
    store = await place.open(ManualClock(at(0)))
    for plan in (PLAN, NEWER):
        await store.definitions.create(
            Definition(plan, "digest", plan.version.encode(), at(0), at(0), workflow=WORKFLOW)
        )
    yield store
    await store.close()


async def seen(opened: database.Database) -> list[tuple[EntityId, bytes, int]]:
    return [(plan.id, plan.document, plan.fired_at) for plan in await opened.schedules.list_active()]


async def test_a_schedule_counts_from_its_activation(opened: database.Database) -> None:
    assert await seen(opened) == []
    await opened.definitions.set_launch_plan_state(PLAN, 1, at(5), scheduled=True)
    assert await seen(opened) == [(PLAN, b"v1", at(5))]
    await opened.definitions.set_launch_plan_state(PLAN, 1, at(9), scheduled=True)
    assert await seen(opened) == [(PLAN, b"v1", at(5))]


async def test_plans_without_a_schedule_are_none(opened: database.Database) -> None:
    await opened.definitions.set_launch_plan_state(PLAN, 1, at(5))
    assert await seen(opened) == []


async def test_the_version_that_is_active_is_the_only_one(opened: database.Database) -> None:
    await opened.definitions.set_launch_plan_state(PLAN, 1, at(5), scheduled=True)
    await opened.definitions.set_launch_plan_state(NEWER, 1, at(7), scheduled=True)
    assert await seen(opened) == [(NEWER, b"v2", at(7))]
    await opened.definitions.set_launch_plan_state(NEWER, 0, at(8))
    assert await seen(opened) == []


async def test_what_was_fired_is_noted_and_never_goes_back(opened: database.Database) -> None:
    await opened.definitions.set_launch_plan_state(PLAN, 1, at(5), scheduled=True)
    for moment in (10, 8):
        await opened.schedules.mark_fired(PLAN, at(moment))
        assert await seen(opened) == [(PLAN, b"v1", at(10))]
    await opened.schedules.mark_fired(NEWER, at(20))
    assert await seen(opened) == [(PLAN, b"v1", at(10))]
