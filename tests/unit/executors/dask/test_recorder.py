"""Records, from what the scheduler's plugin notes to what is summed up; cut off, thinned, and without a scheduler."""

from __future__ import annotations

import functools
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import versions
from distributed.core import Status

from dayfly.executors.dask.recorder import files, reading, summing
from dayfly.executors.dask.roles import recording, recording_frames, reporting, reporting_time
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.records import NOT_NEEDED, REPORTS, RecordedRole


def worker(name: str, memory: int = 100, **changes: Any) -> SimpleNamespace:
    made = {
        "name": name,
        "metrics": {
            "memory": memory << 20,
            "cpu": 50,
            "task_counts": {"executing": 1, "memory": 3},
            "spilled_bytes": {"disk": 7 << 20, "memory": 0},
        },
        "nbytes": 3 << 20,
        "processing": {"x"},
        "nthreads": 2,
        "memory_limit": 1000 << 20,
        "status": Status.running,
        "versions": {},
    }
    return SimpleNamespace(**{**made, **changes})


def scheduler(**workers: SimpleNamespace) -> SimpleNamespace:
    prefix = SimpleNamespace(
        states={"memory": 1, "processing": 2, "queued": 3},
        state_counts={"memory": 5, "erred": 1},
        all_durations={"compute": 2.5},
    )
    task = SimpleNamespace(group=SimpleNamespace(prefix=SimpleNamespace(name="inc")))
    return SimpleNamespace(
        workers={f"tcp://{name}": one for name, one in workers.items()},
        task_prefixes={"inc": prefix},
        tasks=defaultdict(lambda: task),
        unrunnable=[],
    )


def finish(recorder: recording.Recorder, key: str, at: float, took: float, *, failed: bool = False) -> None:
    spans = [{"action": "compute", "start": at, "stop": at + took}, {"action": "gossip", "start": at, "stop": at}]
    finished = "erred" if failed else "memory"
    recorder.transition(
        key, "processing", finished, worker="tcp://a", startstops=spans, exception_text="ValueError('x')"
    )


def write(path: Path, *frames: dict[str, Any], most_bytes: int = 2**20) -> list[dict[str, Any]]:
    writer = recording_frames.Writer(str(path), most_bytes)
    for frame in frames:
        writer.append(frame)
    writer.close()
    return list(reading.read(path.read_bytes()))


def test_what_is_noted_is_read_back(tmp_path: Path) -> None:
    recorder = recording.Recorder(scheduler(a=worker("worker-0")))
    finish(recorder, "inc-1", at=50.0, took=0.5)
    finish(recorder, "inc-2", at=51.0, took=0.25, failed=True)
    (frame,) = write(tmp_path / "record", recorder.take_frame(60.0))
    assert frame["workers"]["worker-0"]["memory"] == 100
    assert frame["workers"]["worker-0"]["spilled"] == 7
    assert (frame["workers"]["worker-0"]["running"], frame["workers"]["worker-0"]["waiting"]) == (1, 0)
    assert frame["prefixes"]["inc"] == {
        "done": 5,
        "erred": 1,
        "in_memory": 1,
        "processing": 2,
        "waiting": 3,
        "seconds": 2.5,
    }
    assert [(task["start"], task["took"], task["action"]) for task in frame["tasks"]] == [
        (50.0, 0.5, "compute"),
        (51.0, 0.25, "failed"),
    ]
    assert frame["events"][0]["error"] == "ValueError('x')"


def test_what_has_not_changed_is_not_told_again() -> None:
    recorder = recording.Recorder(scheduler(a=worker("worker-0")))
    assert set(recorder.take_frame(1.0)) == {"t", "workers", "prefixes", "names"}
    assert set(recorder.take_frame(2.0)) == {"t"}


def test_a_flood_is_counted() -> None:
    recorder = recording.Recorder(scheduler(a=worker("worker-0")))
    for number in range(recording.MAX_TASKS + 10):
        finish(recorder, f"inc-{number}", at=1.0, took=0.0, failed=number < recording.MAX_EVENTS + 5)
    frame = recorder.take_frame(2.0)
    assert frame["tasks"]["dropped"] == 10
    assert frame["events_dropped"] == 5


