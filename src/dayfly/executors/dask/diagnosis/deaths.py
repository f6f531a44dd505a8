"""Rules on how processes of the cluster ended: exit codes, signals, memory, and what their tasks were then.

Such an end is no exception of the user's code, which flytekit marks as final: another attempt may go well, and the
task's own retries say whether there is one where it is the user's fault.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

from dayfly.executors.dask import describing
from dayfly.executors.dask.diagnosis import facts as known
from dayfly.executors.dask.diagnosis import raised, unreadable
from dayfly.model.phases import FailureKind
from dayfly.ports.clusters import ClusterEnd
from dayfly.ports.executors import Explanation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dayfly.executors.dask.diagnosis.facts import Facts
    from dayfly.ports.clusters import Death

FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, describing.ASKED_TO_END)
"""Exit codes of processes that others have ended."""


def scheduler_ended(facts: Facts) -> Explanation | None:
    """The scheduler's own end."""
    if facts.report.end is not ClusterEnd.SCHEDULER_LOST:
        return None
    death = next((one for one in reversed(facts.report.deaths) if one.role == "scheduler"), None)
    if death is not None and death.over_limit_bytes:
        return Explanation(
            f"The Dask scheduler ran out of memory: it held {describing.size(death.over_limit_bytes)}, its limit is "
            f"{describing.size(death.limit_bytes)}. Ask for more with Scheduler(limits=Resources(mem=...)), make "
            "fewer, larger tasks, or let tasks load the data that they are given now.",
            "DaskSchedulerOutOfMemory",
            FailureKind.USER,
            recoverable=True,
        )
    how = describing.ending(death) if death is not None else facts.report.message.rstrip(".") or "is gone"
    begun = bool(facts.record.workers) or (death is not None and bool(death.cause))
    if death is not None and death.exit_code > 0 and death.exit_code not in FROM_OUTSIDE and not begun:
        words = [one.told for one in known.find_raised(facts.report.log_tail)]
        why = f" ({words[-1]})" if words else ""
        return Explanation(
            f"The Dask scheduler cannot begin: it {how}{why}. Look at DaskCluster(config=...), at the task's DASK_... "
            "variables, and at the scheduler's log.",
            "DaskSchedulerCannotStart",
            FailureKind.USER,
            recoverable=False,
        )
    return Explanation(
        f"The Dask scheduler {how}, and with it went what the cluster had computed. A new attempt gets a new cluster.",
        "DaskSchedulerLost",
        FailureKind.SYSTEM,
        recoverable=True,
    )


def never_started(facts: Facts) -> Explanation | None:
    """No quorum in time."""
    if facts.report.end is not ClusterEnd.STARTUP_TIMEOUT:
        return None
    told = f"The Dask cluster did not start: {facts.report.message.rstrip('.')}"
    if facts.worker_deaths:
        return unreadable.in_logs(facts) or _stillborn(facts, told)
    return Explanation(
        f"{told}, though no worker has ended: they are slow to begin, or never reach the scheduler. Their logs say "
        "more; give them longer with DaskCluster(startup_timeout=...), or begin with fewer (min_workers=...).",
        "DaskStartupTimeout",
        FailureKind.SYSTEM,
        recoverable=True,
    )


def workers_ended_again_and_again(facts: Facts) -> Explanation | None:
    """More workers died than are made anew."""
    if facts.report.end is not ClusterEnd.RESTARTS_EXHAUSTED:
        return None
    if facts.worker_deaths and not facts.record.workers and not facts.worker_deaths[-1].over_limit_bytes:
        return unreadable.in_logs(facts) or _stillborn(facts, "The Dask cluster did not start")
    return _of_deaths(facts, "") or Explanation(
        f"The Dask workers died again and again: {facts.report.message}.",
        "DaskWorkersLost",
        FailureKind.USER,
        recoverable=True,
    )


def killed_worker(facts: Facts) -> Explanation | None:
    """A task whose workers died several times, which Dask then gives up."""
    found = _GIVEN_UP.search(facts.error)
    if found is None and "KilledWorker" not in facts.error:
        return None
    return _of_deaths(facts, found["key"] if found else "")


def shuffle_lost_a_worker(facts: Facts) -> Explanation | None:
    """Shuffles start over when a worker goes, and fail when that happens too often."""
    if not _SHUFFLE.search(facts.error) or not facts.worker_deaths:
        return None
    return _of_deaths(facts, "", doing="a shuffle")


def unknown(facts: Facts) -> Explanation | None:
    """Nothing that is known explains it: the deaths are told all the same."""
    deaths = facts.worker_deaths
    if not deaths:
        return None
    return Explanation(f"While it ran, {describing.count(deaths)} died; the last: {deaths[-1].told}.")


_CUT_OFF = "worker-handle-scheduler-connection-broken"
"""What workers of Dask log as the reason of their end when the scheduler has not told them to."""

