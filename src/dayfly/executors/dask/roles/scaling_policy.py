"""How many workers there are to be: from what a scheduler shows, which groups get more, or which workers go. Pure.

Called by `scaling`, look after look; what is remembered from one to the next is passed along. More workers are asked
for at once, as many as Dask finds right. Fewer only when many looks in a row have found fewer enough, and never both at
once (dask/distributed#1604). Times are counted in looks. Workers come and go whole: one of several processes is several
workers to Dask, as which a look's own figures count them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

DOWN_LOOKS = 10
"""Looks in a row that must find fewer workers enough before one goes. Programs pause for seconds between their steps,
and whoever scales down meanwhile has no workers for the next (dask/dask-jobqueue#701); an idle worker costs little."""

COOL_LOOKS = 15
"""Looks after more workers were asked for, or one could not go, before any goes: first they must all have joined, or
those that work are sent away for those that start (dask/dask-kubernetes#659)."""

DATA_SHARE = 0.5
"""Of the memory of the workers that stay, for the data of all. Fewer would have no room for the data of those that go
(dask/dask-kubernetes#633). Dask asks for more workers above 0.6 (`Scheduler.adaptive_target`) and spills there
(distributed.worker.memory.target): with as much here, more and fewer would follow each other for ever."""


class Group(NamedTuple):
    """A group of workers whose number follows the work."""

    name: str
    minimum: int
    maximum: int
    wanted: int
    """Workers that there are, or are about to be."""
    leaving: int = 0
    """Those of them that are giving their data away, to go."""
    load: float = 0.0
    """Seconds of work that they have been given."""
    processes: int = 1
    """Of each worker: so many workers it is to Dask."""


class Idle(NamedTuple):
    """A worker of which no process computes anything."""

    name: str
    group: str
    memory_bytes: int
    """Its limit, of all processes."""


class Look(NamedTuple):
    """What a scheduler shows."""

    target: int
    """Workers that Dask finds right, over all groups."""
    running: int
    """Workers that take tasks and data, of all groups."""
    groups: tuple[Group, ...]
    others: int = 0
    """Those of groups whose number is fixed."""
    least: int = 0
    """Workers that there are to be over all groups, whatever Dask finds."""
    stuck: bool = False
    """There are tasks that none of the workers may take."""
    data_bytes: int = 0
    """What all workers hold."""
    memory_bytes: int = 0
    """The limits of those running."""
    idle: tuple[Idle, ...] = ()
    """In the order in which they may go."""


class Past(NamedTuple):
    """What is remembered from look to look; a new one is that of a moment in which more workers were asked for."""

    cool: int = 0
    """Looks since then."""
    asking: int = 0
    """Looks in a row that have found fewer enough."""
    fewest: int = 0
    """Workers that could have gone at each of them."""


class Decision(NamedTuple):
    """What to do; mostly nothing."""

    more: dict[str, int]
    """Additional workers, by group."""
    fewer: tuple[str, ...] = ()
    """Workers that are to give their data away, and then to go."""


def decide(past: Past, look: Look) -> tuple[Past, Decision]:
    """Return what to do, and what to remember until the next look."""
    if more := _more(look):
        return Past(), Decision(more)
    spare = tuple(_spare(look))
    cool = past.cool + 1
    if not spare:
        return Past(cool), Decision({})
    asking = past.asking + 1
    fewest = min(past.fewest, len(spare)) if past.asking else len(spare)
    if asking < DOWN_LOOKS or cool < COOL_LOOKS or any(group.leaving for group in look.groups):
        return Past(cool, asking, fewest), Decision({})
    return Past(cool), Decision({}, spare[:fewest])


def _more(look: Look) -> dict[str, int]:
    """Give what is missing to the groups that have most to do for each of their workers; equal ones in their order."""
    more = {group.name: min(_room(group), max(0, _floor(group, look) - _staying(group))) for group in look.groups}
    there = sum(group.processes * (_staying(group) + more[group.name]) for group in look.groups)
    missing = max(look.target, look.least) - look.others - there
    while missing > 0 and (open_ := [group for group in look.groups if more[group.name] < _room(group)]):
        busiest = max(open_, key=lambda group: group.load / max(1, group.processes * (group.wanted + more[group.name])))
        more[busiest.name] += 1
        missing -= busiest.processes
    return {name: number for name, number in more.items() if number}


def _spare(look: Look) -> Iterator[str]:
    """Yield the workers that may go: what is neither wanted, nor computes, nor is needed for the data."""
    staying = {group.name: _staying(group) for group in look.groups}
    # Those that are still starting are no reason to send away others: they hold nothing and do nothing yet.
    processes = {group.name: group.processes for group in look.groups}
    running = min(look.running, look.others + sum(processes[name] * number for name, number in staying.items()))
    spare = running - max(look.target, look.least)
    floors = {group.name: _floor(group, look) for group in look.groups}
    memory_bytes = look.memory_bytes
    for idle in look.idle:
        left_bytes = memory_bytes - idle.memory_bytes
        if spare <= 0 or look.data_bytes > DATA_SHARE * left_bytes:
            return
        if staying[idle.group] > floors[idle.group] and processes[idle.group] <= spare:
            spare, memory_bytes = spare - processes[idle.group], left_bytes
            staying[idle.group] -= 1
            yield idle.name


def _staying(group: Group) -> int:
    return group.wanted - group.leaving


def _room(group: Group) -> int:
    return max(0, group.maximum - group.wanted)


def _floor(group: Group, look: Look) -> int:
    """A group without a worker may be the one that tasks wait for which no other may take."""
    return max(group.minimum, min(1, group.maximum) if look.stuck else 0)
