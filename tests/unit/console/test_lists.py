"""What lists of the console decide without a page: filters, which rows follow, hours, what two runs differ in."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2
from flyteidl.core import literals_pb2, types_pb2

from dayfly.base import clock, errors
from dayfly.console import comparing, hours, run_filters, run_list
from dayfly.console.comparing import Side
from dayfly.console.run import gate
from dayfly.console.run.tree import Row

NOW = clock.from_datetime(datetime(2026, 3, 14, 9, 26, 53, tzinfo=timezone.utc))


# -- filters ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({}, ""),
        ({"nonsense": "x", "phase": " "}, ""),
        ({"phase": "failed,ABORTED"}, "value_in(phase,FAILED;ABORTED)"),
        ({"workflow": "a.b", "version": "v1"}, "eq(workflow.name,a.b)+eq(workflow.version,v1)"),
        ({"label": "team=red; size"}, "eq(label,team=red)+eq(label,size)"),
        ({"input": "days=30;region=north"}, "eq(input,days=30)+eq(input,region=north)"),
        ({"since": "24h"}, "gte(created_at,2026-03-13T09:26:53Z)"),
        (
            {"since": "2026-01-31T09:30", "until": "2026-02-01"},
            "gte(created_at,2026-01-31T09:30:00Z)+lt(created_at,2026-02-01T00:00:00Z)",
        ),
        ({"since": "2026-01-31T09:30:00+01:00"}, "gte(created_at,2026-01-31T08:30:00Z)"),
        ({"longer": "1m30s", "shorter": "90"}, "gte(duration,1m30s)+lt(duration,90)"),
        ({"version": "1.2.0+g12ab", "workflow": "a;b"}, r"eq(workflow.name,a\;b)+eq(workflow.version,1.2.0\+g12ab)"),
        ({"text": "a+b"}, r"contains(text,a\+b)"),
        ({"archived": "only", "text": "a b"}, "contains(text,a b)+eq(state,1)"),
    ],
)
def test_an_address_is_a_filter_of_the_api(query: dict[str, str], told: str) -> None:
    assert run_filters.read(query, NOW) == told


@pytest.mark.parametrize(
    "query",
    [
        {"phase": "GREEN"},
        {"since": "yesterday"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"longer": "long"},
        {"archived": "yes"},
    ],
)
def test_what_cannot_be_a_filter_says_what_it_wants(query: dict[str, str]) -> None:
    with pytest.raises(errors.InvalidArgument, match="The filter"):
        run_filters.read(query, NOW)


def test_only_columns_with_an_index_are_sorted_by() -> None:
    assert run_filters.sort({}) == ("created", True)
    assert run_filters.sort({"sort": "-duration"}) == ("duration", True)
    assert run_filters.sort({"sort": "created"}) == ("created", False)
    assert run_filters.sort({"sort": "phase"}) == ("created", True)
    assert run_filters.kept({"sort": "-duration", "text": " x ", "page": "3"}) == {"text": "x", "sort": "-duration"}


# -- rows -------------------------------------------------------------------------------------------------------------
def run(name: str, created: int, seconds: int = 0) -> execution_pb2.Execution:
    made = execution_pb2.Execution(id={"name": name})
    made.closure.created_at.seconds, made.closure.duration.seconds = created, seconds
    return made


def test_rows_behind_the_first_page_follow_it() -> None:
    known = [run(name, at) for name, at in (("e", 5), ("d", 4), ("c", 3), ("b", 2), ("a", 1))]
    fresh = [run("f", 6), run("e", 5)]
    assert [one.id.name for one in run_list.follow(fresh, known, "created_at", falling=True)] == ["d", "c", "b", "a"]
    # One that the filters do not let through any more is not put back.
    fresh = [run("f", 6), run("d", 4)]
    assert [one.id.name for one in run_list.follow(fresh, known, "created_at", falling=True)] == ["c", "b", "a"]


def test_rows_follow_in_any_order() -> None:
    known = [run("a", 1, 10), run("b", 2, 20), run("c", 3, 30)]
    fresh = [run("z", 9, 5), run("a", 1, 10)]
    assert [one.id.name for one in run_list.follow(fresh, known, "duration", falling=False)] == ["b", "c"]


# -- hours ------------------------------------------------------------------------------------------------------------
def test_hours_without_runs_are_there_too() -> None:
    told = [{"hour": "2026-03-14T08:00:00Z", "phases": {"FAILED": 1, "TIMED_OUT": 2, "SUCCEEDED": 5}}]
    counted = hours.counted(told, NOW, 3)
    assert [hour.hour for hour, _ in counted] == [7, 8, 9]
    assert [sum(kinds.values()) for _, kinds in counted] == [0, 8, 0]
    drawn = hours.chart(counted)
    assert "5 succeeded, 3 failed" in drawn
    assert "no runs" in hours.chart(hours.counted([], NOW, 24))


# -- gates ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("told", "simple", "expected"),
    [
        ("42", types_pb2.INTEGER, {"integer": 42}),
        ("0.5", types_pb2.FLOAT, {"float_value": 0.5}),
        ("42", types_pb2.STRING, {"string_value": "42"}),
    ],
)
def test_values_are_read_by_their_type(told: str, simple: int, expected: dict[str, object]) -> None:
    declared = types_pb2.LiteralType(simple=simple)  # type: ignore[arg-type]
    assert gate.read_value(told, declared) == literals_pb2.Literal(scalar={"primitive": expected})


def test_a_list_is_written_as_json_and_a_choice_as_it_is() -> None:
    declared = types_pb2.LiteralType(collection_type={"simple": types_pb2.INTEGER})
    assert [one.scalar.primitive.integer for one in gate.read_value("[1, 2]", declared).collection.literals] == [1, 2]
    choice = types_pb2.LiteralType(enum_type={"values": ["north", "south"]})
    assert gate.read_value("north", choice).scalar.primitive.string_value == "north"
    with pytest.raises(errors.InvalidArgument):
        gate.read_value("west", choice)
    with pytest.raises(errors.InvalidArgument, match="whole number"):
        gate.read_value("many", types_pb2.LiteralType(simple=types_pb2.INTEGER))


@pytest.mark.parametrize("told", ["[" * 100_000, '{"a":' * 100_000, "[" * 5000 + "]" * 5000, "9" * 5000])
def test_a_value_that_is_too_much_is_refused(told: str) -> None:
    declared = types_pb2.LiteralType(simple=types_pb2.STRUCT)
    with pytest.raises(errors.InvalidArgument):
        gate.read_value(told, declared)
    with pytest.raises(errors.InvalidArgument):
        gate.read_value('{"a":' + told + "}", declared)


# -- two runs ---------------------------------------------------------------------------------------------------------
def side(name: str, workflow: str = "flows.train", **inputs: int) -> Side:
    execution = run(name, 100)
    execution.closure.workflow_id.name = workflow
    execution.closure.started_at.seconds = 100
    literals = {key: literals_pb2.Literal(scalar={"primitive": {"integer": value}}) for key, value in inputs.items()}
    return Side(execution, literals_pb2.LiteralMap(literals=literals), [])


def row(made: node_execution_pb2.NodeExecution, *path: str) -> Row:
    path = path or (made.id.node_id,)
    return Row(path, path[-1], tuple(one.upper() for one in path[:-1]), path[-1], made)


def node(id: str, begin: int, seconds: int, phase: int = 3) -> node_execution_pb2.NodeExecution:
    made = node_execution_pb2.NodeExecution(id={"node_id": id})
    made.closure.phase = phase  # type: ignore[assignment]
    made.closure.started_at.seconds, made.closure.duration.seconds = begin, seconds
    return made


def test_inputs_that_differ_come_first() -> None:
    pairs = comparing.inputs(side("a", days=1, same=1), side("b", days=2, same=1, zone=3))
    assert [(one.name, one.first, one.second) for one in pairs] == [
        ("days", "1", "2"),
        ("zone", None, "3"),
        ("same", "1", "1"),
    ]


def test_nodes_are_paired_and_timed_from_each_runs_own_start() -> None:
    first, second = side("a"), side("b")
    second.execution.closure.started_at.seconds = 200
    first = Side(first.execution, first.inputs, [row(node("n1", 110, 5)), row(node("n0", 101, 5))])
    second = Side(second.execution, second.inputs, [row(node("n0", 201, 8)), row(node("n2", 220, 1, phase=5))])
    found = comparing.nodes(first, second)
    assert [one.name for one in found] == ["n0", "n1", "n2"]
    assert found[0].change == 3
    assert found[0].second is not None and found[0].second.begin == 1
    assert found[1].second is None and found[1].change is None
    assert found[2].second is not None and found[2].second.phase == "FAILED"


def test_what_is_inside_of_a_node_comes_after_it() -> None:
    nodes = [
        row(node("n1", 101, 1)),
        row(node("n0", 102, 20)),
        row(node("n0-0-n0", 110, 2), "n0", "n0"),
        row(node("n0-0-n1", 104, 2), "n0", "n1"),
        row(node("n2", 103, 20)),
    ]
    first, second = side("a"), side("b")
    first = Side(first.execution, first.inputs, nodes)
    second = Side(second.execution, second.inputs, [*nodes[:1], row(node("n0-0-n2", 105, 2), "n0", "n2")])
    told = [(one.around, one.name, one.second is not None) for one in comparing.nodes(first, second)]
    assert told == [
        ((), "n1", True),
        ((), "n0", False),
        (("N0",), "n1", False),
        (("N0",), "n2", True),
        (("N0",), "n0", False),
        ((), "n2", False),
    ]


def test_settings_that_differ_are_told_without_what_every_run_has_of_its_own() -> None:
    first, second = side("a"), side("b")
    first.execution.spec.max_parallelism, second.execution.spec.max_parallelism = 25, 5
    second.execution.spec.labels.values["team"] = "red"
    second.execution.spec.envs.values.add(key="MODE", value="fast")
    second.execution.spec.metadata.principal = "ann"
    pairs = {one.name: (one.first, one.second) for one in comparing.settings(first, second)}
    assert pairs == {
        "max_parallelism": ("25", "5"),
        "labels.values.team": (None, "red"),
        "envs.values.MODE": (None, "fast"),
    }
    assert comparing.same_workflow(first.execution, second.execution)
    assert not comparing.same_workflow(first.execution, side("c", "flows.other").execution)


def test_a_run_that_goes_on_has_no_length() -> None:
    assert comparing.length(side("a")) is None
