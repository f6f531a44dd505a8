"""Records that are read on in while they grow, and as a whole in few frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dayfly.executors.dask.recorder import files, reading
from dayfly.executors.dask.roles import recording_frames
from dayfly.model.identifiers import AttemptKey

KEY = AttemptKey("p/d/e/n0/0")


def named(t: float, number: int) -> dict[str, Any]:
    """Return a frame that names a worker and tells of it."""
    row = (number, 0, 0, 0, 0, 0, 0, 0, 1, 0)
    return {"t": t, "names": {number: f"worker-{number}"}, "workers": {number: row}}


def known(t: float, number: int) -> dict[str, Any]:
    """Return a frame about a worker that was named before."""
    frame = named(t, number)
    del frame["names"]
    return frame


def told(frames: list[dict[str, Any]]) -> list[tuple[float, list[str]]]:
    return [(frame["t"], list(frame["workers"])) for frame in frames]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / KEY
    folder.mkdir(parents=True)
    return folder / "cluster.record"


def append(path: Path, *frames: dict[str, Any]) -> None:
    writer = recording_frames.Writer(str(path))
    for frame in frames:
        writer.append(frame)
    writer.close()


async def test_who_reads_on_reads_only_what_follows(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split: list[int] = []
    whole = reading.split

    def counted(raw: bytes) -> Any:
        for end, frame in whole(raw):
            split.append(end)
            yield end, frame

    monkeypatch.setattr(reading, "split", counted)
    records = files.RecordFiles(tmp_path)
    append(path, named(1.0, 0), named(2.0, 1))
    assert told(await records.frames(KEY, limit=1)) == [(1.0, ["worker-0"])]
    assert told(await records.frames(KEY, since=1.0)) == [(2.0, ["worker-1"])]
    append(path, known(3.0, 0))
    split.clear()
    assert told(await records.frames(KEY, since=2.0)) == [(3.0, ["worker-0"])]
    assert len(split) == 1
    assert told(await records.frames(KEY)) == [(1.0, ["worker-0"]), (2.0, ["worker-1"]), (3.0, ["worker-0"])]


async def test_who_reads_on_in_a_record_that_was_thinned_meanwhile_misses_nothing(tmp_path: Path, path: Path) -> None:
    records = files.RecordFiles(tmp_path)
    append(path, named(1.0, 0), named(2.0, 1))
    assert len(await records.frames(KEY)) == 2
    beside = path.with_suffix(".thin")
    append(beside, named(2.0, 5), named(3.0, 6))
    beside.replace(path)
    assert told(await records.frames(KEY, since=2.0)) == [(3.0, ["worker-6"])]


def test_one_frame_stands_for_many(path: Path) -> None:
    def at(t: float, memory: int, took: int) -> dict[str, Any]:
        columns = {"prefix": [1, 1], "worker": [0, 0], "start": [0, 100], "took": [took, 0], "action": [0, -1]}
        return {
            "t": t,
            "workers": {0: (memory, 0, 0, 5, 0, 0, 0, 0, 1, 0)},
            "prefixes": {1: (int(t), 0, 0, 0, 0, 0.5)},
            "tasks": {"from": t, **columns},
            "events": [{"t": t}],
        }

    append(path, {"t": 0.5, "names": {0: "w", 1: "p"}}, at(1.0, 50, 200), at(1.5, 90, 300), at(2.0, 60, 100))
    append(path, {"t": 6.0, "events_dropped": 3})
    raw = path.read_bytes()
    first, second = reading.read_coarsely(raw, since=0.5, every_seconds=2, most_tasks=2)
    assert first["t"] == 2.0
    assert (first["workers"]["w"]["memory"], first["workers"]["w"]["memory_high"]) == (60, 90)
    assert first["prefixes"]["p"]["done"] == 2
    assert [(task["start"], task["took"], task["worker"]) for task in first["tasks"]] == [
        (1.0, 0.2, "w"),
        (1.5, 0.3, "w"),
    ]
    assert first["tasks_dropped"] == 4
    assert len(first["events"]) == 3
    assert second == {"t": 6.0, "events_dropped": 3}
    (whole,) = reading.read_coarsely(raw, since=0.5, every_seconds=100, most_tasks=None)
    assert len(whole["tasks"]) == 6 and "tasks_dropped" not in whole
    (none,) = reading.read_coarsely(raw, since=0.5, every_seconds=100, most_tasks=0)
    assert (none["tasks"], none["tasks_dropped"]) == ([], 6)


async def test_frames_are_made_fewer_where_that_is_asked_for(tmp_path: Path, path: Path) -> None:
    append(path, named(1.0, 0), named(2.0, 1), known(13.0, 0))
    records = files.RecordFiles(tmp_path)
    assert told(await records.frames(KEY, every_seconds=10)) == [(2.0, ["worker-0", "worker-1"]), (13.0, ["worker-0"])]
    assert [frame["t"] for frame in await records.frames(KEY, every_seconds=10, limit=1)] == [2.0]
    assert [frame["t"] for frame in await records.frames(KEY, most_tasks=1, since=1.0)] == [2.0, 13.0]


def test_what_workers_computed_is_summed_up(path: Path) -> None:
    columns = {"prefix": [1] * 3, "worker": [0] * 3, "start": [0] * 3, "took": [500, 250, 900], "action": [0, -1, 1]}
    append(path, {"t": 1.0, "names": {0: "w", 1: "p"}, "tasks": {"from": 0.0, **columns}})
    (frame,) = reading.read_busy(path.read_bytes())
    assert frame == {"t": 1.0, "busy": {"w": 0.75}}
