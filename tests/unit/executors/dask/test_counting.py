"""What the scheduler's plugin counts, from the transitions Dask tells of and the states that Dask counts itself."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from dayfly.executors.dask.roles import recording, worker

PLAIN = [("released", "waiting"), ("waiting", "processing"), ("processing", "memory"), ("memory", "released")]


@pytest.mark.parametrize(
    ("moves", "total", "done"),
    [
        (PLAIN, 1, 1),
        ([*PLAIN, ("released", "forgotten")], 1, 1),
        (PLAIN[:2], 1, 0),
        ([*PLAIN[:2], ("processing", "released"), *PLAIN], 1, 1),
        ([*PLAIN[:1], ("waiting", "queued"), ("queued", "processing"), ("processing", "erred")], 1, 1),
        ([*PLAIN[:1], ("waiting", "no-worker"), ("no-worker", "forgotten")], 0, 0),
        ([*PLAIN[:1], ("waiting", "released")], 0, 0),
    ],
)
def test_tasks_are_counted_over_the_life_of_the_cluster(moves: list[tuple[str, str]], total: int, done: int):
    busy = SimpleNamespace(name="worker-0", processing={"a", "b"}, metrics={"memory": 5})
    new = SimpleNamespace(name="worker-1", processing=set(), metrics={})
    states: Counter[str] = Counter()
    prefixes = {"key": SimpleNamespace(states=states)}
    counting = recording.Recorder(SimpleNamespace(workers={"w0": busy, "w1": new}, task_prefixes=prefixes))
    for start, finish in moves:
        states.subtract([start])
        states.update([finish])
        counting.transition("key", start, finish, stimulus_id="x", worker="w0")
    told = counting.tell(wanted=4)
    assert (told["tasks_total"], told["tasks_done"]) == (total, done)
    assert (told["workers"], told["wanted"], told["tasks_processing"], told["memory_bytes"]) == (2, 4, 2, 5)


def test_a_worker_made_anew_has_a_new_name():
    assert [worker.name_of("worker-2", restarted) for restarted in range(3)] == [
        "worker-2",
        "worker-2-r1",
        "worker-2-r2",
    ]
