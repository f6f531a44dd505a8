"""Work out the conditions of a branch node over its inputs.

Only values of one kind are compared; a missing value (None) equals nothing but another. Rules:
flytepropeller/pkg/controller/nodes/branch/comparator.go and evaluator.go in flyteorg/flyte.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from flyteidl.core import condition_pb2, literals_pb2, workflow_pb2

from dayfly.model import paths

MALFORMED = "MalformedBranchUserError"
"""Code of a branch whose conditions cannot be worked out, or none of which holds."""

USER_PROVIDED = "UserProvidedError"
"""Code of a branch that comes to its author's `fail(...)`."""

_Comparison = condition_pb2.ComparisonExpression

_OPERATORS: Mapping[int, tuple[str, Callable[[Any, Any], bool]]] = {
    _Comparison.EQ: ("==", operator.eq),
    _Comparison.NEQ: ("!=", operator.ne),
    _Comparison.GT: (">", operator.gt),
    _Comparison.GTE: (">=", operator.ge),
    _Comparison.LT: ("<", operator.lt),
    _Comparison.LTE: ("<=", operator.le),
}


def choose(branch: workflow_pb2.BranchNode, inputs: literals_pb2.LiteralMap) -> int:
    """Return which case is taken: 0 for `if`, then the others, the default last.

    Raise `paths.BadPromise`: with the branch's own error, or where a condition makes no sense.
    """
    block = branch.if_else
    cases = [block.case, *block.other]
    for place, case in enumerate(cases):
        if evaluate(case.condition, inputs):
            return place
    if block.HasField("else_node"):
        return len(cases)
    if block.HasField("error"):
        raise paths.BadPromise(USER_PROVIDED, block.error.message or "the workflow's author lets this case fail")
    raise paths.BadPromise(MALFORMED, "none of the conditions holds, and there is no default")


def evaluate(condition: condition_pb2.BooleanExpression, inputs: literals_pb2.LiteralMap) -> bool:
    """Say whether the condition holds. Raise `paths.BadPromise` where it makes no sense.

    Conditions within conditions need no limit of ours: protobuf reads no message nested deeper than a hundred.
    """
    kind = condition.WhichOneof("expr")
    if kind == "comparison":
        return _compare(condition.comparison, inputs)
    if kind != "conjunction":
        raise paths.BadPromise(MALFORMED, "a condition is empty")
    both = condition.conjunction
    left = evaluate(both.left_expression, inputs)
    if both.operator == condition_pb2.ConjunctionExpression.OR:
        return left or evaluate(both.right_expression, inputs)
    return left and evaluate(both.right_expression, inputs)


def _compare(comparison: condition_pb2.ComparisonExpression, inputs: literals_pb2.LiteralMap) -> bool:
    left, right = _value(comparison.left_value, inputs), _value(comparison.right_value, inputs)
    sign, compare = _OPERATORS[comparison.operator]
    if left is None or right is None:
        if comparison.operator not in (_Comparison.EQ, _Comparison.NEQ):
            raise paths.BadPromise(MALFORMED, f"a missing value has no order: it cannot be compared by {sign}")
        return compare(left, right)
    if left[0] != right[0]:
        message = f"values of kind {left[0]} and {right[0]} cannot be compared by {sign}"
        raise paths.BadPromise(MALFORMED, message, remedy="Make both of one type.")
    return compare(left[1], right[1])


def _value(operand: condition_pb2.Operand, inputs: literals_pb2.LiteralMap) -> tuple[str, Any] | None:
    kind = operand.WhichOneof("val")
    if kind == "primitive":
        return _primitive(operand.primitive)
    if kind == "scalar":
        return _scalar_value(operand.scalar, "a constant")
    if kind == "var":
        if operand.var not in inputs.literals:
            raise paths.BadPromise(MALFORMED, f"the branch has no input {operand.var!r}")
        literal = inputs.literals[operand.var]
        if literal.WhichOneof("value") != "scalar":
            raise paths.BadPromise(MALFORMED, f"input {operand.var!r} is no single value, which alone can be compared")
        return _scalar_value(literal.scalar, f"input {operand.var!r}")
    raise paths.BadPromise(MALFORMED, "one side of a comparison is empty")


def _scalar_value(scalar: literals_pb2.Scalar, what: str) -> tuple[str, Any] | None:
    while scalar.WhichOneof("value") == "union":
        scalar = scalar.union.value.scalar
    kind = scalar.WhichOneof("value")
    if kind == "none_type":
        return None
    if kind != "primitive":
        raise paths.BadPromise(MALFORMED, f"{what} is a {kind}, which cannot be compared")
    return _primitive(scalar.primitive)


def _primitive(primitive: literals_pb2.Primitive) -> tuple[str, Any]:
    kind = primitive.WhichOneof("value")
    if kind is None:
        raise paths.BadPromise(MALFORMED, "a value to compare is empty")
    value = getattr(primitive, kind)
    return kind, value.ToNanoseconds() if kind in ("datetime", "duration") else value
