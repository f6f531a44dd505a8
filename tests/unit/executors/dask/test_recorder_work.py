"""What the recorder does for each task, counted rather than timed: the scheduler waits while it does it."""

from __future__ import annotations

import gc
import inspect
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import fields
from types import FrameType, SimpleNamespace
from typing import Any

from distributed.core import Status
from distributed.diagnostics.task_stream import rectangles
from distributed.worker_state_machine import TaskFinishedMsg

from dayfly.executors.dask.roles import recording

MOVES = [
    ("released", "waiting"),
    ("waiting", "waiting"),
    ("waiting", "queued"),
    ("queued", "processing"),
    ("processing", "memory"),
    ("memory", "forgotten"),
]
"""Of one task of many, as Dask tells of them."""

TASKS = 200

LINES, LINES_ABOVE_LIMIT = 23, 17
"""Executed for one task's moves, at most: 22 and 16 in Python 3.11."""


def build() -> recording.Recorder:
    worker = SimpleNamespace(
        name="worker-0", status=Status.running, metrics={}, nbytes=0, processing=(), nthreads=1, memory_limit=0
    )
    task = SimpleNamespace(group=SimpleNamespace(prefix=SimpleNamespace(name="inc")))
    tasks = defaultdict(lambda: task)
    return recording.Recorder(
        SimpleNamespace(workers={"tcp://a": worker}, task_prefixes={}, unrunnable=(), tasks=tasks)
    )


def told(number: int, *, status: str = "OK", actions: tuple[str, ...] = ("compute",)) -> dict[str, Any]:
    """Return what Dask tells with the end of a task, in objects of its own as they come from a message."""
    spans = tuple({"action": action, "start": number + 0.5, "stop": number + 0.75} for action in actions)
    return {
        "stimulus_id": f"task-finished-{number}",
        "worker": "tcp://a",
        "metadata": {},
        "nbytes": 16 + number,
        "type": bytes(40),
        "typename": "NoneType",
        "thread": 140_000_000_000_000 + number % 4,
        "startstops": spans,
        "status": status,
    }


def compute(recorder: recording.Recorder, first: int, tasks: int) -> None:
    for number in range(first, first + tasks):
        for start, finish in MOVES:
            recorder.transition(f"inc-{number}", start, finish, **told(number))


def traced(work: Callable[[], Any]) -> Counter[str]:
    """Return how many lines of Dayfly's and Dask's were executed, and how many of their functions called."""
    counted: Counter[str] = Counter()

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        if not frame.f_globals["__name__"].startswith(("dayfly.", "distributed.", "dask.")):
            return None
        if event in ("call", "line"):
            counted[event] += 1
        return trace

    before = sys.gettrace()
    gc.collect()
    gc.disable()  # what other tests have left may have functions that are called when it is found
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
        gc.enable()
    return counted


def test_what_dask_tells_of_a_finished_task_has_its_place_by_name() -> None:
    """What has none would go into a dictionary, which takes as long as noting the task."""
    by_name = set(inspect.signature(recording.Recorder.transition).parameters)
    assert {field.name for field in fields(TaskFinishedMsg)} - {"run_id"} | told(0).keys() <= by_name


def test_a_task_takes_one_call_for_each_move_and_a_few_lines() -> None:
    recorder = build()
    compute(recorder, 0, 1)
    counted = traced(lambda: compute(recorder, 1, TASKS))
    assert counted["call"] == len(MOVES) * TASKS
    assert counted["line"] <= LINES * TASKS


def test_tasks_above_the_limit_take_less() -> None:
    recorder = build()
    compute(recorder, 0, recording.MAX_TASKS)
    counted = traced(lambda: compute(recorder, recording.MAX_TASKS, TASKS))
    assert counted["call"] == len(MOVES) * TASKS
    assert counted["line"] <= LINES_ABOVE_LIMIT * TASKS
    frame = recorder.take_frame(1.0)["tasks"]
    assert (len(frame["start"]), frame["dropped"]) == (recording.MAX_TASKS, TASKS)


def test_a_frame_calls_nothing_for_each_task() -> None:
    """Four lines for each are its columns', but the last, which is there already; all else is the frame's."""

    def take(tasks: int) -> Counter[str]:
        recorder = build()
        compute(recorder, 0, tasks)
        return traced(lambda: recorder.take_frame(1.0))

    few, many = take(10), take(10 + TASKS)
    assert many["call"] == few["call"]
    assert many["line"] - few["line"] <= 4 * TASKS


def test_nothing_is_held_that_the_garbage_collector_goes_through() -> None:
    recorder = build()
    compute(recorder, 0, 1)
    gc.collect()
    before = len(gc.get_objects())
    compute(recorder, 1, TASKS)
    gc.collect()
    assert len(gc.get_objects()) - before < TASKS // 10


def test_what_is_held_of_the_last_tasks_is_bounded() -> None:
    recorder = build()
    for second in range(7):
        compute(recorder, second * 3_000, 3_000)
        recorder.take_frame(float(second))
    assert [task["key"] for task in recorder.list_last()] == [f"inc-{number}" for number in range(16_000, 21_000)]
    assert recorder.take_frame(8.0).keys() == {"t"}


def test_dask_draws_what_is_held_as_it_draws_what_it_keeps_itself() -> None:
    recorder = build()
    messages = [
        told(0, actions=("deserialize", "compute")),
        told(1, actions=("transfer", "disk-read", "compute")),
        told(2, status="error"),
        told(3, actions=("disk-write", "compute"), status="error"),
    ]
    kept = [{**message, "key": ("inc-abc", number)} for number, message in enumerate(messages)]
    for message in kept:
        finish = "memory" if message["status"] == "OK" else "erred"
        recorder.transition(message["key"], "processing", finish, **messages[message["key"][1]])
    assert rectangles(recorder.list_last()) == rectangles(kept)
    recorder.take_frame(1.0)
    assert rectangles(recorder.list_last()) == rectangles(kept)
