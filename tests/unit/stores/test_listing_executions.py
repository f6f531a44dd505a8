"""Which index SQLite reads a list of executions by: one that has the rows in the list's order, else one of few rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dayfly.ports.definitions import Filter, Page
from dayfly.stores import narrowing, run_reading, schema, sqlite

NEWEST = {
    "": "created_at",
    "eq(phase,FAILED)": "phase",
    "eq(workflow.name,w)": "workflow",
    "eq(user,ann)": "user",
    "gte(started_at,2026-01-01T00:00:00Z)": "created_at",
    "gte(duration,90)": "created_at",
    "eq(workflow.name,w)+lt(started_at,2026-01-01T00:00:00Z)": "workflow",
    "eq(execution_tag.key,team)+eq(execution_tag.value,red)": "created_at",
    "value_in(phase,FAILED;ABORTED)": "phase",
    "contains(error_code,x)": "created_at",
}
LONGEST = {"": "duration", "eq(phase,FAILED)": "duration", "value_in(phase,FAILED;ABORTED)": "duration"}


@pytest.fixture
def connection():
    ways = sqlite.open_ways(sa.make_url("sqlite://"))
    with ways.writing.engine.begin() as connection:
        schema.metadata.create_all(connection)
        yield connection
    ways.writing.engine.dispose()


def filters(told: str) -> tuple[Filter, ...]:
    parts = [one.removesuffix(")").partition("(") for one in told.split("+") if one]
    return tuple(
        Filter(field, function, tuple(values.split(";")))
        for function, _, rest in parts
        for field, _, values in [rest.partition(",")]
    )


def plan_of_last(connection: sa.Connection, page: Page) -> str:
    """Return how SQLite goes about the statement that reads the page itself."""
    seen = []
    sa.event.listen(connection, "before_cursor_execute", lambda *call: seen.append(call[2:4]))
    run_reading.list_executions(connection, run_reading.executions("p", "d", page))
    statement, values = seen[-1]
    return "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values))


@pytest.mark.parametrize(
    ("told", "sort_key", "index"),
    [
        *((told, "created_at", index) for told, index in NEWEST.items()),
        *((told, "duration", index) for told, index in LONGEST.items()),
    ],
)
def test_a_list_is_read_in_its_order(connection, monkeypatch, told: str, sort_key: str, index: str):
    monkeypatch.setattr(narrowing, "FEW", -1)
    plan = plan_of_last(connection, Page(10, filters=filters(told), sort_key=sort_key))
    assert f"ix_executions_by_{index} " in plan
    assert told.startswith("value_in") or "TEMP B-TREE" not in plan


@pytest.mark.parametrize("told", [*list(NEWEST)[4:8], "eq(phase,FAILED)+eq(user,ann)"])
def test_few_rows_are_looked_up_and_sorted(connection, told: str):
    plan = plan_of_last(connection, Page(10, filters=filters(told)))
    assert "SEARCH executions USING INTEGER PRIMARY KEY" in plan
    assert "TEMP B-TREE" in plan


@pytest.mark.parametrize("told", list(NEWEST)[:4])
def test_what_has_the_order_anyway_is_not_counted(connection, told: str):
    assert run_reading.executions("p", "d", Page(10, filters=filters(told))).narrower == []
