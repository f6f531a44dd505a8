"""The inputs that a launch plan asks for: its defaults, and everything the workflow needs beside them.

`services.launch_plans` stores the result as the closure's expected_inputs, from which clients derive the interface.
Rules: flyteadmin/pkg/manager/impl/validation/launch_plan_validator.go in flyteorg/flyte.
"""

from __future__ import annotations

from flyteidl.core import interface_pb2, literals_pb2

from dayfly.compiler import errors
from dayfly.compiler.errors import CompileError, Rejected
from dayfly.model import literals, type_names, types


def expected_inputs(
    interface: interface_pb2.TypedInterface,
    default_inputs: interface_pb2.ParameterMap,
    fixed_inputs: literals_pb2.LiteralMap,
    name: str = "",
) -> interface_pb2.ParameterMap | Rejected:
    """Return the parameters of the launch plan `name` over a workflow with `interface`, or everything that is wrong.

    Inputs that are neither given a default nor fixed become required; fixed ones are left out.
    """
    path = f"launch plan {name}" if name else "launch plan"
    declared = interface.inputs.variables
    found: list[CompileError] = []
    for var in sorted(default_inputs.parameters):
        place = f"{path}, default input {var}"
        if var not in declared:
            message = f"unexpected default_input {var}: {_known(interface)}"
            found.append(CompileError(errors.VARIABLE_NOT_FOUND, place, message))
        else:
            _check_parameter(default_inputs.parameters[var], declared[var], place, found)
    for var in sorted(fixed_inputs.literals):
        place = f"{path}, fixed input {var}"
        if var not in declared:
            message = f"unexpected fixed_input {var}: {_known(interface)}"
            found.append(CompileError(errors.VARIABLE_NOT_FOUND, place, message))
        elif wrong := literals.mismatch(fixed_inputs.literals[var], declared[var].type):
            found.append(CompileError(errors.MISMATCHING_TYPES, place, wrong))
    if found:
        return Rejected(tuple(found))
    return _augment(interface, default_inputs, fixed_inputs)


def _known(interface: interface_pb2.TypedInterface) -> str:
    names = ", ".join(sorted(interface.inputs.variables))
    return f"the workflow's inputs are {names}" if names else "the workflow has no inputs"


def _check_parameter(
    parameter: interface_pb2.Parameter, declared: interface_pb2.Variable, path: str, found: list[CompileError]
) -> None:
    if parameter.var.HasField("type") and not types.castable(parameter.var.type, declared.type):
        given, wanted = type_names.describe(parameter.var.type), type_names.describe(declared.type)
        found.append(CompileError(errors.MISMATCHING_TYPES, path, f"it is {given}, and {wanted} is declared"))
    elif parameter.HasField("default") and (wrong := literals.mismatch(parameter.default, declared.type)):
        found.append(CompileError(errors.MISMATCHING_TYPES, path, f"its default does not fit: {wrong}"))


def _augment(
    interface: interface_pb2.TypedInterface,
    default_inputs: interface_pb2.ParameterMap,
    fixed_inputs: literals_pb2.LiteralMap,
) -> interface_pb2.ParameterMap:
    expected = interface_pb2.ParameterMap()
    for var, variable in interface.inputs.variables.items():
        if var in fixed_inputs.literals:
            continue
        parameter = expected.parameters[var]
        if var in default_inputs.parameters:
            parameter.CopyFrom(default_inputs.parameters[var])
        else:
            parameter.required = True
        if not parameter.HasField("var"):
            parameter.var.CopyFrom(variable)
    return expected