@pytest.mark.parametrize(
    ("told", "cause", "troubled"),
    [
        ({"expected": True, "stimulus_id": "dayfly-not-needed-1790000000.1"}, NOT_NEEDED, False),
        ({"expected": True, "stimulus_id": "retire-workers-1790000000.1"}, "", False),
        ({"expected": False, "stimulus_id": "handle-worker-cleanup-1790000000.1"}, "", True),
    ],
)
def test_who_is_no_longer_needed_is_told_from_who_is_lost(
    tmp_path: Path, told: dict[str, Any], cause: str, troubled: bool
) -> None:
    running = scheduler(a=worker("worker-0"))
    recorder = recording.Recorder(running)
    recorder.add_worker(running, "tcp://a")
    recorder.log_event("all", {"action": "remove-worker", "worker": "tcp://a", "processing-tasks": {}, **told})
    read = write(tmp_path / "record", recorder.take_frame(1.0))
    assert [event["kind"] for event in read[0]["events"]] == ["add-worker", "remove-worker"]
    (one,) = summing.sum_up(read).workers
    assert (one.name, one.cause, one.expected, one.lost) == ("worker-0", cause, not troubled, ())
    assert recorder.troubled is troubled


def test_tasks_that_no_worker_may_take_are_told_of_once_with_what_they_want() -> None:
    running = scheduler(a=worker("worker-0"))
    recorder = recording.Recorder(running)
    wanting = SimpleNamespace(
        key="fit-1", resource_restrictions={"GPU": 1}, worker_restrictions=None, host_restrictions=None
    )
    running.unrunnable = [wanting]
    recorder.take_frame(100.0)
    assert recorder.warning == ""
    frame = recorder.take_frame(100.0 + recording.STUCK_SECONDS)
    assert frame["events"][0]["told"] == "1 task(s), fit-1 among them, wait for a worker with GPU=1, and none has that"
    assert "events" not in recorder.take_frame(200.0)
    running.unrunnable = []
    recorder.take_frame(201.0)
    assert recorder.warning == ""


def test_workers_that_are_all_paused_are_told_of_until_one_goes_on() -> None:
    running = scheduler(a=worker("worker-0", status=Status.paused), b=worker("worker-1", status=Status.paused))
    recorder = recording.Recorder(running)
    recorder.take_frame(100.0)
    assert recorder.warning == ""
    frame = recorder.take_frame(100.0 + recording.STUCK_SECONDS)
    (event,) = frame["events"]
    assert (event["kind"], event["told"]) == ("paused", recorder.warning)
    assert recorder.warning.startswith("all 2 workers are paused, for they hold more of their memory than")
    running.workers["tcp://b"].status = Status.running
    assert "events" not in recorder.take_frame(200.0)
    assert recorder.warning == ""


def test_a_worker_with_other_versions_is_told_of_once_for_each_way_to_differ() -> None:
    ours = versions.get_versions()["packages"]
    python = ours["python"].split(".")
    same = {"packages": {**ours, "python": ".".join([*python[:2], "99", "final", "0"])}}
    other = {"packages": {**ours, "dask": "2024.4.2", "numpy": None}}
    running = scheduler(
        a=worker("worker-0", versions=same), b=worker("worker-1", versions=other), c=worker("worker-2", versions=other)
    )
    recorder = recording.Recorder(running)
    for address in running.workers:
        recorder.add_worker(running, address)
    (event,) = [one for one in recorder.take_frame(1.0)["events"] if one["kind"] == "versions-differ"]
    assert (event["worker"], event["differ"]["dask"]) == ("worker-1", ["2024.4.2", ours["dask"]])
    assert set(event["differ"]) == {"dask", "numpy"}


