from __future__ import annotations

from typing import Any

import pytest

from dayfly.executors.kubernetes import merging


@pytest.mark.parametrize(
    ("field", "base", "over", "laid"),
    [
        ("", {"a": 1, "b": {"c": 1}}, {"b": {"d": 2}}, {"a": 1, "b": {"c": 1, "d": 2}}),
        ("", {"args": [1, 2]}, {"args": [3]}, {"args": [3]}),
        ("tolerations", [{"key": "a"}], [{"key": "a"}, {"key": "b"}], [{"key": "a"}, {"key": "b"}]),
        ("env", [{"name": "A", "value": "1"}], [{"name": "A", "value": "2"}], [{"name": "A", "value": "2"}]),
        ("env", [{"odd": 1}], [{"odd": 2}], [{"odd": 1}, {"odd": 2}]),
        (
            "containers",
            [{"name": "a", "image": "x"}, {"name": "b"}],
            [{"name": "a", "tty": True}, {"name": "c"}],
            [{"name": "a", "image": "x", "tty": True}, {"name": "b"}, {"name": "c"}],
        ),
    ],
)
def test_parts_are_laid_over_each_other(field: str, base: Any, over: Any, laid: Any) -> None:
    assert merging.lay_over(base, over, field) == laid


def test_whole_floats_are_integers() -> None:
    told = {"port": 80.0, "share": 0.5, "all": [1.0, {"n": 2.0}], "text": "3.0", "yes": True}
    made = merging.whole_numbers(told)
    assert made == {"port": 80, "share": 0.5, "all": [1, {"n": 2}], "text": "3.0", "yes": True}
    assert isinstance(made["port"], int)
    assert made["yes"] is True
