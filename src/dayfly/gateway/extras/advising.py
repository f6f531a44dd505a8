"""What a Dask task should ask for, told from the records of its past runs. Pure.

Called by `advice`, which finds the runs. Memory goes by the highest peak, workers and threads by how many of them
computed at once on average, in the run that needed most: what one run shows is no reason to ask for less.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from dayfly.ports import records
from dayfly.ports.records import ClusterRecord, RecordedWorker

HEADROOM = 1.25
"""Of what was needed: runs differ, and Dask begins to spill at 60 % and pauses at 80 % of the limit."""

OUT_OF_MEMORY_FACTOR = 2.0
"""Of the limit at which a process was killed: nobody knows how much more it would have taken."""

FULL_SHARE = 0.8
"""Of a memory limit: whoever holds more is about to be paused."""

WORTH_SHARE = 0.75
"""What is advised instead is at most so much of what was had: less of a change is not worth one."""

BUSY_SHARE = 0.8
"""Of their threads' time that fewer threads would compute; the rest is for what comes unevenly."""

RUNS_TO_LOWER = 3
"""Runs that must have succeeded before less is advised."""

STEPS_MIB = ((1024, 128), (4096, 512), (1 << 60, 1024))
"""Amounts below the first are rounded up to a multiple of the second."""

OUT_OF_MEMORY = {
    "DaskWorkerOutOfMemory": "worker",
    "DaskSchedulerOutOfMemory": "scheduler",
    "OOMKilled": "driver",
}
"""Codes of attempts that failed for lack of memory, and whose it was."""

_WORKER = re.compile(r"(?P<group>worker(?:-.+?)?)-\d+(?:-r\d+)?")


class PastRun(msgspec.Struct, frozen=True):
    """An attempt that has ended, and its record."""

    record: ClusterRecord
    succeeded: bool = True
    code: str = ""
    """Why it failed."""


class RoleUse(msgspec.Struct, frozen=True):
    """What one kind of process had in the newest run, and most that it needed in any. Memory is of one, in MiB."""

    role: str
    count: int = 1
    threads: int = 0
    memory_limit: int = 0
    """0 is no limit."""
    memory_peak: int = 0
    spilled_peak: int = 0
    memory_together: int = 0
    """Most that all of them held at their peaks, added up."""
    busy_threads: float | None = None
    """Threads that computed at once, on average over the run; None where no run succeeded with as many workers from its
    beginning to its end: a number that follows the work is right by itself."""


class Advice(msgspec.Struct, frozen=True):
    """One thing to ask for instead. Amounts are as resources are written in a task."""

    role: str
    """`driver`, `scheduler`, `worker`, or `worker-GROUP` of a group that has a name."""
    what: str
    """`memory`, `threads` (of one worker) or `workers`."""
    had: str
    """In the newest run; empty is no limit."""
    ask: str
    reason: str


def advise(runs: Sequence[PastRun]) -> list[Advice]:
    """Return what to ask for instead of what the newest run had, empty where that is right. Newest run first."""
    used = uses(runs)
    return [one for use in used for one in _of_role(use, runs)]


def uses(runs: Sequence[PastRun]) -> list[RoleUse]:
    """Return what the roles of the newest run used in any run: driver, scheduler, each group of workers."""
    if not runs:
        return []
    names = list(_groups(runs[0].record.workers))
    singles = (_single(name, runs) for name in ("driver", "scheduler"))
    return [use for use in singles if use is not None] + [_group(name, runs) for name in names]


def _single(name: str, runs: Sequence[PastRun]) -> RoleUse | None:
    found = [role for run in runs for role in run.record.roles if role.name == name]
    if not found:
        return None
    return RoleUse(name, memory_limit=found[0].memory_limit, memory_peak=max(role.memory_peak for role in found))


def _group(name: str, runs: Sequence[PastRun]) -> RoleUse:
    seen = [members for run in runs if (members := _groups(run.record.workers).get(name))]
    newest = seen[0]
    steady = [run for run in runs if run.succeeded and not _follows_work(run.record, name)]
    busy = [_busy(run.record, members) for run in steady if (members := _of(run, name))]
    return RoleUse(
        name,
        count=len({_place(worker.name) for worker in newest}),
        threads=max(worker.threads for worker in newest),
        memory_limit=max(worker.memory_limit for worker in newest),
        memory_peak=max(worker.memory_peak for members in seen for worker in members),
        spilled_peak=max(worker.spilled_peak for members in seen for worker in members),
        memory_together=max(_together(members) for members in seen),
        busy_threads=max(busy) if busy else None,
    )


def _follows_work(record: ClusterRecord, name: str) -> bool:
    """Say whether the number of a group's workers has changed because there was more or less to do."""
    gone = any(worker.cause == records.NOT_NEEDED for worker in _groups(record.workers).get(name, ()))
    return gone or any(event["kind"] == records.SCALED and name in event["wanted"] for event in record.events)


def _of(run: PastRun, name: str) -> list[RecordedWorker]:
    return _groups(run.record.workers).get(name, [])