def test_a_spill_that_fails_is_told_of() -> None:
    recorder = recording.Recorder(scheduler(a=worker("worker-0")))
    recorder.log_event("all", {"action": "spill-failed", "error": "[Errno 28] No space", "worker": "tcp://a"})
    (event,) = recorder.take_frame(1.0)["events"]
    assert (event["kind"], event["worker"], event["error"]) == ("spill-failed", "worker-0", "[Errno 28] No space")
    assert recorder.troubled


def test_what_a_stopped_driver_waited_for_is_told_though_its_client_is_gone() -> None:
    busy = worker("worker-0", processing=[SimpleNamespace(key="nap-1")])
    running = scheduler(a=busy, b=worker("worker-1", processing=[]))
    recorder = recording.Recorder(running)
    # As the scheduler does it: it says that the client goes, lets its tasks go, and says so once more.
    recorder.log_event("all", {"action": "remove-client", "client": "Client-1"})
    busy.processing = []
    recorder.log_event("all", {"action": "remove-client", "client": "Client-1"})
    recorder.note_unfinished()
    (event,) = recorder.take_frame(1.0)["events"]
    assert (event["kind"], event["computing"], event["told"]) == ("unfinished", {"worker-0": ["nap-1"]}, "")


def test_nothing_is_told_of_a_stopped_driver_that_waited_for_nothing() -> None:
    recorder = recording.Recorder(scheduler(a=worker("worker-0", processing=[])))
    recorder.log_event("all", {"action": "remove-client", "client": "Client-1"})
    recorder.note_unfinished()
    assert "events" not in recorder.take_frame(1.0)


def test_a_frame_that_a_kill_has_cut_off_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "record", {"t": 1.0}, {"t": 2.0})
    raw = (tmp_path / "record").read_bytes()
    for cut in range(len(raw)):
        assert [frame["t"] for frame in reading.read(raw[:cut])] in ([], [1.0])
    assert list(reading.read(b"\x00\x00\x00\x02\xc1\xc1")) == []


def test_a_record_at_its_limit_is_thinned_and_keeps_peaks_and_events(tmp_path: Path) -> None:
    running = scheduler(a=worker("worker-0"))
    recorder = recording.Recorder(running)
    frames = []
    for second in range(400):
        running.workers["tcp://a"].metrics["memory"] = (900 if second == 33 else 100 + second % 7) << 20
        for number in range(20):
            finish(recorder, f"inc-{second}-{number}", at=float(second), took=0.01)
        if second % 100 == 0:
            recorder.note("mark", worker="", number=second)
        frames.append(recorder.take_frame(float(second + 1)))
    path = tmp_path / "record"
    read = write(path, *frames, most_bytes=64 * 1024)
    assert path.stat().st_size <= 64 * 1024
    summary = summing.sum_up(read)
    (one,) = summary.workers
    assert one.memory_peak == 900
    assert [event["number"] for event in summary.events if event["kind"] == "mark"] == [0, 100, 200, 300]
    assert (summary.began_at, summary.ended_at) == (1.0, 400.0)
    assert (
        read[-1]["tasks"]
        == [{"prefix": "inc", "worker": "worker-0", "start": 399.0, "took": 0.01, "action": "compute"}] * 20
    )


def test_what_driver_and_scheduler_held_is_told_once(tmp_path: Path) -> None:
    recorder = recording.Recorder(scheduler(a=worker("worker-0")))
    recorder.note_roles({"driver": (300 << 20, 512 << 20), "scheduler": (200 << 20, 0)})
    read = write(tmp_path / "record", recorder.take_frame(1.0), recorder.take_frame(2.0))
    assert ["roles" in frame for frame in read] == [True, False]
    assert summing.sum_up(read).roles == (RecordedRole("driver", 300, 512), RecordedRole("scheduler", 200, 0))


