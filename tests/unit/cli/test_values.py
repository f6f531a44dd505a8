import msgpack
import pytest
from flyteidl.core import interface_pb2, literals_pb2, types_pb2

from dayfly.cli import values


def literal(**scalar: object) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(**scalar))


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (literal(primitive={"integer": 3}), 3),
        (literal(primitive={"float_value": 0.5}), 0.5),
        (literal(primitive={"boolean": False}), False),
        (literal(primitive={"string_value": "x"}), "x"),
        (literal(primitive={"duration": {"seconds": 90}}), "90s"),
        (literal(none_type={}), None),
        (literal(blob={"uri": "s3://b/k"}), "s3://b/k"),
        (literal(structured_dataset={"uri": "s3://b/d"}), "s3://b/d"),
        (literal(binary={"value": msgpack.packb({"a": [1]}), "tag": "msgpack"}), {"a": [1]}),
        (literal(binary={"value": b"123"}), "<3 bytes>"),
        (literal(union={"value": {"scalar": {"primitive": {"integer": 1}}}}), 1),
        (literals_pb2.Literal(collection={"literals": [literal(primitive={"integer": 1})]}), [1]),
        (literals_pb2.Literal(map={"literals": {"k": literal(primitive={"integer": 1})}}), {"k": 1}),
    ],
)
def test_a_literal_as_plain_values(given: literals_pb2.Literal, plain: object) -> None:
    assert values.to_plain(given) == plain


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
