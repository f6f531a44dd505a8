"""The whole controller under one seeded clock and scheduler: crashes anywhere, outages, stalls, two platforms at once.

Each seed is one world. `DAYFLY_SIMULATION_SEEDS=10000` lives through more of them; `DAYFLY_SIMULATION_SEED=69` through
one. Bugs planted in the engine, the store, performing, observing and leasing must each be noticed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
import structlog

from dayfly.base.clock import ManualClock
from dayfly.controller import attempts, leasing, observing
from dayfly.engine import readying
from dayfly.model.commands import StartAttempt
from dayfly.stores import database, run_driving, runs, schema
from tests.faults.simulation.loop import SimulatedLoop
from tests.faults.simulation.simulation import Simulation

SEEDS = int(os.environ.get("DAYFLY_SIMULATION_SEEDS", "200"))
ONLY = os.environ.get("DAYFLY_SIMULATION_SEED")
PARTS = 4
"""Tests that the seeds are dealt to, so that they run side by side."""

MOST_SEEDS = 100
"""Worlds within which a planted bug must be noticed."""


@pytest.fixture(scope="module")
def store() -> Iterator[database.Database]:
    """One database for all worlds, emptied for each: making one takes longer than living through one."""
    clock = ManualClock()
    loop = SimulatedLoop(clock)
    opened = loop.run_until_complete(database.open("sqlite://", clock=clock))
    before = structlog.get_config()
    # What a platform tells of outages and crashes is as it should be, and nobody reads it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield opened
    structlog.configure(**before)
    loop.run_until_complete(opened.close())
    loop.close()


def live_through(seed: int, store: database.Database, *, rough: bool = False) -> Simulation:
    """Live through one world; whatever is wrong with it raises."""
    clock = ManualClock()
    loop = SimulatedLoop(clock)
    try:
        loop.run_until_complete(store._connections.write(_empty))
        world = Simulation(seed, store, clock, rough=rough)
        loop.run_until_complete(world.live())
    except Exception as error:
        raise AssertionError(f"{error!r}. Live through it again: DAYFLY_SIMULATION_SEED={seed}") from error
    finally:
        loop.end()
    return world


@pytest.mark.parametrize("part", range(PARTS))
def test_every_world_keeps_every_invariant_and_ends(store: database.Database, part: int) -> None:
    for seed in [int(ONLY)] if ONLY else range(part, SEEDS, PARTS):
        live_through(seed, store)


def test_a_seed_is_the_same_world_each_time(store: database.Database) -> None:
    logs = []
    for _ in range(2):
        world = live_through(7, store)
        logs.append(
            (world.clock.now(), world.crashes, {name: watch.state for name, watch in world.oracle.watches.items()})
        )
    assert logs[0] == logs[1]


def _empty(connection: sa.Connection) -> None:
    for table in reversed(schema.metadata.sorted_tables):
        connection.execute(table.delete())


# -- planted bugs -----------------------------------------------------------------------------------------------------
class Bug(NamedTuple):
    """What is put in the place of what."""

    home: Any
    name: str
    broken: Callable[..., Any]


def _save_any_version() -> Any:
    columns = schema.runs.c
    return (
        schema.runs.update()
        .where(columns.execution_id == sa.bindparam("number"), sa.bindparam("was", type_=sa.Integer) >= 0)
        .values(state=sa.bindparam("state"), version=sa.bindparam("version"))
    )


async def say_before_it_is_done(self: Any, run: Any, command: StartAttempt) -> None:
    await self._runs.mark_done(run.id, command)
    await _START(self, run, command)


async def take_nothing_back(self: Any, kept: Any) -> int:
    return 0


async def look_for_events_only(self: Any, owner: str, *, lease_seconds: float, limit: int) -> Any:
    """Leave out executions of which a platform that died had commands left to do."""
    leased = await _LEASE(self, owner, lease_seconds=lease_seconds, limit=limit)
    return [execution for execution in leased if (await self.load(execution))[1]]


async def drive_and_stay(self: Any, execution: Any) -> None:
    """Let whoever was driven once never be driven again."""
    await _DRIVE(self, execution)
    self._driving[execution] = None


_START, _LEASE, _DRIVE = (
    attempts.Attempts.start,
    runs.SqlRuns.lease_unread,
    leasing.Controller._drive,
)

BUGS = {
    "engine: parallelism is not limited": Bug(readying, "room", lambda draft: 2**31),
    "store: a commit is taken whatever it was made from": Bug(run_driving, "_SAVE", _save_any_version()),
    "performing: a start is said to be done before it is": Bug(attempts.Attempts, "start", say_before_it_is_done),
    "observing: what an earlier platform started is not looked at": Bug(
        observing.Observer, "recover", take_nothing_back
    ),
    "leasing: commands alone wake nobody": Bug(runs.SqlRuns, "lease_unread", look_for_events_only),
    "leasing: who was driven is never driven again": Bug(leasing.Controller, "_drive", drive_and_stay),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, store: database.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = BUGS[name]
    monkeypatch.setattr(bug.home, bug.name, bug.broken)
    with pytest.raises(AssertionError):
        for seed in range(MOST_SEEDS):
            live_through(seed, store, rough=True)
