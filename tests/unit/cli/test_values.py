from flyteidl.core import interface_pb2, literals_pb2, types_pb2

from dayfly.cli import values


def literal(**scalar: object) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(**scalar))


def test_lines_say_name_type_and_value_and_what_was_cut() -> None:
    declared = interface_pb2.VariableMap(
        variables={"n": {"type": {"simple": types_pb2.INTEGER}}, "s": {"type": {"simple": types_pb2.STRING}}}
    )
    given = literals_pb2.LiteralMap(
        literals={"n": literal(primitive={"integer": 3}), "s": literal(primitive={"string_value": "x" * 500})}
    )
    first, second = values.lines(given, declared)
    assert first == "n: int = 3"
    assert second.endswith("... (500 characters)")
