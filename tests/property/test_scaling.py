"""Workers that follow the work keep to their bounds, keep the data, and do not come and go for ever."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from dayfly.executors.dask.roles import scaling_policy
from dayfly.executors.dask.roles.scaling_policy import COOL_LOOKS, DATA_SHARE, DOWN_LOOKS, Group, Idle, Look, Past

NAMES = ("a", "b", "c")


class Moment(NamedTuple):
    """What a cluster happens to be like at a look; which workers there are, the decisions before have led to."""

    target: int
    missing: int
    """Workers that are wanted and not there yet."""
    busy: int
    """Those that compute."""
    data: float
    """Of the workers' memory."""
    least: int
    stuck: bool
    loads: tuple[float, ...]
    done: bool
    """Those that are leaving have given their data away."""


MOMENTS = st.builds(
    Moment,
    target=st.integers(0, 40),
    missing=st.integers(0, 5),
    busy=st.integers(0, 30),
    data=st.one_of(st.just(0.0), st.floats(0, 1.2)),
    least=st.integers(0, 1),
    stuck=st.booleans(),
    loads=st.tuples(*[st.floats(0, 1e6)] * len(NAMES)),
    done=st.booleans(),
)

BOUNDS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 8)).map(lambda two: (two[0], max(1, sum(two)))),
    min_size=1,
    max_size=len(NAMES),
)


class World:
    """A cluster of adaptive groups, as the decisions make it. Workers have a memory of 100 each."""

    def __init__(self, bounds: list[tuple[int, int]], others: int) -> None:
        self.bounds = dict(zip(NAMES, bounds, strict=False))
        self.wanted = {
            name: {f"{name}-{place}" for place in range(max(1, least))} for name, (least, _) in self.bounds.items()
        }
        self.leaving: set[str] = set()
        self.others = others
        self.past = Past()

    def look(self, moment: Moment) -> tuple[Look, scaling_policy.Decision]:
        if moment.done:
            for name in self.wanted:
                self.wanted[name] -= self.leaving
            self.leaving.clear()
        staying = sorted(set().union(*self.wanted.values()) - self.leaving)
        there = staying[moment.missing :]
        memory = 100 * (len(there) + self.others)
        seen = Look(
            moment.target,
            len(there) + self.others,
            tuple(
                Group(name, *self.bounds[name], len(roles), len(roles & self.leaving), moment.loads[NAMES.index(name)])
                for name, roles in self.wanted.items()
            ),
            self.others,
            moment.least,
            moment.stuck,
            int(moment.data * memory),
            memory,
            tuple(Idle(role, role.partition("-")[0], 100) for role in there[moment.busy :]),
        )
        self.past, decided = scaling_policy.decide(self.past, seen)
        for name, number in decided.more.items():
            free = (role for place in range(100) if (role := f"{name}-{place}") not in self.wanted[name])
            self.wanted[name].update(next(free) for _ in range(number))
        self.leaving.update(decided.fewer)
        return seen, decided


@given(bounds=BOUNDS, others=st.integers(0, 3), moments=st.lists(MOMENTS, max_size=12))
def test_bounds_are_kept(bounds: list[tuple[int, int]], others: int, moments: list[Moment]) -> None:
    world = World(bounds, others)
    for moment in moments:
        for _ in range(COOL_LOOKS):
            world.look(moment)
            for name, (minimum, maximum) in world.bounds.items():
                assert len(world.wanted[name]) <= maximum
                assert len(world.wanted[name] - world.leaving) >= minimum


@given(bounds=BOUNDS, others=st.integers(0, 3), moments=st.lists(MOMENTS, max_size=12))
def test_who_stays_has_room_for_the_data_of_all(
    bounds: list[tuple[int, int]], others: int, moments: list[Moment]
) -> None:
    world = World(bounds, others)
    for moment in moments:
        for _ in range(COOL_LOOKS):
            seen, decided = world.look(moment)
            assert set(decided.fewer) <= {one.name for one in seen.idle}, "only those go that compute nothing"
            if decided.fewer:
                left = seen.running - len(decided.fewer)
                assert seen.data_bytes <= DATA_SHARE * 100 * left
                assert left >= max(seen.target, seen.least)


@settings(max_examples=300)
@given(bounds=BOUNDS, moments=st.lists(MOMENTS, min_size=2 * COOL_LOOKS, max_size=80))
def test_nobody_comes_and_goes_all_the_time(bounds: list[tuple[int, int]], moments: list[Moment]) -> None:
    world = World(bounds, others=0)
    since_more = since_enough = 0
    for moment in moments:
        seen, decided = world.look(moment)
        assert not (decided.more and decided.fewer)
        since_more, since_enough = since_more + 1, since_enough + 1
        if seen.target >= seen.running:
            since_enough = 0
        if decided.fewer:
            assert since_more >= COOL_LOOKS
            assert since_enough >= DOWN_LOOKS
            since_enough = 0
        if decided.more:
            since_more = 0


@given(bounds=BOUNDS, others=st.integers(0, 3), target=st.integers(0, 40), moments=st.lists(MOMENTS, max_size=5))
def test_what_is_asked_for_all_the_time_comes_to_be(
    bounds: list[tuple[int, int]], others: int, target: int, moments: list[Moment]
) -> None:
    """More at the next look, fewer when those that left and those that came have been seen out and in."""
    world = World(bounds, others)
    for moment in moments:
        world.look(moment)
    steady = Moment(target, 0, 0, 0.0, 0, False, (0.0,) * len(NAMES), done=True)
    for _ in range(2 * (COOL_LOOKS + DOWN_LOOKS) + 1):
        world.look(steady)
    lowest = sum(minimum for minimum, _ in world.bounds.values())
    highest = sum(maximum for _, maximum in world.bounds.values())
    assert sum(map(len, world.wanted.values())) == min(max(target - others, lowest), highest)
