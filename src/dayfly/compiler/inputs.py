"""The inputs of an execution: what the user gave, over the launch plan's defaults and fixed values, checked.

`services.executions` calls it for CreateExecution. Rules:
flyteadmin/pkg/manager/impl/validation/execution_validator.go in flyteorg/flyte.
"""

from __future__ import annotations

from flyteidl.core import interface_pb2, literals_pb2, types_pb2

from dayfly.base import errors
from dayfly.model import literals, type_names


def merge(
    expected: interface_pb2.ParameterMap,
    fixed: literals_pb2.LiteralMap,
    user: literals_pb2.LiteralMap,
    interface: interface_pb2.TypedInterface,
) -> literals_pb2.LiteralMap:
    """Return the whole inputs of an execution.

    `expected` and `fixed` are the launch plan's; `interface` is the workflow's, whose types are the last word. Raise
    one `InvalidArgument` that names every input that is unknown, fixed, missing or of the wrong type.
    """
    problems = [*_check_given(expected, fixed, user, interface), *_check_missing(expected, user)]
    if problems:
        known = ", ".join(sorted(expected.parameters)) or "none"
        raise errors.InvalidArgument(
            f"the inputs do not fit: {'; '.join(problems)}.", remedy=f"The inputs that can be given are: {known}."
        )
    merged = literals_pb2.LiteralMap()
    for name, parameter in expected.parameters.items():
        if name in user.literals:
            merged.literals[name].CopyFrom(user.literals[name])
        elif parameter.HasField("default"):
            merged.literals[name].CopyFrom(parameter.default)
    for name, literal in fixed.literals.items():
        merged.literals[name].CopyFrom(literal)
    return merged


def _check_given(
    expected: interface_pb2.ParameterMap,
    fixed: literals_pb2.LiteralMap,
    user: literals_pb2.LiteralMap,
    interface: interface_pb2.TypedInterface,
) -> list[str]:
    problems = []
    for name in sorted(user.literals):
        if name in fixed.literals:
            problems.append(f"input {name!r} is fixed by the launch plan and cannot be overridden")
        elif name not in expected.parameters:
            problems.append(f"input {name!r} is unknown")
        else:
            declared = _declared(name, expected, interface)
            wrong = literals.mismatch(user.literals[name], declared)
            if wrong:
                problems.append(f"input {name!r} has the wrong type: {wrong}")
    return problems


def _check_missing(expected: interface_pb2.ParameterMap, user: literals_pb2.LiteralMap) -> list[str]:
    return [
        f"input {name!r} ({type_names.describe(parameter.var.type)}) is required but missing"
        for name, parameter in sorted(expected.parameters.items())
        if parameter.required and name not in user.literals
    ]


def _declared(
    name: str, expected: interface_pb2.ParameterMap, interface: interface_pb2.TypedInterface
) -> types_pb2.LiteralType:
    if name in interface.inputs.variables:
        return interface.inputs.variables[name].type
    return expected.parameters[name].var.type
