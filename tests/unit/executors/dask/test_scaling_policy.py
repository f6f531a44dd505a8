"""When there are to be more workers, when fewer, and which."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.executors.dask.roles.scaling_policy import (
    COOL_LOOKS,
    DOWN_LOOKS,
    Decision,
    Group,
    Idle,
    Look,
    Past,
    decide,
)

GIB = 2**30
LONG_AGO = Past(cool=COOL_LOOKS)
NOTHING = Decision({})


def group(wanted: int, name: str = "default", *, minimum: int = 0, maximum: int = 8, **rest: Any) -> Group:
    return Group(name, minimum, maximum, wanted, **rest)


def idle(*numbers: int, of: str = "default") -> tuple[Idle, ...]:
    return tuple(Idle(f"{of}-{number}", of, GIB) for number in numbers)


def look(target: int, *groups: Group, **rest: Any) -> Look:
    running = sum(one.wanted - one.leaving for one in groups) + rest.get("others", 0)
    return Look(target, **{"running": running, "memory_bytes": running * GIB, "groups": groups} | rest)


def looks(number: int, seen: Look, past: Past = LONG_AGO) -> tuple[Past, Decision]:
    """Look so often, and see the same each time. Return what the last look decided; those before decided nothing."""
    decided = NOTHING
    for _ in range(number):
        assert decided == NOTHING
        past, decided = decide(past, seen)
    return past, decided


def test_more_are_asked_for_at_once_and_never_above_the_maximum():
    assert decide(Past(), look(5, group(2))) == (Past(), Decision({"default": 3}))
    assert decide(Past(), look(50, group(2)))[1] == Decision({"default": 6})
    assert decide(Past(), look(50, group(8)))[1] == NOTHING


def test_one_that_is_leaving_still_takes_its_place():
    assert decide(Past(), look(50, group(8, leaving=3)))[1] == NOTHING
    assert decide(Past(), look(5, group(4, leaving=2)))[1] == Decision({"default": 3})


def test_fewer_are_enough_only_after_many_looks():
    seen = look(1, group(4), idle=idle(3, 2, 1))
    past, decided = looks(DOWN_LOOKS, seen)
    assert decided == Decision({}, ("default-3", "default-2", "default-1"))
    assert past.asking == 0


def test_a_look_that_finds_all_wanted_begins_the_count_anew():
    seen = look(1, group(4), idle=idle(3, 2, 1))
    past, _ = looks(DOWN_LOOKS - 1, seen)
    past, decided = decide(past, look(4, group(4)))
    assert (past.asking, decided) == (0, NOTHING)
    assert looks(DOWN_LOOKS - 1, seen, past)[1] == NOTHING


def test_only_as_many_go_as_every_look_could_spare():
    past, _ = looks(DOWN_LOOKS - 2, look(1, group(8), idle=idle(7, 6, 5, 4, 3)))
    past, _ = decide(past, look(6, group(8), idle=idle(2, 7)))
    assert decide(past, look(1, group(8), idle=idle(5, 6, 7)))[1] == Decision({}, ("default-5", "default-6"))


def test_nobody_goes_soon_after_others_were_asked_for():
    past, decided = decide(LONG_AGO, look(4, group(2)))
    assert decided.more
    seen = look(1, group(4), idle=idle(3, 2, 1))
    assert looks(COOL_LOOKS - 1, seen, past)[1] == NOTHING
    assert looks(COOL_LOOKS, seen, past)[1].fewer


def test_nobody_goes_while_others_are_leaving():
    seen = look(1, group(5, leaving=1), idle=idle(3, 2, 1))
    assert looks(3 * DOWN_LOOKS, seen)[1] == NOTHING


def test_who_works_stays():
    assert looks(3 * DOWN_LOOKS, look(1, group(4), idle=()))[1] == NOTHING
    assert looks(DOWN_LOOKS, look(1, group(4), idle=idle(2)))[1] == Decision({}, ("default-2",))


@pytest.mark.parametrize(("held", "gone"), [(0, 3), (0.5, 3), (0.6, 2), (1, 2), (1.1, 1), (1.5, 1), (1.6, 0), (4, 0)])
def test_as_many_stay_as_the_data_needs(held: float, gone: int):
    """Of four workers of a GiB each."""
    seen = look(1, group(4), idle=idle(3, 2, 1), data_bytes=int(held * GIB))
    assert len(looks(DOWN_LOOKS, seen)[1].fewer if gone else looks(3 * DOWN_LOOKS, seen)[1].fewer) == gone


def test_data_without_a_worker_that_may_hold_it_is_kept_where_it_is():
    unlimited = (Idle("default-1", "default", 0),)
    seen = look(0, group(2), idle=unlimited, data_bytes=1, memory_bytes=0)
    assert looks(3 * DOWN_LOOKS, seen)[1] == NOTHING
    assert looks(DOWN_LOOKS, seen._replace(data_bytes=0))[1].fewer


def test_the_last_goes_only_where_nobody_is_there():
    seen = look(0, group(1), idle=idle(0))
    assert looks(DOWN_LOOKS, seen)[1] == Decision({}, ("default-0",))
    assert looks(3 * DOWN_LOOKS, seen._replace(least=1))[1] == NOTHING
    assert decide(Past(), look(0, group(0), least=1))[1] == Decision({"default": 1})


def test_who_is_still_starting_sends_nobody_away():
    """Four are wanted, two are there and idle: one of these may go, for one is to stay."""
    seen = look(1, group(4), running=2, idle=idle(0, 1))
    assert looks(DOWN_LOOKS, seen)[1] == Decision({}, ("default-0",))


def test_groups_keep_their_own_bounds():
    groups = group(3, "a", minimum=2, maximum=4), group(3, "b", maximum=3)
    candidates = (*idle(2, 1, 0, of="a"), *idle(2, 1, 0, of="b"))
    decided = looks(DOWN_LOOKS, look(0, *groups, idle=candidates))[1]
    assert decided.fewer == ("a-2", "b-2", "b-1", "b-0")
    assert decide(Past(), look(50, *groups))[1] == Decision({"a": 1})


def test_those_get_more_that_have_most_to_do():
    groups = group(2, "a", load=2.0), group(1, "b", load=9.0)
    assert decide(Past(), look(5, *groups))[1] == Decision({"b": 2})
    assert decide(Past(), look(5, *(one._replace(load=0.0) for one in groups)))[1] == Decision({"a": 2})


def test_workers_whose_number_is_fixed_count_as_there():
    assert decide(Past(), look(5, group(1), others=3))[1] == Decision({"default": 1})
    assert looks(DOWN_LOOKS, look(3, group(2), others=3, idle=idle(0, 1)))[1].fewer == ("default-0", "default-1")


def test_tasks_that_nobody_may_take_wait_perhaps_for_a_group_that_has_no_worker():
    seen = look(1, group(1, "a"), group(0, "b"), stuck=True)
    assert decide(Past(), seen)[1] == Decision({"b": 1})
    begun = look(1, group(1, "a"), group(1, "b"), stuck=True, idle=idle(0, of="b"))
    assert looks(3 * DOWN_LOOKS, begun)[1] == NOTHING


def test_groups_are_counted_in_workers_and_the_target_in_processes():
    def several(wanted: int, **rest: Any) -> Group:
        return group(wanted, "large", processes=4, **rest)

    def seen(target: int, *groups: Group, **rest: Any) -> Look:
        running = sum(one.processes * one.wanted for one in groups) + rest.get("others", 0)
        return Look(target, **{"running": running, "memory_bytes": running * GIB, "groups": groups} | rest)

    assert decide(Past(), seen(9, several(1)))[1] == Decision({"large": 2})
    assert decide(Past(), seen(8, several(2)))[1] == NOTHING
    assert decide(Past(), seen(99, several(1, maximum=3)))[1] == Decision({"large": 2})
    assert decide(Past(), seen(0, several(1, minimum=2)))[1] == Decision({"large": 1}), "bounds are of workers"
    assert decide(Past(), seen(10, several(1), others=3))[1] == Decision({"large": 1})
    # The one with more to do for each of its processes gets what is missing.
    busy = (group(1, "small", load=3.0), several(1, load=8.0))
    assert decide(Past(), seen(6, *busy))[1] == Decision({"small": 1})
    candidates = idle(1, 0, of="large")
    assert looks(DOWN_LOOKS, seen(4, several(2), idle=candidates))[1] == Decision({}, ("large-1",))
    assert looks(3 * DOWN_LOOKS, seen(5, several(2), idle=candidates))[1] == NOTHING
    assert looks(3 * DOWN_LOOKS, seen(0, several(1), least=1, idle=candidates))[1] == NOTHING
    # One that is too much to go does not keep a smaller one.
    mixed = (several(1), group(2, "small"))
    order = (*idle(0, of="large"), *idle(1, 0, of="small"))
    assert looks(DOWN_LOOKS, seen(4, *mixed, idle=order))[1] == Decision({}, ("small-1", "small-0"))
