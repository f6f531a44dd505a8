"""What a line says of itself, and what the looks at its log add."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dayfly.base import clock
from dayfly.base.clock import Micros
from dayfly.gateway.extras import line_heads, lines
from dayfly.gateway.extras.lines import Line, Reading
from dayfly.ports.attempt_logs import Mark

NOON = datetime(2026, 3, 14, 12, 0, 0)
"""Local time, as loggers write it."""


def micros(moment: datetime) -> Micros:
    return clock.from_datetime(moment.astimezone())


AT_NOON = micros(NOON)


@pytest.mark.parametrize(
    ("line", "seconds", "level"),
    [
        ("2026-03-14 12:00:01,250 - distributed.scheduler - INFO - State start", 1.25, "INFO"),
        ("2026-03-14T12:00:01.250 WARNING careful", 1.25, "WARNING"),
        ("[2026-03-14 12:00:01,250] {flow.py:3} ERROR - no", 1.25, "ERROR"),
        ("2026-03-14 12:00:01 something", 1.0, ""),
        ("12:00:01.250000 ERROR    entrypoint.py:301 - Exception when executing", 1.25, "ERROR"),
        ("WARNING:root:careful", None, "WARNING"),
        ("[INFO] hello", None, "INFO"),
        ("Fatal Python error: Segmentation fault", None, "CRITICAL"),
        ('{"asctime": "2026-03-14 12:00:01,250", "levelname": "INFO", "message": "hi"}', 1.25, "INFO"),
        ('{"time": "12:00:01,250", "level": "warn"}', 1.25, "WARNING"),
        ("INFORMATION is all", None, ""),
        ("loading part 7", None, ""),
        ("2026-13-45 99:00:00 no time", None, ""),
        ("{not json", None, ""),
        ("[1, 2]", None, ""),
        ("", None, ""),
    ],
)
def test_heads(line: str, seconds: float | None, level: str) -> None:
    head = line_heads.read(line, AT_NOON)
    assert line_heads.name(head.level) == level
    assert head.at == (None if seconds is None else AT_NOON + int(seconds * clock.SECOND))


@pytest.mark.parametrize(
    ("line", "utc"),
    [
        ("2026-03-14T12:00:00Z x", "12:00"),
        ("2026-03-14 12:00:00+01:00 x", "11:00"),
        ("2026-03-14 12:00:00.5 -0130 x", "13:30"),
    ],
)
def test_zones(line: str, utc: str) -> None:
    at = line_heads.read(line, Micros(0)).at
    assert at is not None and clock.to_datetime(at).strftime("%H:%M") == utc


def test_a_time_without_a_date_is_the_nearest() -> None:
    midnight = micros(datetime(2026, 3, 14))
    assert line_heads.read("23:59:59 INFO x", midnight).at == midnight - clock.SECOND
    assert line_heads.read("00:00:01 INFO x", Micros(midnight - clock.SECOND)).at == midnight + clock.SECOND


def read(text: str, began: Micros = AT_NOON, marks: tuple[Mark, ...] = ()) -> list[Line]:
    reading, found = Reading(at=began), []
    data = text.encode()
    for start, end, after in lines.split(data, whole=True):
        line, reading = lines.read_line(reading, "driver", data[start:end], after, marks)
        found.append(line)
    assert reading.offset == len(data)
    return found


def test_plain_lines_were_written_with_or_after_the_one_before() -> None:
    told = read("first\n2026-03-14 12:00:03 - a - INFO - x\nthen\n2026-03-14 12:00:02 - a - INFO - late\n")
    assert [(line.at - AT_NOON) // clock.SECOND for line in told] == [0, 3, 3, 3]
    assert [line.timed for line in told] == [False, True, False, True]


def test_looks_at_the_log_say_when_plain_lines_were_written() -> None:
    marks = (Mark(Micros(AT_NOON + 5), 4), Mark(Micros(AT_NOON + 9), 12))
    told = read("one\ntwo\ntoo\nend\n", marks=marks)
    assert [line.at - AT_NOON for line in told] == [0, 5, 5, 9]


def test_looks_at_the_log_show_another_time_zone() -> None:
    elsewhere = (NOON + timedelta(hours=-7)).isoformat(" ")
    marks = (Mark(AT_NOON, 0), Mark(Micros(AT_NOON + 2 * clock.SECOND), 1000))
    (line,) = read(f"{elsewhere} - a - INFO - x\n", marks=marks)
    assert line.at == AT_NOON


def test_tracebacks_have_the_level_of_what_they_belong_to() -> None:
    told = read(
        "12:00:00 WARNING careful\n  more of it\nplain\nTraceback (most recent call last):\n"
        '  File "x.py"\nValueError: no\n\n'
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n  File\nKeyError: 1\nplain again\n"
    )
    names = [line_heads.name(line.level) for line in told]
    assert names == ["WARNING", "WARNING", "", *["ERROR"] * 9, ""]


def test_long_lines_come_in_pieces_that_no_range_changes() -> None:
    most = lines.MAX_LINE_BYTES
    data = b"x" * (2 * most + 5) + b"\n" + b"y" * most + b"\nz"
    whole = [(after, data[start:end]) for start, end, after in lines.split(data, whole=True)]
    assert [len(raw) for _, raw in whole] == [most, most, 5, most, 1]
    for cut in (1, most - 1, most, most + 1, 2 * most, 2 * most + 5, 2 * most + 6, 3 * most + 6, len(data)):
        first = [(after, data[:cut][start:end]) for start, end, after in lines.split(data[:cut], whole=False)]
        done = first[-1][0] if first else 0
        rest = [(done + after, data[done:][start:end]) for start, end, after in lines.split(data[done:], whole=True)]
        assert first + rest == whole, cut


@pytest.mark.parametrize(
    ("raw", "text"), [(b"10%\r20%\r30%", "30%"), (b"dos\r", "dos"), (b"\xff", "�"), (b"a\r\r", "a")]
)
def test_what_a_terminal_shows(raw: bytes, text: str) -> None:
    assert lines.shown(raw) == text
