"""What a cluster has dropped of what it was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.executors.kubernetes import pruning


@pytest.mark.parametrize(
    ("asked", "made", "dropped"),
    [
        ({"a": 1}, {"a": "1", "b": 2}, []),
        ({"a": 1, "b": {"c": [{"d": 1}, {"e": 2}]}}, {"a": 1, "b": {"c": [{"d": 1}, {}]}}, ["b.c[1].e"]),
        ({"a": None, "b": "", "c": [], "d": {}}, {}, []),
        ({"a": {"b": 0}}, {}, ["a"]),
        ({"a": {"b": False}}, {"a": {}}, ["a.b"]),
    ],
)
def test_what_is_missing_is_named(asked: Any, made: Any, dropped: list[str]) -> None:
    assert list(pruning.find_dropped(asked, made)) == dropped
