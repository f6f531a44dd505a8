"""How it is with this host's room for tasks, for whoever keeps the platform up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.executors.local.admission import in_words
from dayfly.ports.executor_parts import Condition

if TYPE_CHECKING:
    from dayfly.ports.process_groups import ProcessGroups, Room


class Look:
    """Looks at the groups of one host."""

    def __init__(self, groups: ProcessGroups) -> None:
        self._groups = groups

    async def now(self) -> Condition:
        """Return how it is. That tasks wait for room is no fault: they are told so one by one."""
        return Condition("well", tell(self._groups.room()))


def tell(room: Room) -> str:
    """Return in words what is given away, who waits, and what stands by. Pure."""
    if room.inside:
        told = (
            f"{_count(room.inside, 'task has', 'tasks have')} {room.cpus_used:g} of {room.cpus:g} CPUs and "
            f"{in_words(room.memory_used)} of {in_words(room.memory_bytes)} of memory"
        )
    else:
        told = f"No task has any of {room.cpus:g} CPUs and {in_words(room.memory_bytes)} of memory"
    if room.waiting:
        told += f", {_count(room.waiting, 'waits', 'wait')} for room"
    if room.standing:
        told += (
            f"; {_count(room.standing, 'cluster stands by', 'clusters stand by')} for the next task like its "
            f"last, with {in_words(room.standing_memory)} that any other task may have"
        )
    return f"{told}."


def _count(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"
