"""What roles of pods tell by their logs, taken out of them again; with odd lines in between."""

from __future__ import annotations

import random

import pytest

from dayfly.executors.dask.relay import splitting
from dayfly.executors.dask.relay.splitting import Splitter, Told
from dayfly.executors.dask.roles import telling

HUGE = random.Random(7).randbytes(300_000)
"""Nothing that can be packed."""


def heard(lines: list[bytes]) -> tuple[list[bytes], list[Told]]:
    splitter = Splitter()
    split = [splitter.split(line) for line in lines]
    return [one.kept for one in split if one.kept is not None], [one.told for one in split if one.told is not None]


def told(kind: str, name: str, body: bytes) -> list[bytes]:
    return [line.removesuffix(b"\n") for line in telling.lines(kind, name, body)]


@pytest.mark.parametrize("body", [b"", b"x", b"\n" * 5000, "Grüße".encode(), HUGE])
def test_what_is_told_arrives(body: bytes) -> None:
    kept, found = heard(told("frame", "ab1", body))
    assert kept == []
    assert found == [Told("frame", body)]


def test_a_huge_thing_is_many_short_lines() -> None:
    lines = told("frame", "ab1", HUGE)
    assert len(lines) > 80
    assert max(map(len, lines)) < 4096, "the kernel writes them whole"


def test_lines_of_the_log_stay_between() -> None:
    first, *others = told("frame", "ab1", HUGE)
    kept, found = heard([b"before", first, b"", b"zwischen\r", *others, b"after"])
    assert kept == [b"before", b"", b"zwischen\r", b"after"]
    assert found == [Told("frame", HUGE)]


def test_a_line_without_an_end_stands_before() -> None:
    (line,) = told("facts", "ab1", b"{}")
    assert heard([b"loading ... " + line]) == ([b"loading ... "], [Told("facts", b"{}")])


@pytest.mark.parametrize("cut", [1, 20, 100, 3999])
def test_a_line_that_is_cut_off_is_no_news_and_what_follows_is(cut: int) -> None:
    lines = told("frame", "ab1", HUGE)
    lines[3] = lines[3][:-cut]
    _, found = heard([*lines, *told("facts", "ab2", b"{}")])
    assert found == [Told("facts", b"{}")]


def test_missing_and_repeated_lines() -> None:
    lines = told("frame", "ab1", HUGE)
    assert heard(lines[1:]) == ([], [])
    assert heard([*lines[:5], *lines[6:]]) == ([], [])
    assert heard([*lines[:5], *lines])[1] == [Told("frame", HUGE)], "shown again from the beginning"
    assert heard([*lines[:3], lines[2], *lines[3:]]) == ([], [])


@pytest.mark.parametrize(
    "line",
    [
        b"DAYFLY-TOLD 1 ",
        b"DAYFLY-TOLD 1 frame ab1 1/1 00000000 eJwDAAAAAAE=",
        b"DAYFLY-TOLD 1 frame ab1 1/1 zz eJw=",
        b"DAYFLY-TOLD 2 frame ab1 1/1 00000000 eJwDAAAAAAE=",
        b"I say DAYFLY-TOLD 1 frame, and mean nothing by it",
        b"\xff\xfe\x00\x1b[0m \xc3",
        b"",
    ],
)
def test_what_looks_alike_stays(line: bytes) -> None:
    assert heard([line]) == ([line], [])


def test_what_is_no_stream_or_a_bomb_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = told("frame", "ab1", bytes(2_000_000))
    monkeypatch.setattr(splitting, "MAX_BYTES", 1_000_000)
    assert heard(bomb) == ([], [])
    monkeypatch.setattr(telling.zlib, "compress", lambda body, level: b"no stream")
    assert heard(told("frame", "ab1", b"x")) == ([], [])


def test_lines_of_carriage_return_consoles() -> None:
    (line,) = told("facts", "ab1", b"{}")
    assert heard([line + b"\r"])[1] == [Told("facts", b"{}")]
