"""Conditions of branches, over every operator and every kind of value."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.core import condition_pb2, literals_pb2, workflow_pb2

from dayfly.model import conditions, paths

Comparison = condition_pb2.ComparisonExpression
Conjunction = condition_pb2.ConjunctionExpression


def literal(**primitive: Any) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar={"primitive": primitive})


NONE = literals_pb2.Literal(scalar={"none_type": {}})
INPUTS = literals_pb2.LiteralMap(
    literals={
        "one": literal(integer=1),
        "half": literal(float_value=0.5),
        "text": literal(string_value="b"),
        "yes": literal(boolean=True),
        "early": literal(datetime={"seconds": 1}),
        "long": literal(duration={"seconds": 60}),
        "nothing": NONE,
        "wrapped": literals_pb2.Literal(scalar={"union": {"value": literal(integer=1)}}),
        "list": literals_pb2.Literal(collection={"literals": [literal(integer=1)]}),
        "bytes": literals_pb2.Literal(scalar={"binary": {"value": b"x", "tag": "msgpack"}}),
    }
)


def compare(variable: str, operator: int, **right: Any) -> condition_pb2.BooleanExpression:
    value = condition_pb2.Operand(primitive=right) if right else condition_pb2.Operand(scalar={"none_type": {}})
    comparison = Comparison(operator=operator, left_value={"var": variable}, right_value=value)
    return condition_pb2.BooleanExpression(comparison=comparison)


def both(operator: int, *sides: condition_pb2.BooleanExpression) -> condition_pb2.BooleanExpression:
    joined = Conjunction(operator=operator, left_expression=sides[0], right_expression=sides[1])
    return condition_pb2.BooleanExpression(conjunction=joined)


OPERATORS = [Comparison.EQ, Comparison.NEQ, Comparison.GT, Comparison.GTE, Comparison.LT, Comparison.LTE]


@pytest.mark.parametrize(
    ("variable", "smaller", "same", "larger"),
    [
        ("one", {"integer": 0}, {"integer": 1}, {"integer": 2}),
        ("wrapped", {"integer": 0}, {"integer": 1}, {"integer": 2}),
        ("half", {"float_value": 0.25}, {"float_value": 0.5}, {"float_value": 1.0}),
        ("text", {"string_value": "a"}, {"string_value": "b"}, {"string_value": "c"}),
        ("early", {"datetime": {"nanos": 1}}, {"datetime": {"seconds": 1}}, {"datetime": {"seconds": 2}}),
        ("long", {"duration": {"seconds": 1}}, {"duration": {"seconds": 60}}, {"duration": {"seconds": 61}}),
    ],
)
def test_every_operator_on_every_kind(variable: str, smaller: Any, same: Any, larger: Any) -> None:
    def told(right: Any) -> list[bool]:
        return [conditions.evaluate(compare(variable, operator, **right), INPUTS) for operator in OPERATORS]

    assert told(smaller) == [False, True, True, True, False, False]
    assert told(same) == [True, False, False, True, False, True]
    assert told(larger) == [False, True, False, False, True, True]


def test_what_is_missing_equals_only_what_is_missing() -> None:
    assert conditions.evaluate(compare("nothing", Comparison.EQ), INPUTS)
    assert conditions.evaluate(compare("nothing", Comparison.NEQ, integer=1), INPUTS)
    assert conditions.evaluate(compare("one", Comparison.NEQ), INPUTS)
    with pytest.raises(paths.BadPromise, match="has no order") as raised:
        conditions.evaluate(compare("nothing", Comparison.GT, integer=1), INPUTS)
    assert raised.value.code == conditions.MALFORMED


@pytest.mark.parametrize(
    ("variable", "right", "message"),
    [
        ("one", {"float_value": 1.0}, "integer and float_value cannot be compared by =="),
        ("text", {"boolean": True}, "string_value and boolean"),
        ("list", {"integer": 1}, "no single value"),
        ("bytes", {"integer": 1}, "is a binary"),
        ("unknown", {"integer": 1}, "no input 'unknown'"),
    ],
)
def test_what_cannot_be_compared(variable: str, right: Any, message: str) -> None:
    with pytest.raises(paths.BadPromise, match=message) as raised:
        conditions.evaluate(compare(variable, Comparison.EQ, **right), INPUTS)
    assert raised.value.code == conditions.MALFORMED


def test_conjunctions() -> None:
    true, false = compare("one", Comparison.EQ, integer=1), compare("one", Comparison.EQ, integer=2)
    for left, right in ((true, true), (true, false), (false, true), (false, false)):
        expected = (left is true and right is true, left is true or right is true)
        told = [conditions.evaluate(both(word, left, right), INPUTS) for word in (Conjunction.AND, Conjunction.OR)]
        assert tuple(told) == expected
    # what is not needed is not looked at
    broken = compare("unknown", Comparison.EQ, integer=1)
    assert conditions.evaluate(both(Conjunction.OR, true, broken), INPUTS)
    assert not conditions.evaluate(both(Conjunction.AND, false, broken), INPUTS)


def branch(*cases: condition_pb2.BooleanExpression, **default: Any) -> workflow_pb2.BranchNode:
    blocks = [workflow_pb2.IfBlock(condition=case, then_node={"id": str(at)}) for at, case in enumerate(cases)]
    return workflow_pb2.BranchNode(if_else={"case": blocks[0], "other": blocks[1:], **default})


def test_the_first_case_that_holds_is_taken() -> None:
    true, false = compare("one", Comparison.EQ, integer=1), compare("one", Comparison.EQ, integer=2)
    assert conditions.choose(branch(false, true, true), INPUTS) == 1
    assert conditions.choose(branch(true, true), INPUTS) == 0
    assert conditions.choose(branch(false, false, else_node={"id": "else"}), INPUTS) == 2


def test_no_case_holds() -> None:
    false = compare("one", Comparison.EQ, integer=2)
    with pytest.raises(paths.BadPromise, match="not these") as raised:
        conditions.choose(branch(false, error={"message": "not these"}), INPUTS)
    assert raised.value.code == conditions.USER_PROVIDED
    with pytest.raises(paths.BadPromise, match="none of the conditions holds") as raised:
        conditions.choose(branch(false), INPUTS)
    assert raised.value.code == conditions.MALFORMED
    with pytest.raises(paths.BadPromise, match="a condition is empty"):
        conditions.choose(branch(condition_pb2.BooleanExpression()), INPUTS)
