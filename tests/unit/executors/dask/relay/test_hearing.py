"""What is heard of clusters: facts of the moment, and flight records that miss nothing and have nothing twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from dayfly.base.clock import Micros
from dayfly.executors.dask.recorder import files
from dayfly.executors.dask.relay import hearing
from dayfly.executors.dask.roles import carried, recording_frames, telling
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.records import RecordedRole

KEY = AttemptKey("p/d/e/n0/0")


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Callable[[], Heard]]:
    """Begin to hear a cluster, as a platform does: another one finds what the one before has left."""
    begun: list[Heard] = []

    def begin() -> Heard:
        begun.append(Heard(tmp_path))
        return begun[-1]

    yield begin
    for one in begun:
        await one.hearing.close()


class Heard:
    """A platform that hears one cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changed: list[str] = []
        self.hearing = hearing.Hearing(folder, self.changed.append)
        self.hearing.begin(KEY)
        self._count = 0

    def tell(self, role: str, kind: str, body: bytes) -> list[bytes]:
        """Return what stays of it in the log."""
        self._count += 1
        lines = [line.removesuffix(b"\n") for line in telling.lines(kind, f"{self._count:x}", body)]
        kept = [self.hearing.take(KEY, role, line, Micros(0)) for line in lines]
        return [line for line in kept if line is not None]

    def frame(self, at: float, role: str = "scheduler", **more: Any) -> list[bytes]:
        return self.tell(role, "frame", recording_frames.pack({"t": at, **more}))

    async def times(self) -> list[float]:
        await self.hearing.settle(KEY)
        return [frame["t"] for frame in await files.RecordFiles(self.folder).frames(KEY)]


async def test_a_record_is_whole_though_told_again(begin: Callable[[], Heard]) -> None:
    first = begin()
    for at in (1.0, 2.0, 3.0):
        assert first.frame(at) == []
    assert await first.times() == [1.0, 2.0, 3.0]
    second = begin()  # after a `kill -9`, shown the last lines again
    for at in (2.0, 3.0, 4.0, 0.5):
        second.frame(at)
    assert await second.times() == [1.0, 2.0, 3.0, 4.0, 0.5], "clocks are set"
    await second.hearing.forget(KEY)
    assert second.hearing.take(KEY, "scheduler", b"later", Micros(0)) == b"later"


async def test_a_piece_of_a_frame_hides_nothing(begin: Callable[[], Heard], tmp_path: Path) -> None:
    first = begin()
    first.frame(1.0)
    await first.hearing.forget(KEY)
    with (tmp_path / KEY / "cluster.record").open("ab") as file:
        file.write(b"\0\0\0\x63half of")  # what a full disk has left
    second = begin()
    second.frame(2.0)
    assert await second.times() == [1.0, 2.0]


async def test_only_the_scheduler_has_a_record(begin: Callable[[], Heard]) -> None:
    told = begin()
    assert told.frame(1.0, "worker-0") == []
    assert told.frame(1.0, "driver") == []
    told.tell("scheduler", "frame", b"\0\0\0\x01x")
    told.tell("scheduler", "frame", recording_frames.pack({"t": "now"}))
    told.tell("scheduler", "frame", recording_frames.pack({"t": 1.0}) * 2)
    assert await told.times() == []


async def test_what_the_driver_has_held_completes_the_record(begin: Callable[[], Heard]) -> None:
    told = begin()
    told.tell("driver", "facts", b'{"peak_bytes": "much"}')
    told.tell("driver", "facts", json.dumps({"peak_bytes": 300 << 20}).encode())
    assert told.changed == [], "nobody waits for that"
    told.frame(1.0)
    for _ in range(2):
        await told.hearing.end(KEY, 500 << 20)
    assert await told.times() == [1.0, 1.001]
    summary = await files.RecordFiles(told.folder).summary(KEY)
    assert summary is not None
    assert summary.roles == (RecordedRole("driver", 300, 500),)


async def test_that_dask_loads_our_programs_is_not_in_the_log(begin: Callable[[], Heard]) -> None:
    told = begin()
    said = f"INFO - Creating preload: {carried.TEXT}".encode()
    assert told.hearing.take(KEY, "driver", said, Micros(0)) is None
    assert told.hearing.take(KEY, "driver", b"INFO - Creating preload: mine.py", Micros(0)) is not None


async def test_facts_are_told_when_they_are_others(begin: Callable[[], Heard]) -> None:
    told = begin()
    for facts in ({"progress": 1}, {"progress": 1}, {"progress": 2}):
        told.tell("scheduler", "facts", json.dumps(facts).encode())
    for nonsense in (b"", b"[1]", b"{", b"\xff"):
        told.tell("scheduler", "facts", nonsense)
    assert told.changed == [KEY, KEY]
    assert told.hearing.facts(KEY, "scheduler") == {"progress": 2}
    assert told.hearing.facts(KEY, "worker-0") == {}