_GIVEN_UP = re.compile(r"Attempted to run task '?(?P<key>.+?)'? on \d+ different workers")
_SPILLING = re.compile(r"/distributed/spill\.py\", line")
_NO_ROOM_ON_NODE = re.compile(
    r"EmptyDir volume|ephemeral.(?:local )?storage|low on resource: (?:nodefs|imagefs|inodes)"
)
"""What kubelets say of pods that they evict for what these have written."""
_SHUFFLE = re.compile(r"P2P\w* .*failed|P2PConsistencyError|ShuffleClosedError")


def _of_deaths(facts: Facts, key: str, *, doing: str = "") -> Explanation | None:
    """Say what most of the dead workers died of."""
    deaths = facts.worker_deaths
    if not deaths:
        return None
    key = key or _most(key for worker in facts.record.workers for key in worker.processing)
    work = f" while computing {key}" if key else f" during {doing}" if doing else ""
    too_large = [death for death in deaths if death.over_limit_bytes]
    if 2 * len(too_large) >= len(deaths):
        return _out_of_memory(facts, too_large, work)
    without_room = [death for death in deaths if _NO_ROOM_ON_NODE.search(death.cause)]
    if 2 * len(without_room) >= len(deaths):
        last = without_room[-1]
        return _disk_full(facts, f"{last.role} {describing.ending(last)}{work}; {describing.count(deaths)} died.")
    last = deaths[-1]
    if last.cause:
        return Explanation(
            f"{last.role} {describing.ending(last)}{work}; {describing.count(deaths)} died. A new attempt may do.",
            "DaskWorkersLost",
            FailureKind.SYSTEM,
            recoverable=True,
        )
    if last.exit_code >= 0 and (found := unreadable.in_logs(facts, key)) is not None:
        return found
    if last.exit_code == 0 and _CUT_OFF in facts.report.worker_log_tail:
        return Explanation(
            f"{last.role} lost its connection to the scheduler{work}; {describing.count(deaths)} ended so. A new "
            "attempt gets a new cluster; if the task itself closes sockets that it has not opened, mend that.",
            "DaskConnectionLost",
            FailureKind.SYSTEM,
            recoverable=True,
        )
    outside = last.exit_code in FROM_OUTSIDE
    remedy = (
        "Something ends them from outside: the host for its memory, or somebody's hand; a new attempt may do."
        if outside
        else "The task ends its own process: os._exit, sys.exit or a crash in compiled code; run it on one input alone."
    )
    return Explanation(
        f"{last.role} {describing.ending(last)}{work}; {describing.count(deaths)} died. {remedy}",
        "DaskWorkersLost",
        FailureKind.SYSTEM if outside else FailureKind.USER,
        recoverable=True,
    )


def _out_of_memory(facts: Facts, too_large: list[Death], work: str) -> Explanation:
    last = too_large[-1]
    held = (
        f"{last.role} ran out of memory{work}: it held {describing.size(last.over_limit_bytes)}, its limit is "
        f"{describing.size(last.limit_bytes)}; {describing.count(too_large)} died of it."
    )
    spilling = facts.find_event("spill-failed")
    if spilling is not None:
        why = f"{spilling['worker']} could not spill what it held to disk: {spilling['error']}."
        return _disk_full(facts, f"{held} {why}")
    if failed := _failed_spilling(facts):
        return _disk_full(facts, f"{held} It could not spill what it held to disk: {failed}.")
    return Explanation(
        f"{held} Give each worker more memory (WorkerGroup(limits=Resources(mem=...))), or use smaller partitions or "
        "fewer threads.",
        "DaskWorkerOutOfMemory",
        FailureKind.USER,
        recoverable=True,
    )


def _failed_spilling(facts: Facts) -> str:
    """Return why the worker that died last could not spill, as it has logged that; empty where it has not."""
    for one in known.find_raised(facts.report.worker_log_tail):
        if _SPILLING.search(one.frames) and raised.NO_ROOM.search(one.message):
            return one.message
    return ""


def _disk_full(facts: Facts, told: str) -> Explanation:
    return Explanation(
        f"{told} {facts.report.more_room}, give each worker more memory, or use smaller partitions.",
        "DaskDiskFull",
        FailureKind.SYSTEM,
        recoverable=True,
    )


def _stillborn(facts: Facts, told: str) -> Explanation:
    """Workers end before they have joined, and so will others."""
    deaths = facts.worker_deaths
    last = deaths[-1]
    words = [one.told for one in known.find_raised(facts.report.worker_log_tail)]
    why = f" ({words[-1]})" if words else ""
    outside = last.exit_code in FROM_OUTSIDE or bool(last.cause)
    return Explanation(
        f"{told}, for its workers end as they begin: {describing.count(deaths)} did, the last, {last.role}, "
        f"{describing.ending(last)}{why}. Look at command, preload and environment of Workers(...), and at their logs.",
        "DaskStartupTimeout" if outside else "DaskWorkersCannotStart",
        FailureKind.SYSTEM if outside else FailureKind.USER,
        recoverable=True,
    )


def _most(keys: Iterable[str]) -> str:
    counts: dict[str, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return max(counts, key=counts.__getitem__) if counts else ""
