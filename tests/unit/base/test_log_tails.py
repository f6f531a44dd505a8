from __future__ import annotations

from pathlib import Path

import pytest

from dayfly.base import log_tails


@pytest.mark.parametrize(
    ("text", "most_bytes", "most_lines", "told"),
    [
        ("", 100, None, ""),
        ("a\nb\n", 100, None, "a\nb"),
        ("\n  a\nb\n\n", 100, None, "  a\nb"),
        ("a\nb\nc", 100, 2, "b\nc"),
        ("first\nsecond\nthird\n", 10, None, "third"),
        ("x" * 50, 10, None, "x" * 10),
        ("größe\n" * 3, 8, None, "größe"),
    ],
)
def test_the_last_whole_lines(tmp_path: Path, text: str, most_bytes: int, most_lines: int | None, told: str) -> None:
    (tmp_path / "log").write_text(text)
    assert log_tails.last_lines(tmp_path / "log", most_bytes, most_lines) == told


def test_what_cannot_be_read_has_none(tmp_path: Path) -> None:
    assert log_tails.last_lines(tmp_path / "none", 100) == ""
    assert log_tails.last_lines(tmp_path, 100) == ""
