"""Logs of pods at home: what their lines say of when they were written, and what a later platform finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from dayfly.executors.kubernetes import log_stamps, log_writing
from dayfly.executors.kubernetes.log_writing import TimedLog

SECOND = 1_000_000


def moments(path: Path) -> list[tuple[int, int]]:
    return list(log_writing.ENTRY.iter_unpack(path.with_suffix(".times").read_bytes()))


@pytest.mark.parametrize(
    ("raw", "at_nanos", "text"),
    [
        (b"1970-01-01T00:00:02.000000003Z hello", 2_000_000_003, b"hello"),
        (b"1970-01-01T01:00:02.5+01:00 hello ", 2_500_000_000, b"hello "),
        (b"1970-01-01T00:00:02Z ", 2_000_000_000, b""),
        (b"hello", 0, b"hello"),
        (b"1970-13-01T00:00:02Z no month", 0, b"no month"),
        (b"", 0, b""),
    ],
)
def test_the_stamp_of_a_line(raw: bytes, at_nanos: int, text: bytes) -> None:
    assert log_stamps.split(raw) == (at_nanos, text)


def test_stamps_within_a_long_line_are_taken_out() -> None:
    stamp = b"1970-01-01T00:00:02.000000003Z "
    first, second = b"a" * log_stamps.PIECE_BYTES, b"b" * log_stamps.PIECE_BYTES
    assert log_stamps.split(stamp + first + stamp + second + stamp + b"c").text == first + second + b"c"
    assert log_stamps.split(stamp + first + second + b"c").text == first + second + b"c", "by a newer kubelet"
    own = b"x" * 100 + stamp + b"y"
    assert log_stamps.split(stamp + own).text == own, "the line's own"


def test_each_line_has_its_moment(tmp_path: Path) -> None:
    log = TimedLog(tmp_path / "a" / "worker-0.log", 0)
    for line, at in ((b"one", SECOND), (b"two", SECOND + 400), (b"three", 2 * SECOND)):
        log.add(line, at)
    log.end()
    path = tmp_path / "a" / "worker-0.log"
    assert path.read_bytes() == b"one\ntwo\nthree\n"
    assert moments(path) == [(SECOND, 0), (2 * SECOND, 8)]


def test_a_later_platform_goes_on_where_the_log_was(tmp_path: Path) -> None:
    path, lines = tmp_path / "driver.log", [(b"%d" % number, number * SECOND) for number in range(1, 6)]
    first = TimedLog(path, 0)
    for line, at in lines[:3]:
        first.add(line, at)
    first.close()
    second = TimedLog(path, 0)
    assert second.begins_micros == 3 * SECOND
    for line, at in lines[1:]:  # shown again from a little before
        second.add(line, at)
    assert path.read_bytes() == b"1\n2\n3\n4\n5\n"
    assert moments(path) == [(at, 2 * number) for number, (_, at) in enumerate(lines)]
    second.close()


def test_no_line_is_missing_where_clocks_are_set(tmp_path: Path) -> None:
    path = tmp_path / "driver.log"
    first = TimedLog(path, 0)
    first.add(b"1", 9 * SECOND)
    first.close()
    second = TimedLog(path, 0)
    for line, at in ((b"0", 8), (b"1", 9), (b"2", 3), (b"3", 4)):
        second.add(line, at * SECOND)
    second.close()
    assert path.read_bytes() == b"1\n2\n3\n"


def test_a_log_without_moments_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "driver.log"
    path.write_bytes(b"of whoever\n")
    path.with_suffix(".times").write_bytes(b"\0" * 7)
    log = TimedLog(path, 0)
    assert log.begins_micros == 0
    log.add(b"new", SECOND)
    log.end()
    assert path.read_bytes() == b"new\n"


def test_of_a_log_that_is_too_long_begin_and_end_stay(tmp_path: Path) -> None:
    path = tmp_path / "driver.log"
    log = TimedLog(path, 4000)
    for number in range(1000):
        log.add(b"line %04d" % number, number * SECOND)
    log.end()
    told = path.read_text().splitlines()
    (note,) = [line for line in told if line.startswith("[")]
    dropped = int(note[1:].split()[0])
    assert note.endswith("are left out: this log is longer than the platform keeps.]")
    assert len(told) == 1000 - dropped + 1
    assert (told[0], told[-1]) == ("line 0000", "line 0999")
    assert path.stat().st_size < 4200


def test_moments_become_rarer_with_their_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_writing, "SPACED_LOOKS", 10)
    path = tmp_path / "driver.log"
    log = TimedLog(path, 0)
    for number in range(1, 100):
        log.add(b"x", number * 1000)
    log.close()
    seen = [at // 1000 for at, _ in moments(path)]
    assert seen[:12] == [*range(1, 11), 12, 14]
    assert seen[-1] - seen[-2] == 4
    again = TimedLog(path, 0)
    for number in range(1, 100):
        again.add(b"x", number * 1000)
    again.close()
    assert path.read_bytes() == b"x\n" * 99, "none twice, none missing"
