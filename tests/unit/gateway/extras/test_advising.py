"""What past runs advise, as a table."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dayfly.gateway.extras import advising
from dayfly.gateway.extras.advising import Advice, PastRun
from dayfly.ports.records import ClusterRecord, RecordedPrefix, RecordedRole, RecordedWorker


def worker(name: str = "worker-0", peak: int = 3113, limit: int = 8192, busy: float = 90.0, **more: Any) -> Any:
    more = {"threads": 1, **more}
    return RecordedWorker(name, 0.0, 100.0, memory_peak=peak, memory_limit=limit, busy_seconds=busy, **more)


def run(*workers: RecordedWorker, code: str = "", roles: tuple[RecordedRole, ...] = ()) -> PastRun:
    record = ClusterRecord(began_at=1000.0, ended_at=1100.0, workers=workers or (worker(),), roles=roles)
    return PastRun(record, not code, code)


def scaled(*workers: RecordedWorker, group: str = "worker") -> PastRun:
    """Return a run in which the number of a group's workers has changed with the work."""
    told = run(*workers)
    event = {"t": 1050.0, "kind": "scale", "worker": "", "wanted": {group: 1}}
    return PastRun(msgspec.structs.replace(told.record, events=(event,)))


def four(**each: Any) -> tuple[RecordedWorker, ...]:
    return tuple(worker(f"worker-{number}", **each) for number in range(4))


MEMORY = "memory peaked at"
TABLE = {
    "no runs": ([], []),
    "less memory": (12 * [run()], [Advice("worker", "memory", "8Gi", "4Gi", f"{MEMORY} 38 % of 8Gi in 12 runs")]),
    "two runs are too few for less": (2 * [run()], []),
    "runs that failed for other reasons do not count": ([run(), run(), run(code="USER:ValueError")], []),
    "the highest peak counts": ([run(), run(), run(worker(peak=5600))], []),
    "a little less is not worth it": (3 * [run(worker(peak=5000))], []),
    "one full run is enough for more": (
        [run(worker(peak=7000))],
        [Advice("worker", "memory", "8Gi", "9Gi", f"{MEMORY} 85 % of 8Gi in 1 run")],
    ),
    "who spills needs more": (
        3 * [run(worker(peak=600, limit=1000, spilled_peak=700))],
        [
            Advice(
                "worker",
                "memory",
                "1000Mi",
                "3Gi",
                f"{MEMORY} 60 % of 1000Mi and 700Mi were spilled to disk in 3 runs",
            )
        ],
    ),
    "who was killed needs twice as much": (
        [run(worker(peak=993, limit=1024), code="DaskWorkerOutOfMemory"), run(), run()],
        [Advice("worker", "memory", "1Gi", "4Gi", "1 of 3 runs ran out of memory at 1Gi")],
    ),
    "nothing was asked for": (
        [run(worker(peak=300, limit=0))],
        [Advice("worker", "memory", "", "384Mi", f"{MEMORY} 300Mi in 1 run")],
    ),
    "fewer workers": (
        3 * [run(*four(busy=20.0, peak=1600, limit=8192))],
        [
            Advice("worker", "workers", "4", "1", "at least 80 % of the workers' time was idle in 3 runs"),
        ],
    ),
    "a number that follows the work is right": (3 * [scaled(*four(busy=20.0, peak=5600))], []),
    "so it is where nothing tells it but who has gone": (
        3 * [run(*four(busy=20.0, peak=5600, gone_at=50.0, expected=True, cause="retired, no longer needed"))],
        [],
    ),
    "another group's number says nothing of this one's": (
        3 * [scaled(*four(busy=20.0, peak=1600), group="worker-gpu")],
        [Advice("worker", "workers", "4", "1", "at least 80 % of the workers' time was idle in 3 runs")],
    ),
    "fewer workers, and each with less memory": (
        3 * [run(*four(busy=30.0, peak=1000, limit=8192))],
        [
            Advice("worker", "workers", "4", "2", "at least 70 % of the workers' time was idle in 3 runs"),
            Advice("worker", "memory", "8Gi", "2560Mi", f"{MEMORY} 12 % of 8Gi in 3 runs"),
        ],
    ),
    "fewer threads where the memory of all is needed": (
        3 * [run(*four(busy=60.0, peak=5600, threads=4))],
        [Advice("worker", "threads", "4", "1", "at least 85 % of the workers' time was idle in 3 runs")],
    ),
    "the busiest run counts": ([run(*four(busy=20.0, peak=5600)), run(*four(peak=5600)), run(*four(peak=5600))], []),
    "a worker that was made anew is the same": (
        3 * [run(worker(peak=5600), worker("worker-0-r1", peak=5000))],
        [],
    ),
    "groups and single roles each for themselves": (
        3
        * [
            run(
                worker("worker-0", peak=5600),
                worker("worker-gpu-0"),
                roles=(RecordedRole("driver", 400, 4096), RecordedRole("scheduler", 200, 0)),
            )
        ],
        [
            Advice("driver", "memory", "4Gi", "512Mi", f"{MEMORY} 10 % of 4Gi in 3 runs"),
            Advice("scheduler", "memory", "", "256Mi", f"{MEMORY} 200Mi in 3 runs"),
            Advice("worker-gpu", "memory", "8Gi", "4Gi", f"{MEMORY} 38 % of 8Gi in 3 runs"),
        ],
    ),
    "a driver that was killed": (
        [run(worker(peak=5600), code="OOMKilled", roles=(RecordedRole("driver", 1025, 1024),))],
        [Advice("driver", "memory", "1Gi", "2Gi", "1 of 1 run ran out of memory at 1Gi")],
    ),
}


@pytest.mark.parametrize(("runs", "told"), TABLE.values(), ids=TABLE)
def test_advice(runs: list[PastRun], told: list[Advice]) -> None:
    assert advising.advise(runs) == told


def test_tasks_that_were_too_many_to_be_told_count_by_their_prefix() -> None:
    record = ClusterRecord(
        began_at=0.0,
        ended_at=100.0,
        workers=(worker(busy=10.0), worker("worker-1", busy=30.0), worker("worker-b-0", busy=0.0)),
        prefixes=(RecordedPrefix("inc", done=100_000, seconds=160.0),),
    )
    assert [use.busy_threads for use in advising.uses([PastRun(record)])] == [1.6, 0.0]
    untold = msgspec.structs.replace(record, workers=(worker(busy=0.0), worker("worker-b-0", busy=0.0)))
    assert [use.busy_threads for use in advising.uses([PastRun(untold)])] == [0.8, 0.8]


def test_uses() -> None:
    (use,) = advising.uses([run(*four(peak=100, spilled_peak=20)), run(worker(peak=300))])
    assert use == advising.RoleUse("worker", 4, 1, 8192, 300, 20, 480, 3.6)