def _groups(workers: Iterable[RecordedWorker]) -> dict[str, list[RecordedWorker]]:
    groups: dict[str, list[RecordedWorker]] = {}
    for worker in workers:
        found = _WORKER.fullmatch(worker.name)
        groups.setdefault(found["group"] if found else "worker", []).append(worker)
    return groups


def _place(name: str) -> str:
    """A worker that was made anew takes the place of the one before: `worker-0-r2` that of `worker-0`."""
    return re.sub(r"-r\d+$", "", name)


def _together(members: Sequence[RecordedWorker]) -> int:
    peaks: dict[str, int] = {}
    for worker in members:
        place = _place(worker.name)
        peaks[place] = max(peaks.get(place, 0), worker.memory_peak + worker.spilled_peak)
    return sum(peaks.values())


def _busy(record: ClusterRecord, members: Sequence[RecordedWorker]) -> float:
    lasted = record.ended_at - record.began_at
    told = sum(worker.busy_seconds for worker in record.workers)
    share = sum(worker.busy_seconds for worker in members) / told if told else len(members) / len(record.workers)
    return record.busy_seconds * share / lasted if lasted > 0 else 0.0


def _of_role(use: RoleUse, runs: Sequence[PastRun]) -> Iterator[Advice]:
    killed = sum(1 for run in runs if OUT_OF_MEMORY.get(run.code, "-") == use.role.partition("-")[0])
    many = _told(len(runs))
    lowering = sum(run.succeeded for run in runs) >= RUNS_TO_LOWER
    if killed:
        yield _after_kill(use, killed, many)
        return
    if _full(use):
        yield _more_memory(use, many)
        return
    fewer = _fewer(use, many) if lowering else None
    if fewer is not None:
        yield fewer
    need = HEADROOM * use.memory_peak
    if fewer is not None and fewer.what == "workers":
        need = max(need, HEADROOM * use.memory_together / int(fewer.ask))
    ask = _round_up(need)
    if not use.memory_peak:
        return
    if not use.memory_limit:
        yield Advice(use.role, "memory", "", size(ask), f"memory peaked at {size(use.memory_peak)} in {many}")
    elif lowering and ask <= WORTH_SHARE * use.memory_limit:
        yield Advice(use.role, "memory", size(use.memory_limit), size(ask), f"{_peaked(use)} in {many}")


def _full(use: RoleUse) -> bool:
    return use.memory_limit > 0 and (use.spilled_peak > 0 or use.memory_peak >= FULL_SHARE * use.memory_limit)


def _after_kill(use: RoleUse, killed: int, many: str) -> Advice:
    had = use.memory_limit or use.memory_peak
    ask = _round_up(max(OUT_OF_MEMORY_FACTOR * had, HEADROOM * use.memory_peak))
    return Advice(
        use.role,
        "memory",
        size(use.memory_limit) if use.memory_limit else "",
        size(ask),
        f"{killed} of {many} ran out of memory at {size(had)}",
    )


def _more_memory(use: RoleUse, many: str) -> Advice:
    spilled = f" and {size(use.spilled_peak)} were spilled to disk" if use.spilled_peak else ""
    # Spilling begins at 60 % of the limit: what was needed in all must lie below that.
    needed = (use.memory_peak + use.spilled_peak) * HEADROOM / (0.6 if use.spilled_peak else 1.0)
    ask = _round_up(max(needed, use.memory_limit + 1))
    return Advice(use.role, "memory", size(use.memory_limit), size(ask), f"{_peaked(use)}{spilled} in {many}")


def _fewer(use: RoleUse, many: str) -> Advice | None:
    """Return fewer workers where what they held fits into these, else fewer threads; None where all are needed."""
    had = use.count * use.threads
    if not had or use.busy_threads is None:
        return None
    needed = max(1, math.ceil(use.busy_threads / BUSY_SHARE))
    idle = max(0.0, 1 - use.busy_threads / had)
    reason = f"at least {idle:.0%} of the workers' time was idle in {many}".replace("%", " %")
    workers = math.ceil(needed / use.threads)
    if workers <= WORTH_SHARE * use.count and _fits(use, workers):
        return Advice(use.role, "workers", str(use.count), str(workers), reason)
    threads = math.ceil(needed / use.count)
    if threads <= WORTH_SHARE * use.threads:
        return Advice(use.role, "threads", str(use.threads), str(threads), reason)
    return None


def _fits(use: RoleUse, workers: int) -> bool:
    return not use.memory_limit or HEADROOM * use.memory_together <= workers * use.memory_limit


def _peaked(use: RoleUse) -> str:
    return f"memory peaked at {use.memory_peak / use.memory_limit:.0%} of {size(use.memory_limit)}".replace("%", " %")


def _round_up(amount_mib: float) -> int:
    step = next(step for below, step in STEPS_MIB if amount_mib <= below)
    return max(step, math.ceil(amount_mib / step) * step)


def size(amount_mib: int) -> str:
    """Return an amount as resources are written: `4Gi`, `1536Mi`."""
    whole, rest = divmod(amount_mib, 1024)
    return f"{whole}Gi" if whole and not rest else f"{amount_mib}Mi"


def _told(runs: int) -> str:
    return "1 run" if runs == 1 else f"{runs} runs"
