"""What is known of resources, whatever comes in between."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.operator import keeping, resources
from dayfly.operator.keeping import Kept
from tests.fakes.flyte_workflows import FakeFlyteWorkflows
from tests.unit.operator.making import EXECUTION

KEY = ("flytesnacks-development", "x1")


class World:
    def __init__(self) -> None:
        self.clock, self.cluster, self.woken = ManualClock(), FakeFlyteWorkflows(), 0
        self.kept = Kept(self.cluster, self.clock, self.wake)

    def wake(self) -> None:
        self.woken += 1

    async def until_listed(self) -> None:
        self.clock.advance(keeping.LIST_SECONDS)
        assert await self.kept.list_if_due()


@pytest.fixture
def world() -> World:
    return World()


async def test_all_are_listed_now_and_then(world: World) -> None:
    await world.cluster.ensure(EXECUTION)
    await world.until_listed()
    assert world.kept.keys() == (KEY,)
    assert world.kept.executions() == {EXECUTION}
    world.cluster.there.clear()
    assert not await world.kept.list_if_due()
    assert world.kept.keys() == (KEY,)
    await world.until_listed()
    assert world.kept.keys() == ()


async def test_what_is_told_during_a_list_is_newer_than_it(world: World) -> None:
    made = await world.cluster.ensure(EXECUTION)
    await world.until_listed()
    real = world.cluster.list_all

    async def slow() -> list[dict[str, Any]]:
        listed = await real()
        newer = await world.cluster.patch(made, {"status": {"phase": "RUNNING"}}, part="status")
        assert newer is not None
        world.kept.tell(False, newer)
        return listed

    world.cluster.list_all = slow  # type: ignore[method-assign]
    await world.until_listed()
    found = world.kept.find(KEY)
    assert found is not None
    assert found.status == {"phase": "RUNNING"}


async def test_what_went_during_a_list_does_not_come_back_with_it(world: World) -> None:
    made = await world.cluster.ensure(EXECUTION)
    await world.until_listed()
    real = world.cluster.list_all

    async def slow() -> list[dict[str, Any]]:
        listed = await real()
        world.kept.tell(True, made)
        return listed

    world.cluster.list_all = slow  # type: ignore[method-assign]
    await world.until_listed()
    assert world.kept.find(KEY) is None


async def test_what_is_known_already_wakes_nobody(world: World) -> None:
    made = await world.cluster.ensure(EXECUTION)
    await world.until_listed()
    world.kept.tell(False, made)
    assert world.woken == 0
    found = world.kept.find(KEY)
    assert found is not None
    changed = await world.kept.restate(found, {"phase": "RUNNING"})
    world.kept.tell(False, changed.manifest)
    assert world.woken == 0


async def test_that_an_older_one_of_the_name_has_gone_says_nothing_of_this(world: World) -> None:
    older = await world.cluster.ensure(EXECUTION)
    world.cluster.there.clear()
    newer = await world.cluster.ensure(EXECUTION)
    world.kept.tell(False, newer)
    world.kept.tell(True, older)
    assert world.kept.find(KEY) is not None


async def test_who_is_second_is_told_so_and_sees_what_the_first_did(world: World) -> None:
    made = await world.cluster.ensure(EXECUTION)
    await world.until_listed()
    stale = world.kept.find(KEY)
    assert stale is not None
    await world.cluster.patch(made, {"status": {"phase": "RUNNING"}}, part="status")
    with pytest.raises(errors.VersionClash):
        await world.kept.change(stale, resources.release(stale))
    found = world.kept.find(KEY)
    assert found is not None
    assert (found.held, found.status, world.woken) == (True, {"phase": "RUNNING"}, 1)


async def test_one_that_is_gone_is_forgotten_when_it_is_to_be_changed(world: World) -> None:
    await world.cluster.ensure(EXECUTION)
    await world.until_listed()
    found = world.kept.find(KEY)
    assert found is not None
    world.cluster.there.clear()
    assert await world.kept.change(found, resources.release(found)) is None
    assert world.kept.find(KEY) is None
