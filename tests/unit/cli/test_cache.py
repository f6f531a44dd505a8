"""`dayfly cache`, against an API that is made up."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from dayfly.base import errors
from dayfly.cli import cache

WHEN = "2026-03-14T09:26:53.589793Z"
USAGE = {"project": "p", "domain": "d", "task": "fit", "entries": 2, "size_bytes": 3000, "oldest": WHEN, "newest": WHEN}
ENTRY = {
    "project": "p",
    "domain": "d",
    "task": "fit",
    "cache_version": "1.0",
    "execution": {"project": "p", "domain": "d", "name": "a7x", "node": "n0", "attempt": 0},
    "made_at": WHEN,
    "size_bytes": 311,
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    """What was asked: verb, path, and the query without what is empty."""
    calls: list[tuple[str, str, dict[str, Any]]] = []

    def call(address: str, path: str, query: dict[str, Any], *, verb: str = "GET") -> Any:
        calls.append((verb, path, {name: value for name, value in query.items() if value}))
        if verb == "DELETE":
            return {"entries": 2, "size_bytes": 3000}
        if path == "/cache/sizes":
            known = query["task"] != "nothing"
            return {"tasks": [USAGE] * known, "entries": 2 * known, "size_bytes": 3000 * known}
        page = min(query["limit"], 2)
        return {"entries": [ENTRY] * page, "token": "more"}

    monkeypatch.setattr(cache.extras, "call", call)
    monkeypatch.setattr(cache.reaching, "find_address", lambda _: "host:1")
    return calls


def dayfly(*words: str, value: str = "") -> str:
    done = CliRunner().invoke(cache.command, words, input=value, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.output


def test_list_fetches_as_many_as_are_wanted(asked: list[Any]) -> None:
    lines = dayfly("list", "--limit", "5", "--task", "fit").splitlines()
    assert lines[1].split() == ["p/d", "fit", "1.0", "a7x", "n0", "2026-03-14", "09:26:53", "311", "B"]
    assert len(lines) == 6
    assert [query for _, _, query in asked] == [
        {"task": "fit", "limit": 5},
        {"task": "fit", "limit": 3, "token": "more"},
        {"task": "fit", "limit": 1, "token": "more"},
    ]


def test_size(asked: list[Any]) -> None:
    lines = dayfly("size").splitlines()
    assert lines[1].split()[:5] == ["p/d", "fit", "2", "2.9", "KiB"]
    assert lines[-1] == "2 entries, 2.9 KiB in all."
    assert dayfly("size", "--task", "nothing") == "Nothing is cached.\n"


def test_evict_asks_first(asked: list[Any]) -> None:
    with pytest.raises(click.Abort):
        dayfly("evict", "--task", "fit", value="n\n")
    assert [verb for verb, _, _ in asked] == ["GET"]
    assert "Removed 2 entries, 2.9 KiB." in dayfly("evict", "--task", "fit", value="y\n")
    assert asked[-1] == ("DELETE", "/cache/entries", {"task": "fit"})
    dayfly("evict", "--all", "--yes")
    assert asked[-1] == ("DELETE", "/cache/entries", {"all": True})


def test_evict_says_when_there_is_nothing(asked: list[Any]) -> None:
    assert "Nothing is cached" in dayfly("evict", "--task", "nothing", "--yes")
    assert [verb for verb, _, _ in asked] == ["GET"]


def test_evict_needs_to_be_told_what(asked: list[Any]) -> None:
    with pytest.raises(errors.InvalidArgument, match="--all"):
        dayfly("evict", "--yes")
    assert asked == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--execution", "a7x"], "flytesnacks/development/a7x"),
        (["--execution", "a7x", "-p", "shop"], "shop/development/a7x"),
        (["--execution", "shop/production/a7x"], "shop/production/a7x"),
    ],
)
def test_executions_are_named_as_elsewhere(asked: list[Any], words: list[str], named: str) -> None:
    dayfly("size", *words)
    assert asked[0][2]["execution"] == named


def test_ages(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        def now(self) -> int:
            return 1_773_480_000_000_000

    monkeypatch.setattr(cache, "SystemClock", Clock)
    dayfly("size", "--older-than", "2d")
    assert asked[0][2]["before"] == "2026-03-12T09:20:00+00:00"
    with pytest.raises(click.BadParameter, match="12h"):
        dayfly("size", "--older-than", "yesterday")


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 2**20, "5.0 MiB"), (2**44, "16384.0 GiB")]
)
def test_sizes(size: int, told: str) -> None:
    assert cache._size(size) == told
