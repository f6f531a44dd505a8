"""Launch plans' parameters, and the inputs of an execution over them."""

from __future__ import annotations

import pytest
from flyteidl.core import interface_pb2, types_pb2
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar

from dayfly.base import errors as base_errors
from dayfly.compiler import errors, inputs, launch_plans


def literal(value):
    field = "string_value" if isinstance(value, str) else "integer"
    return Literal(scalar=Scalar(primitive=Primitive(**{field: value})))


def literals(**values):
    return LiteralMap(literals={name: literal(value) for name, value in values.items()})


def defaults(make, **values):
    parameters = {
        name: interface_pb2.Parameter(
            var=interface_pb2.Variable(type=make.STR if isinstance(value, str) else make.INT), default=literal(value)
        )
        for name, value in values.items()
    }
    return interface_pb2.ParameterMap(parameters=parameters)


@pytest.fixture
def interface(make):
    return make.interface({"a": make.INT, "b": make.INT, "c": make.STR, "d": make.INT})


def test_what_is_neither_default_nor_fixed_becomes_required(make, interface):
    expected = launch_plans.expected_inputs(interface, defaults(make, b=2), literals(c="x"))
    assert sorted(expected.parameters) == ["a", "b", "d"]
    assert expected.parameters["a"].required
    assert expected.parameters["a"].var.type == make.INT
    assert expected.parameters["b"].default == literal(2)
    assert not expected.parameters["b"].required


def test_every_wrong_default_and_fixed_input_is_told(make, interface):
    given = defaults(make, a="x", q=1)
    given.parameters["b"].var.type.CopyFrom(make.INT)
    given.parameters["b"].default.CopyFrom(literal("x"))
    result = launch_plans.expected_inputs(interface, given, literals(c=1, z=1), "lp")
    assert [(error.code, error.path) for error in result.errors] == [
        (errors.MISMATCHING_TYPES, "launch plan lp, default input a"),
        (errors.MISMATCHING_TYPES, "launch plan lp, default input b"),
        (errors.VARIABLE_NOT_FOUND, "launch plan lp, default input q"),
        (errors.MISMATCHING_TYPES, "launch plan lp, fixed input c"),
        (errors.VARIABLE_NOT_FOUND, "launch plan lp, fixed input z"),
    ]
    assert "unexpected default_input q" in errors.describe(result.errors)
    assert "unexpected fixed_input z" in errors.describe(result.errors)


def test_inputs_lie_over_defaults_and_fixed_values_over_both(make, interface):
    fixed = literals(c="fixed")
    expected = launch_plans.expected_inputs(interface, defaults(make, b=2, d=3), fixed)
    assert inputs.merge(expected, fixed, literals(a=1, d=4), interface) == literals(a=1, b=2, c="fixed", d=4)


def test_a_default_that_is_zero_or_none_counts(make):
    none = types_pb2.LiteralType(simple=types_pb2.NONE)
    interface = make.interface({"a": make.INT, "b": make.union(make.INT, none)})
    given = defaults(make, a=0)
    given.parameters["b"].default.scalar.none_type.SetInParent()
    expected = launch_plans.expected_inputs(interface, given, LiteralMap())
    merged = inputs.merge(expected, LiteralMap(), LiteralMap(), interface)
    assert merged.literals["a"] == literal(0)
    assert merged.literals["b"].scalar.HasField("none_type")


def test_every_wrong_input_is_told_in_one_error(make, interface):
    fixed = literals(c="fixed")
    expected = launch_plans.expected_inputs(interface, defaults(make, b=2), fixed)
    with pytest.raises(base_errors.InvalidArgument) as raised:
        inputs.merge(expected, fixed, literals(b="x", c="mine", q=1), interface)
    assert str(raised.value) == (
        "the inputs do not fit: input 'b' has the wrong type: it is str, and int is declared; "
        "input 'c' is fixed by the launch plan and cannot be overridden; input 'q' is unknown; "
        "input 'a' (int) is required but missing; input 'd' (int) is required but missing. "
        "The inputs that can be given are: a, b, d."
    )


def test_values_of_enums_are_checked(make):
    color = types_pb2.LiteralType(enum_type=types_pb2.EnumType(values=["red"]))
    interface = make.interface({"a": color})
    expected = launch_plans.expected_inputs(interface, interface_pb2.ParameterMap(), LiteralMap())
    assert inputs.merge(expected, LiteralMap(), literals(a="red"), interface) == literals(a="red")
    with pytest.raises(base_errors.InvalidArgument, match="'green' is not one of red"):
        inputs.merge(expected, LiteralMap(), literals(a="green"), interface)
