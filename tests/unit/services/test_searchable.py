"""By which of its inputs an execution can be found."""

from __future__ import annotations

from flyteidl.core import literals_pb2

from dayfly.services import searchable


def primitive(**value: object) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar={"primitive": value})


def test_short_single_values_are_found() -> None:
    given = {
        "b": primitive(boolean=True),
        "days": primitive(integer=30),
        "long": primitive(string_value="x" * 201),
        "nul": primitive(string_value="a\x00"),
        "price": primitive(float_value=20.0),
        "rate": primitive(float_value=0.1),
        "region": primitive(string_value="north"),
        "zlist": literals_pb2.Literal(collection={"literals": [primitive(integer=1)]}),
        "znone": literals_pb2.Literal(scalar={"none_type": {}}),
        "zoptional": literals_pb2.Literal(scalar={"union": {"value": primitive(integer=5)}}),
    }
    assert searchable.inputs(literals_pb2.LiteralMap(literals=given)) == (
        ("b", "true"),
        ("days", "30"),
        ("price", "20"),
        ("rate", "0.1"),
        ("region", "north"),
        ("zoptional", "5"),
    )


def test_of_many_inputs_the_first_are_found() -> None:
    given = literals_pb2.LiteralMap(literals={f"i{number:03}": primitive(integer=number) for number in range(100)})
    assert len(searchable.inputs(given)) == searchable.MAX_INPUTS
