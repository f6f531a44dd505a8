"""How values in filters are read; what filters find is in the contract suites."""

from __future__ import annotations

import pytest

from dayfly.stores import fields, filtering


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("90", 90_000_000),
        ("1.5", 1_500_000),
        ("0", 0),
        ("1m30s", 90_000_000),
        ("2h45m", 9_900_000_000),
        ("1.5h", 5_400_000_000),
        ("250ms", 250_000),
        ("3us", 3),
        ("3µs", 3),
        ("5000ns", 5),
    ],
)
def test_spans(text: str, micros: int):
    assert filtering.span(text) == micros


@pytest.mark.parametrize("text", ["", "soon", "1d", "1m-30s", "m", "1 m", "1m 30s", "1.2.3s", "nan", "inf", "1e300"])
def test_what_is_no_span(text: str):
    with pytest.raises(ValueError):
        filtering.span(text)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T00:00:01.5z", 1_500_000),
        ("1970-01-01T00:00:00.123456789Z", 123_456),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01", 0),
    ],
)
def test_moments(text: str, micros: int):
    assert filtering.moment(text) == micros


@pytest.mark.parametrize("text", ["", "today", "1970-13-01T00:00:00Z"])
def test_what_is_no_moment(text: str):
    with pytest.raises(ValueError, match="not a time"):
        filtering.moment(text)


def test_every_list_knows_the_columns_that_clients_name():
    assert {"execution_project", "execution_domain", "phase", "user", "launch_plan.name"} <= set(fields.EXECUTIONS)
    assert {"node_id", "node_execution_created_at", "execution.phase"} <= set(fields.NODES)
    assert {"name", "retry_attempt", "node_execution.phase", "task.version"} <= set(fields.ATTEMPTS)
