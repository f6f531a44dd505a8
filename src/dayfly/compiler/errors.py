"""What is wrong with a document, as data: every problem with its place, all of them at once.

Codes are Flyte's (flytepropeller/pkg/compiler/errors/compiler_errors.go) wherever it has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

NO_NODES_FOUND: Final = "NoNodesFound"
DUPLICATE_ID: Final = "DuplicateId"
DUPLICATE_ALIAS: Final = "DuplicateAlias"
CYCLE_DETECTED: Final = "CycleDetected"
UNREACHABLE_NODES: Final = "UnreachableNodes"
NODE_NOT_FOUND: Final = "NodeReferenceNotFound"
TASK_NOT_FOUND: Final = "TaskReferenceNotFound"
WORKFLOW_NOT_FOUND: Final = "WorkflowReferenceNotFound"
LAUNCH_PLAN_NOT_FOUND: Final = "LaunchPlanReferenceNotFound"
VARIABLE_NOT_FOUND: Final = "VariableNameNotFound"
PARAMETER_NOT_BOUND: Final = "ParameterNotBound"
PARAMETER_BOUND_TWICE: Final = "ParameterBoundMoreThanOnce"
MISMATCHING_TYPES: Final = "MismatchingTypes"
MISMATCHING_BINDINGS: Final = "MismatchingBindings"
AMBIGUOUS_UNION: Final = "AmbiguousBindingUnionValue"
INCOMPATIBLE_UNION: Final = "IncompatibleBindingUnionValue"
ILLEGAL_ENUM_VALUE: Final = "IllegalEnumValue"
NO_BRANCH_CONDITION: Final = "BranchNodeHasNoCondition"
NO_BRANCH_DEFAULT: Final = "BranchNodeHasNoDefault"
NO_CONDITION: Final = "NoConditionFound"
FIELD_NOT_FOUND: Final = "FieldNotFound"
INVALID_LITERAL: Final = "InvalidLiteralType"
INVALID_VALUE: Final = "InvalidValue"
VALUE_REQUIRED: Final = "ValueRequired"
VALUE_COLLISION: Final = "ValueCollision"
UNRECOGNIZED_VALUE: Final = "UnrecognizedValue"

MAX_DESCRIBED_CHARACTERS = 5_000
"""Length of one message: gRPC clients refuse trailers above 8 KiB, and percent-encoding makes text longer."""


class CompileError(msgspec.Struct, frozen=True):
    """One problem."""

    code: str
    path: str
    """Where: workflow, node and input by name, outermost first, separated by `, `."""
    message: str


class Rejected(msgspec.Struct, frozen=True):
    """Why there is no result."""

    errors: tuple[CompileError, ...]


def describe(errors: Sequence[CompileError]) -> str:
    """Return all errors as one message for people, a line each."""
    lines = ["1 error:" if len(errors) == 1 else f"{len(errors)} errors:"]
    room = MAX_DESCRIBED_CHARACTERS
    for told, error in enumerate(errors):
        line = f"{error.path}: {error.message} [{error.code}]"
        room -= len(line) + 1
        if room < 0 and told > 0:
            return "\n".join([*lines, f"... and {len(errors) - told} more"])
        lines.append(line[:MAX_DESCRIBED_CHARACTERS])
    return "\n".join(lines)
