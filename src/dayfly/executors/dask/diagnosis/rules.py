"""All rules, in the order in which they are asked; each looks for one cause and gives an `Explanation` or nothing.

Called by `executor` for an attempt that has failed or was stopped. The first rule that finds something is believed.
What none knows stays unknown, with the facts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dayfly.executors.dask.diagnosis import deaths, raised, unreadable, waits
from dayfly.ports.clusters import ClusterEnd

if TYPE_CHECKING:
    from dayfly.executors.dask.diagnosis.facts import Facts
    from dayfly.ports.executors import Explanation


def diagnose(facts: Facts) -> Explanation | None:
    """Return the cause, None where nothing of the cluster has to do with it."""
    rules = OF_ERRORS if facts.report.end is ClusterEnd.DRIVER_EXITED else OF_ENDS
    return next((found for rule in rules if (found := rule(facts)) is not None), None)


OF_ENDS: tuple[Callable[[Facts], Explanation | None], ...] = (
    deaths.scheduler_ended,
    deaths.never_started,
    deaths.workers_ended_again_and_again,
    waits.was_stopped,
)
"""For clusters that were ended: whatever tasks have raised before, that was not it."""

OF_ERRORS: tuple[Callable[[Facts], Explanation | None], ...] = (
    raised.scheduler_lost,
    deaths.killed_worker,
    deaths.shuffle_lost_a_worker,
    raised.disk_full,
    unreadable.versions_differ,
    unreadable.cannot_import,
    unreadable.cannot_pickle,
    unreadable.cannot_unpickle,
    waits.no_worker_fits,
    waits.workers_paused,
    raised.data_lost,
    raised.memory_error,
    raised.shut_down,
    raised.connection_lost,
    raised.task_raised,
    deaths.unknown,
)
"""For drivers that ended by themselves: what they say, which tasks' errors and workers' ends then explain."""