async def test_the_first_role_of_another_version_is_known_at_once(begin: Callable[[], Heard]) -> None:
    told = begin()
    events = [{"kind": "versions-differ", "worker": name, "differ": {"dask": ["1", "2"]}} for name in ("a", "b")]
    told.frame(
        1.0, events=[5, {"kind": "versions-differ", "differ": 5}, {"kind": "add-worker", "worker": "a"}, *events]
    )
    told.frame(2.0, events=events[1:])
    assert told.hearing.differing(KEY)["worker"] == "a"
    assert told.changed
    await told.hearing.settle(KEY)


@pytest.mark.parametrize(
    "frame",
    [
        {"events": 5},
        {"events": [5]},
        {"events": [{"kind": "versions-differ", "worker": "w", "differ": 5, "t": 1.0}]},
        {"events": [{"kind": "versions-differ", "worker": "w", "differ": {"dask": 7}, "t": 1.0}]},
        {"events": [{"kind": "add-worker", "worker": "w"}]},
        {"events": [{"kind": "task-erred", "worker": "w", "t": 1.0}]},
        {"events": [{"kind": "unfinished", "worker": "", "t": 1.0, "told": "", "paused": 0, "computing": {"w": []}}]},
        {"t": float("nan")},
        {"t": float("inf")},
        {"t": -1.0},
        {"names": 5},
        {"workers": {0: ["much"] * 10}},
        {"workers": {0: [1, 2]}},
        {"prefixes": {0: 1}},
        {"tasks": {"prefix": [1], "worker": [], "start": [], "took": [], "action": []}},
        {"roles": {"driver": [float("nan"), 0]}},
        {"events_dropped": "many"},
    ],
)
async def test_what_no_recorder_has_made_is_in_no_record(begin: Callable[[], Heard], frame: dict[str, Any]) -> None:
    told = begin()
    assert told.frame(**{"at": 1.5, **({"at": frame["t"]} if "t" in frame else frame)}) == []
    assert told.hearing.differing(KEY) == {}
    whole = {
        "names": {0: "w"},
        "workers": {0: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]},
        "prefixes": {0: (1, 0, 1, 0, 0, 0.5)},
        "tasks": {"from": 1.0, "prefix": [0], "worker": [0], "start": [1], "took": [0.5], "action": [-1]},
        "roles": {"scheduler": (300, 0)},
        "events": [{"t": 2.0, "kind": "scale", "worker": "", "wanted": {"default": 2}, "told": "more"}],
        "frames_dropped": 2,
    }
    told.frame(2.0, **whole)
    assert await told.times() == [2.0]


@pytest.mark.parametrize(
    "body",
    [
        b"\x81\x90\x01",  # a key that cannot be one
        b"\x81\xa1t\xa1\xff",
        b"\x82\xa1t\xcb?\xf0\0\0\0\0\0\0\xafversions-differ" + b"\x91" * 100_000,
    ],
)
async def test_what_cannot_be_read_is_no_frame(begin: Callable[[], Heard], body: bytes) -> None:
    told = begin()
    assert told.tell("scheduler", "frame", len(body).to_bytes(4, "big") + body) == []
    assert await told.times() == []


@pytest.mark.parametrize("peak", ["-1", str(1 << 80), "1e400", "[]", '"1"', "[" * 100_000])
async def test_what_no_driver_can_hold_is_in_no_record(begin: Callable[[], Heard], peak: str) -> None:
    told = begin()
    told.frame(1.0)
    assert told.tell("driver", "facts", f'{{"peak_bytes": {peak}}}'.encode()) == []
    await told.hearing.end(KEY, 500 << 20)
    assert await told.times() == [1.0]


async def test_reports_are_files_beside_the_record(begin: Callable[[], Heard]) -> None:
    told = begin()
    for role, body in (
        ("scheduler", b"performance.html\n<p>first"),
        ("scheduler", b"performance.html\n<p>one\n<p>two"),
        ("scheduler", b"state.msgpack.gz\n"),
        ("scheduler", b"../../../../escaped\nx"),
        ("scheduler", b"driver.log\nx"),
        ("scheduler", b"performance.html"),
        ("worker-0", b"state.msgpack.gz\nx"),
    ):
        assert told.tell(role, "report", body) == []
    await told.hearing.settle(KEY)
    kept = files.RecordFiles(told.folder)
    assert await kept.reports(KEY) == {"performance.html": 13}
    assert await kept.report(KEY, "performance.html") == b"<p>one\n<p>two"
    assert [one.name for one in (told.folder / KEY).iterdir()] == ["performance.html"]


async def test_a_report_that_has_no_room_stops_nothing(begin: Callable[[], Heard]) -> None:
    told = begin()
    (told.folder / KEY / "performance.html").mkdir(parents=True)
    told.tell("scheduler", "report", b"performance.html\nx")
    told.frame(1.0)
    assert await told.times() == [1.0]