async def test_reports_are_read_by_their_names_alone(tmp_path: Path) -> None:
    kept = files.RecordFiles(tmp_path)
    key = AttemptKey("p/d/e/n0/0")
    assert await kept.reports(key) == {} and await kept.report(key, "performance.html") is None
    (tmp_path / key).mkdir(parents=True)
    (tmp_path / key / "performance.html").write_bytes(b"<html>")
    (tmp_path / key / "driver.log").write_bytes(b"log")
    assert await kept.reports(key) == {"performance.html": 6}
    assert await kept.report(key, "performance.html") == b"<html>"
    assert await kept.report(key, "driver.log") is None


@pytest.mark.parametrize(
    ("lived", "ending", "troubled", "seconds"),
    [
        (5.0, "exited", False, 0.0),
        (40.0, "exited", False, 2.0),
        (3600.0, "exited", False, 5.0),
        (5.0, "exited", True, 3.0),
        (5.0, "oom", True, 3.0),
        (90.0, "oom", True, 4.5),
        (3600.0, "stopped", True, 0.0),
        (3600.0, "essential_lost", True, 0.0),
    ],
)
def test_what_reports_may_take(
    monkeypatch: pytest.MonkeyPatch, lived: float, ending: str, troubled: bool, seconds: float
) -> None:
    now = [1000.0]
    monkeypatch.setattr(reporting, "time", SimpleNamespace(time=lambda: now[0]))
    reporter = reporting.Reporter(SimpleNamespace(scheduler=None, troubled=troubled), lambda *_: None)
    now[0] += lived
    assert reporter.allowance(ending) == pytest.approx(seconds)
    for asked, allowed in (("0", 0.0), ("30", 30.0), ("-1", 0.0), ("nan", 0.0), ("inf", 60.0), ("soon", seconds)):
        monkeypatch.setenv(reporting_time.VARIABLE, asked)
        told = reporter.allowance(ending)
        assert told == pytest.approx(allowed if ending in reporting.ENDINGS else 0.0)


async def test_a_report_that_fails_or_is_too_large_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def state(**_: Any) -> dict[str, Any]:
        return {"scheduler": {"tasks": {}}}

    async def page(**_: Any) -> str:
        raise ImportError("No module named 'bokeh'")

    running = scheduler()
    running.plugins, running.add_plugin = {}, lambda plugin: told.append(list(plugin.buffer))
    running.get_cluster_state, running.performance_report = state, page
    told: list[Any] = []
    recorder = recording.Recorder(running)
    finish(recorder, "inc-1", at=1.0, took=0.5)
    reporter = reporting.Reporter(recorder, functools.partial(reporting.write, str(tmp_path)))
    assert await reporter.make() == [reporting.STATE]
    assert [path.name for path in tmp_path.iterdir()] == [reporting.STATE]
    assert [[task["key"] for task in one] for one in told] == [["inc-1"]]
    monkeypatch.setattr(reporting, "MAX_BYTES", 10)
    assert await reporter.make() == []
    assert {reporting.STATE, reporting.PERFORMANCE} == set(REPORTS)


def test_workers_that_go_are_summed_up_with_what_they_took_along() -> None:
    row = dict.fromkeys(reading.WORKER_FIELDS, 0) | {"memory": 50, "threads": 1, "memory_limit": 100}
    frames: list[dict[str, Any]] = [
        {"t": 1.0, "workers": {"worker-0": row, "worker-1": row}},
        {"t": 2.0, "busy": {"worker-0": 0.5}},
        {
            "t": 3.0,
            "events": [
                {"t": 2.5, "kind": "remove-worker", "worker": "worker-1", "processing": ["f-1"], "lost": ["g-2"]}
            ],
        },
        {"t": 5.0},
    ]
    summary = summing.sum_up(frames)
    stayed, went = summary.workers
    assert (stayed.gone_at, stayed.last_seen, stayed.busy_seconds) == (None, 5.0, 0.5)
    assert (went.gone_at, went.processing, went.lost) == (2.5, ("f-1",), ("g-2",))
    assert summary.memory_peak == 100
    assert 0.9 < summary.idle_share < 0.92
    assert summing.sum_up([]).idle_share == 0.0
