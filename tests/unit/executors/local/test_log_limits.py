"""Logs that are too long lose their middle, on the disk too, and everybody who reads them passes over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dayfly.executors.local import log_files as tails
from dayfly.executors.local import log_reading
from dayfly.executors.local.forked import log_limits, processes
from dayfly.gateway import log_files
from dayfly.gateway.extras import lines, merging, searching
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import AttemptLogs

KEY = AttemptKey("p/d/e/n0/0")
MAX = 2**20
LINES = 200_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / KEY / "driver.log"
    path.parent.mkdir(parents=True)
    return path


def write(log: Path, limit: log_limits.Limit | None, first: int = 0, last: int = LINES) -> None:
    """Write numbered lines, and have the limit looked at now and then."""
    with log.open("ab", buffering=0) as file:
        for start in range(first, last, 1000):
            file.write(b"".join(b"line %d\n" % number for number in range(start, start + 1000)))
            if limit is not None:
                limit.keep()


def kept(log: Path) -> int:
    return log.stat().st_blocks * 512


async def read_all(logs: AttemptLogs) -> bytes:
    whole, at = b"", 0
    while (piece := await logs.read(KEY, "driver", at, 100_000)).data:
        assert piece.start >= at
        whole += piece.data
        at = piece.start + len(piece.data)
    assert at == piece.size_bytes
    return whole


async def test_begin_and_end_are_kept_with_a_note_between(log: Path, tmp_path: Path) -> None:
    write(log, log_limits.Limit(str(log), MAX))
    assert kept(log) <= MAX < log.stat().st_size
    whole = await read_all(log_reading.LogFolder(tmp_path))
    note = log_limits.tell_limit(MAX)
    assert b"1 MiB" in note
    head, found, tail = whole.partition(note)
    assert found
    assert head.startswith(b"line 0\nline 1\n")
    assert tail.endswith(b"line %d\n" % (LINES - 1))
    assert len(head) + len(note) == MAX // 2
    assert len(tail) >= MAX // 4
    assert b"\0" not in whole


async def test_a_log_within_its_limit_stays_as_it_is(log: Path, tmp_path: Path) -> None:
    write(log, log_limits.Limit(str(log), MAX), last=10_000)
    write(log, log_limits.Limit(str(log), 0), 10_000, LINES)
    assert (await read_all(log_reading.LogFolder(tmp_path))).split(b"\n")[:-1] == [b"line %d" % n for n in range(LINES)]


def test_what_is_not_there_yet_is_no_fault(log: Path) -> None:
    log_limits.Limit(str(log), MAX).keep()
    assert not log.exists()


def test_without_holes_the_beginning_is_kept(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "punch_hole", lambda *_: False)
    limit = log_limits.Limit(str(log), MAX)
    write(log, limit)
    write(log, limit)
    assert log.stat().st_size <= MAX
    assert log.read_bytes()[: MAX // 2].endswith(log_limits.tell_limit(MAX))


async def test_lines_and_searches_pass_over_it(log: Path, tmp_path: Path) -> None:
    write(log, log_limits.Limit(str(log), MAX))
    logs = log_reading.LogFolder(tmp_path)
    found = await searching.search(logs, KEY, "driver", f"line {LINES - 5}", searching.Place(), limit=9, context=1)
    assert [(one.text, one.before, one.after) for one in found.found] == [
        (f"line {LINES - 5}", [f"line {LINES - 6}"], [f"line {LINES - 4}"])
    ]
    assert found.at_end
    assert found.scanned_bytes <= MAX
    view = merging.View(logs, KEY, merging.Wanted(search=b"left out"), whole=True)
    page = await view.read_page(["driver"], {}, 10)
    assert [line.text for line in page.lines] == [log_limits.tell_limit(MAX).decode().strip()]
    assert page.at_end
    last = await merging.View(logs, KEY, merging.Wanted(), whole=True).read_tail(await logs.list_files(KEY), 3, began=0)
    assert [line.text for line in last.lines] == [f"line {LINES - 3 + n}" for n in range(3)]
    assert all(isinstance(line, lines.Line) for line in last.lines)


async def test_the_linked_log_and_the_end_that_errors_tell(log: Path, tmp_path: Path) -> None:
    write(log, log_limits.Limit(str(log), MAX))
    text = b"".join([chunk async for chunk in log_files._chunks(log, None)])
    assert text == await read_all(log_reading.LogFolder(tmp_path))
    last = b"".join([chunk async for chunk in log_files._chunks(log, 2)])
    assert last == b"line %d\nline %d\n" % (LINES - 2, LINES - 1)
    assert tails.tail(log).endswith(f"line {LINES - 1}")
