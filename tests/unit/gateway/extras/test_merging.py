"""One log view: order, pages, filters and bounds."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.fakes.attempt_logs import MemoryLogs

from dayfly.base import clock, errors
from dayfly.base.clock import Micros
from dayfly.gateway.extras import choosing, cursors, line_heads, lines, merging
from dayfly.gateway.extras.lines import Reading
from dayfly.model.identifiers import AttemptKey

KEY = AttemptKey("p/d/e/n0/0")
BEGAN = clock.from_datetime(datetime(2026, 3, 14, 12).astimezone())


def line(second: int, told: str, level: str = "INFO") -> str:
    return f"2026-03-14 12:{second // 60:02}:{second % 60:02},000 - x - {level} - {told}\n"


@pytest.fixture
def logs() -> MemoryLogs:
    made = MemoryLogs()
    made.write(KEY, "driver", "hello\n" + line(2, "two") + "print\n" + line(6, "six"))
    made.write(KEY, "scheduler", line(1, "one") + line(3, "three", "WARNING") + line(5, "five"))
    made.write(KEY, "worker-0", line(2, "also two") + "Traceback (most recent call last):\n  File\nValueError: 4\n")
    return made


async def read_all(logs: MemoryLogs, limit: int, *, whole: bool = True, **wanted: object) -> list[str]:
    """Read page by page, each from the token of the one before."""
    roles = [file.role for file in await logs.list_files(KEY)]
    token, told = cursors.write({role: Reading(at=BEGAN) for role in roles}), []
    for _ in range(1000):
        view = merging.View(logs, KEY, choosing.Wanted(**wanted), whole=whole)  # type: ignore[arg-type]
        page = await view.read_page(roles, cursors.read(token), limit)
        assert len(page.lines) <= limit
        told += [f"{one.role}: {one.text.rpartition(' - ')[2]}" for one in page.lines]
        token = cursors.write(page.readings)
        if page.at_end:
            return told
    raise AssertionError("it does not end")


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_lines_are_merged_by_time_however_they_are_paged(logs: MemoryLogs, limit: int) -> None:
    assert await read_all(logs, limit) == [
        "driver: hello",
        "scheduler: one",
        "driver: two",
        "driver: print",
        "worker-0: also two",
        "worker-0: Traceback (most recent call last):",
        "worker-0:   File",
        "worker-0: ValueError: 4",
        "scheduler: three",
        "scheduler: five",
        "driver: six",
    ]


@pytest.mark.parametrize("limit", [1, 100])
async def test_filters(logs: MemoryLogs, limit: int) -> None:
    warning = line_heads.LEVELS["WARNING"]
    assert await read_all(logs, limit, level=warning) == [
        "worker-0: Traceback (most recent call last):",
        "worker-0:   File",
        "worker-0: ValueError: 4",
        "scheduler: three",
    ]
    assert await read_all(logs, limit, search=b"two") == ["driver: two", "worker-0: also two"]
    assert await read_all(logs, limit, search=b"valueerror", level=warning) == ["worker-0: ValueError: 4"]
    assert await read_all(logs, limit, search=b"nowhere") == []


async def test_a_line_without_an_end_waits_for_it_while_the_attempt_lives(logs: MemoryLogs) -> None:
    logs.write(KEY, "driver", "half")
    assert "driver: half" not in await read_all(logs, 5, whole=False)
    assert (await read_all(logs, 5))[-1] == "driver: half"
    logs.write(KEY, "driver", " and whole\n")
    assert (await read_all(logs, 5, whole=False))[-1] == "driver: half and whole"


async def test_what_is_written_later_follows_from_the_token(logs: MemoryLogs) -> None:
    view = merging.View(logs, KEY, choosing.Wanted(), whole=False)
    page = await view.read_page(["driver"], {"driver": Reading(at=BEGAN)}, 100)
    assert page.at_end
    logs.write(KEY, "driver", line(9, "nine"))
    logs.write(KEY, "worker-1", line(8, "eight"))
    view = merging.View(logs, KEY, choosing.Wanted(), whole=False)
    page = await view.read_page(["driver", "worker-1"], page.readings, 100)
    assert [(one.role, one.text[-5:]) for one in page.lines] == [("worker-1", "eight"), ("driver", " nine")]


@pytest.mark.parametrize(("limit", "first"), [(1, "six"), (3, "three"), (5, "File"), (100, "hello")])
async def test_tail(logs: MemoryLogs, limit: int, first: str) -> None:
    files = await logs.list_files(KEY)
    page = await merging.View(logs, KEY, choosing.Wanted(), whole=True).read_tail(files, limit, began=BEGAN)
    assert len(page.lines) == min(limit, 11) and page.at_end
    assert page.lines[0].text.rpartition(" - ")[2].strip() == first


async def test_tail_of_what_is_chosen(logs: MemoryLogs) -> None:
    files = await logs.list_files(KEY)
    wanted = choosing.Wanted(search=b"two")
    page = await merging.View(logs, KEY, wanted, whole=True).read_tail(files, 1, began=BEGAN)
    assert [one.text.rpartition(" - ")[2] for one in page.lines] == ["also two"]


async def test_a_large_log_is_read_in_ranges_and_a_page_reads_only_so_much() -> None:
    logs = MemoryLogs()
    part = b"".join(b"%063d\n" % number for number in range(2**14))
    logs.write(KEY, "driver", part * 40 + b"needle\n")
    logs.reads.clear()
    view = merging.View(logs, KEY, choosing.Wanted(search=b"needle"), whole=True)
    page = await view.read_page(["driver"], {}, 10)
    assert page.lines == [] and not page.at_end
    assert sum(logs.reads) <= merging.MAX_SCANNED_BYTES + merging.MAX_RANGE_BYTES
    assert max(logs.reads) <= merging.MAX_RANGE_BYTES
    view = merging.View(logs, KEY, choosing.Wanted(search=b"needle"), whole=True)
    page = await view.read_page(["driver"], page.readings, 10)
    assert [(one.text, one.offset) for one in page.lines] == [("needle", len(part) * 40)]


@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_passing_over_what_is_not_wanted_loses_nothing(limit: int) -> None:
    logs = MemoryLogs()
    text = "".join(
        line(number // 100, "needle" if number % 2500 == 9 else "of no interest")
        + ("plain needle\n" if number % 3000 == 1 else "")
        + (
            line(number // 100, "bad", "ERROR")
            + "Traceback (most recent call last):\n"
            + "  in a file\n" * 2000
            + "ValueError: 4\nplain\n"
            if number % 7000 == 5
            else ""
        )
        for number in range(20_000)
    )
    logs.write(KEY, "driver", text)
    every = [(one.offset, one.at, one.level, one.text) for one in await read_lines(logs, 5000, choosing.Wanted())]
    assert len(every) == text.count("\n")
    found = await read_lines(logs, limit * 10, choosing.Wanted(search=b"needle"))
    assert [(one.offset, one.at, one.text) for one in found] == [
        (offset, at, told) for offset, at, _, told in every if "needle" in told
    ]
    error = line_heads.LEVELS["ERROR"]
    found = await read_lines(logs, limit * 10, choosing.Wanted(level=error))
    assert [one.offset for one in found] == [offset for offset, _, level, _ in every if level >= error]
    assert len(found) == 3 * 2003


async def read_lines(logs: MemoryLogs, limit: int, wanted: choosing.Wanted) -> list[lines.Line]:
    readings, told = {"driver": Reading(at=BEGAN)}, []
    while True:
        page = await merging.View(logs, KEY, wanted, whole=True).read_page(["driver"], readings, limit)
        told += page.lines
        readings = page.readings
        if page.at_end:
            return told


async def test_a_page_takes_so_many_lines_apart() -> None:
    logs = MemoryLogs()
    logs.write(KEY, "driver", b"error\n" * 3 * merging.MAX_PARSED_LINES)
    wanted = choosing.Wanted(level=line_heads.LEVELS["ERROR"])
    page = await merging.View(logs, KEY, wanted, whole=True).read_page(["driver"], {}, 10)
    assert page.lines == [] and not page.at_end
    assert page.readings["driver"].offset < 8 * merging.MAX_PARSED_LINES


async def test_the_tail_of_a_large_log_reads_its_end() -> None:
    logs = MemoryLogs()
    logs.write(KEY, "driver", b"x\n" * (6 * 1024 * 1024) + b"last\n")
    logs.reads.clear()
    files = await logs.list_files(KEY)
    page = await merging.View(logs, KEY, choosing.Wanted(), whole=True).read_tail(files, 2, began=Micros(7))
    assert [one.text for one in page.lines] == ["x", "last"]
    assert sum(logs.reads) <= merging.BUFFERED_BYTES + 1024


@pytest.mark.parametrize("search", [b"", b"long"])
async def test_the_tail_of_a_log_whose_last_line_is_longer_than_what_is_read(search: bytes) -> None:
    logs = MemoryLogs()
    logs.write(KEY, "driver", b"x\n" * 10 + b"long " * (merging.BUFFERED_BYTES // 5 + 10) + b"\n")
    files = await logs.list_files(KEY)
    view = merging.View(logs, KEY, choosing.Wanted(search=search), whole=True)
    page = await view.read_tail(files, 3, began=Micros(7))
    assert page.at_end and len(page.lines) == 3
    assert all("long" in one.text for one in page.lines)


async def test_pages_end_where_there_is_much_text() -> None:
    logs = MemoryLogs()
    logs.write(KEY, "driver", (b"x" * lines.MAX_LINE_BYTES + b"\n") * 200)
    page = await merging.View(logs, KEY, choosing.Wanted(), whole=True).read_page(["driver"], {}, 200)
    assert len(page.lines) == merging.MAX_TOLD_BYTES // lines.MAX_LINE_BYTES


@pytest.mark.parametrize("token", ["abc", "%%%", "eJw", "é", cursors.write({"a": Reading(-1)}), "AAAA" * 1000])
def test_tokens_that_nobody_gave(token: str) -> None:
    with pytest.raises(errors.InvalidArgument, match="not one that this log view gave"):
        cursors.read(token)


def test_a_token_names_many_logs_and_stays_small() -> None:
    readings = {f"worker-{number}": Reading(number * 1000, Micros(BEGAN + number)) for number in range(500)}
    token = cursors.write(readings)
    assert cursors.read(token) == readings
    assert len(token) < 12_000
