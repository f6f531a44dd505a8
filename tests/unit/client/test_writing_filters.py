"""What the client writes into a filter, the server reads out of it again."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st

from dayfly.client import filters
from dayfly.ports.definitions import Filter
from dayfly.services import filters as reading


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("flows.train", "eq(name,flows.train)"),
        ("1.2.0+g12ab", r"eq(name,1.2.0\+g12ab)"),
        ("a;b", r"eq(name,a\;b)"),
        (r"a\b", r"eq(name,a\b)"),
    ],
)
def test_only_what_ends_a_value_is_escaped(value: str, told: str) -> None:
    assert filters.equal("name", value) == told


@hypothesis.given(st.lists(st.text(r"+;\ ,()%a", min_size=1), min_size=1, max_size=3))
def test_any_names_are_read_as_they_were_written(names: list[str]) -> None:
    told = "+".join(filters.equal("name", name) for name in names)
    assert reading.parse(told) == tuple(Filter("name", "eq", (name,)) for name in names)
