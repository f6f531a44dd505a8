"""Branch nodes: one of several nodes, chosen by conditions over the branch's inputs.

In the compiled form the nodes inside a branch are called `<branch>-<inner>`; they stay inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from flyteidl.core import condition_pb2, workflow_pb2

from dayfly.compiler import bindings, errors, references
from dayfly.compiler.errors import CompileError
from dayfly.compiler.scopes import Outputs, Scope


def check(
    node: workflow_pb2.Node,
    scope: Scope,
    path: str,
    found: list[CompileError],
    *,
    check_inner: Callable[[workflow_pb2.Node, str], None],
) -> None:
    """Add what is wrong with the branch, and by `check_inner` with the nodes inside it, to `found`."""
    block = node.branch_node.if_else
    known: set[str] = set()
    for binding in node.inputs:
        known.add(binding.var)
        bindings.infer(binding.binding, scope, f"{path}, input {binding.var}", found)
    for index, case in enumerate((block.case, *block.other)):
        place = f"{path}, case {index}"
        if not case.HasField("condition"):
            found.append(CompileError(errors.NO_BRANCH_CONDITION, place, "it has no condition"))
        for var in sorted(set(_variables(case.condition)) - known):
            message = f"its condition compares {var}, which is not an input of the branch"
            found.append(CompileError(errors.VARIABLE_NOT_FOUND, place, message))
        if not case.HasField("then_node"):
            found.append(CompileError(errors.VALUE_REQUIRED, place, "it has no node to run"))
    if block.WhichOneof("default") is None:
        message = "it says neither what to run nor how to fail when no case holds"
        found.append(CompileError(errors.NO_BRANCH_DEFAULT, path, message))
    for inner in references.inner_nodes(node):
        check_inner(inner, path)


def common_outputs(inner: Sequence[Outputs | None]) -> Outputs | None:
    """Return the outputs that all the nodes inside have, with one name and type; None when one's are not known."""
    first, *others = inner or [{}]
    if first is None or any(other is None for other in others):
        return None
    return {
        name: declared
        for name, declared in first.items()
        if all(other is not None and other.get(name) == declared for other in others)
    }


def rename_inner(node: workflow_pb2.Node) -> None:
    """Give the nodes inside a branch, at any depth, their compiled ids. Changes `node`."""
    for inner in references.inner_nodes(node):
        if node.WhichOneof("target") == "branch_node":
            inner.id = f"{node.id}-{inner.id}"
        rename_inner(inner)


def _variables(condition: condition_pb2.BooleanExpression) -> Iterator[str]:
    kind = condition.WhichOneof("expr")
    if kind == "conjunction":
        yield from _variables(condition.conjunction.left_expression)
        yield from _variables(condition.conjunction.right_expression)
    elif kind == "comparison":
        for side in (condition.comparison.left_value, condition.comparison.right_value):
            if side.WhichOneof("val") == "var":
                yield side.var
