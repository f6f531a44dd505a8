"""How many elements an array's inputs make, and what each of them takes."""

from __future__ import annotations

import pytest
from flyteidl.core import literals_pb2

from dayfly.controller import resolving
from dayfly.controller.kinds import array
from dayfly.model import paths


def number(value: int) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar={"primitive": {"integer": value}})


def numbers(*values: int) -> literals_pb2.Literal:
    return literals_pb2.Literal(collection={"literals": [number(value) for value in values]})


def inputs(**literals: literals_pb2.Literal) -> literals_pb2.LiteralMap:
    return literals_pb2.LiteralMap(literals=literals)


@pytest.mark.parametrize(
    ("given", "bound", "size"),
    [
        (inputs(x=numbers(1, 2, 3)), [], 3),
        (inputs(x=numbers(1, 2), y=numbers(3, 4)), [], 2),
        (inputs(x=numbers(1, 2), y=number(3)), [], 2),
        (inputs(x=numbers(1, 2), y=numbers(3, 4, 5)), ["y"], 2),
        (inputs(x=numbers()), [], 0),
        (inputs(x=numbers(1, 2), y=number(1)), ["x", "y"], 1),
    ],
)
def test_the_lists_that_are_not_bound_make_the_size(given, bound, size) -> None:
    assert array.measure(given, bound) == size


@pytest.mark.parametrize(
    ("given", "bound", "message"),
    [
        (inputs(x=numbers(1), y=numbers(1, 2)), [], "differ in length: 'x' has 1, 'y' has 2"),
        (inputs(x=number(1)), [], "no input is a list"),
        (inputs(), [], "no input is a list"),
        (inputs(x=number(1), y=numbers(1)), ["y"], "no input is a list"),
    ],
)
def test_what_makes_no_array(given, bound, message) -> None:
    with pytest.raises(paths.BadPromise, match=message) as raised:
        array.measure(given, bound)
    assert raised.value.code == array.BAD_LENGTH


def test_an_element_takes_its_part_of_each_list() -> None:
    own = resolving.element_part(inputs(x=numbers(5, 6), y=number(7), all=numbers(8, 9)), {"all"}, 1)
    assert own == inputs(x=number(6), y=number(7), all=numbers(8, 9))
    alone = resolving.element_part(inputs(x=numbers(5, 6), y=number(7), all=numbers(8, 9)), {"all"}, 1, as_lists=True)
    assert alone == inputs(x=numbers(6), y=number(7), all=numbers(8, 9))
