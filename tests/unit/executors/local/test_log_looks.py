"""Looks at a growing log: written by supervisors, read back with each range."""

from __future__ import annotations

from pathlib import Path

import pytest

from dayfly.executors.local import log_reading
from dayfly.executors.local.forked import log_looks
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import Mark

KEY = AttemptKey("p/d/e/n0/0")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / KEY / "driver.log"
    file.parent.mkdir(parents=True)
    return file


def grow(log: Path, *sizes: int) -> None:
    """Look at the log ten seconds after the last look, each time it has grown to a size."""
    looks = log_looks.Looks(str(log))
    looks.look(0.0, 1000)
    for number, size in enumerate(sizes, 1):
        log.write_bytes(b"x" * size)
        looks.look(10.0 * number, 1000 + number)


@pytest.mark.parametrize(
    ("start", "limit", "sizes"),
    [
        (0, 100, [0, 5, 9, 20]),
        (0, 5, [0, 5]),
        (0, 6, [0, 5, 9]),
        (4, 1, [0, 5]),
        (5, 4, [5, 9]),
        (6, 1, [5, 9]),
        (19, 1, [9, 20]),
        (20, 5, []),
    ],
)
async def test_a_range_is_read_with_the_looks_around_it(
    tmp_path: Path, log: Path, start: int, limit: int, sizes: list[int]
) -> None:
    grow(log, 5, 9, 20)
    piece = await log_reading.LogFolder(tmp_path).read(KEY, "driver", start, limit)
    moments = {0: 1000, 5: 1001, 9: 1002, 20: 1003}
    assert piece.marks == tuple(Mark(moments[size], size) for size in sizes)  # type: ignore[arg-type]


async def test_what_grew_since_the_last_look_has_none_behind_it(tmp_path: Path, log: Path) -> None:
    grow(log, 5)
    with log.open("ab") as opened:
        opened.write(b"more")
    piece = await log_reading.LogFolder(tmp_path).read(KEY, "driver", 6, 3)
    assert piece.marks == (Mark(1001, 5),)  # type: ignore[arg-type]


async def test_without_looks_and_with_a_cut_off_one(tmp_path: Path, log: Path) -> None:
    log.write_bytes(b"xx")
    logs = log_reading.LogFolder(tmp_path)
    assert (await logs.read(KEY, "driver", 0, 9)).marks == ()
    log.with_suffix(".times").write_bytes(log_looks.ENTRY.pack(7, 0) + b"half")
    assert (await logs.read(KEY, "driver", 0, 9)).marks == (Mark(7, 0),)  # type: ignore[arg-type]
    assert [file.role for file in await logs.list_files(KEY)] == ["driver"]


def test_a_look_that_comes_too_soon_or_sees_nothing_new_is_not_noted(log: Path) -> None:
    looks = log_looks.Looks(str(log))
    times = log.with_suffix(".times")
    looks.look(0.0, 1)
    log.write_bytes(b"x")
    looks.look(log_looks.FIRST_SECONDS / 2, 2)
    assert times.stat().st_size == log_looks.ENTRY.size
    looks.look(1.0, 3)
    looks.look(2.0, 4)
    assert times.stat().st_size == 2 * log_looks.ENTRY.size


async def test_the_last_look_that_saw_nothing_new_is_told_with_the_one_that_did(tmp_path: Path, log: Path) -> None:
    looks = log_looks.Looks(str(log))
    for second in range(9):
        looks.look(float(second), second + 1)
    log.write_bytes(b"at last\n")
    looks.look(9.0, 10)
    piece = await log_reading.LogFolder(tmp_path).read(KEY, "driver", 0, 100)
    assert piece.marks == (Mark(9, 0), Mark(10, 8))  # type: ignore[arg-type]


def test_where_nothing_can_be_written_nothing_is_said(tmp_path: Path) -> None:
    log_looks.Looks(str(tmp_path / "nowhere" / "driver.log")).look(0.0, 1)


def test_looks_become_rarer() -> None:
    most, seconds = 0, 0.0
    while seconds < 7 * 86_400:
        most += 1
        seconds += log_looks.spacing_seconds(most)
    assert 2 * most * log_looks.ENTRY.size < 8 * 2**20
    assert log_looks.spacing_seconds(most) < 10
