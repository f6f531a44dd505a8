"""What each kind of node takes and gives, and what is wrong with it.

`linking` calls `check` once per node; `scopes` calls `find_outputs` when a binding refers to one. A new kind of node
gets a row in each of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flyteidl.core import identifier_pb2, workflow_pb2

from dayfly.compiler import arrays, bindings, branches, errors, gates, references
from dayfly.compiler.errors import CompileError
from dayfly.compiler.interfaces import Interface, Library
from dayfly.compiler.scopes import Outputs, Scope
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId

_BAD_ID = (
    "its id is malformed; use letters, digits, dots, dashes and underscores, a letter or digit first, at most "
    f"{identifiers.MAX_NODE_ID_BYTES} bytes"
)


def check(node: workflow_pb2.Node, library: Library, scope: Scope, path: str, found: list[CompileError]) -> None:
    """Add everything that is wrong with the node, and with those inside it, to `found`."""
    if node.id and not identifiers.is_node_id(node.id):
        found.append(CompileError(errors.INVALID_VALUE, path, _BAD_ID))
    kind = node.WhichOneof("target")
    if kind is None:
        found.append(
            CompileError(errors.VALUE_REQUIRED, path, "it has no target: task, workflow, branch, gate or array")
        )
        return
    if kind == "branch_node":
        branches.check(
            node, scope, path, found, check_inner=partial(_check_inner, library=library, scope=scope, found=found)
        )
    elif kind == "gate_node":
        gates.check(node, scope, path, found)
    else:
        _check_target(node, library, scope, path, found)
    _check_aliases(node, library, scope, path, found)


def find_outputs(node: workflow_pb2.Node, library: Library, scope: Scope) -> Outputs | None:
    """Return the node's outputs by name, aliases included; None when its target is missing."""
    outputs = _find_own_outputs(node, library, scope)
    if outputs is None or not node.output_aliases:
        return outputs
    named = {alias.alias: outputs[alias.var] for alias in node.output_aliases if alias.var in outputs}
    return {**outputs, **named}


def describe(node: workflow_pb2.Node) -> str:
    """Return how messages name the node: `node n0 (train)`."""
    return f"node {node.id} ({node.metadata.name})" if node.metadata.name else f"node {node.id}"


def find_target(node: workflow_pb2.Node) -> EntityId | None:
    """Return the task, workflow or launch plan that the node refers to, None for other kinds and empty references."""
    kind = node.WhichOneof("target")
    if kind == "task_node":
        return references.task_id(node.task_node.reference_id)
    if kind == "workflow_node" and node.workflow_node.HasField("launchplan_ref"):
        return references.launch_plan_id(node.workflow_node.launchplan_ref)
    if kind == "workflow_node" and node.workflow_node.HasField("sub_workflow_ref"):
        return references.workflow_id(node.workflow_node.sub_workflow_ref)
    return None


def _check_inner(node: workflow_pb2.Node, path: str, library: Library, scope: Scope, found: list[CompileError]) -> None:
    check(node, library, scope, f"{path}, {describe(node)}", found)


def _check_target(
    node: workflow_pb2.Node, library: Library, scope: Scope, path: str, found: list[CompileError]
) -> None:
    is_array = node.WhichOneof("target") == "array_node"
    inner = node.array_node.node if is_array else node
    target = find_target(inner)
    if target is None:
        found.append(CompileError(errors.VALUE_REQUIRED, path, "it refers to no task, workflow or launch plan"))
        return
    interface = _find_interface(node, library)
    if interface is None:
        found.append(CompileError(_NOT_FOUND[target.kind], path, f"there is no {target}"))
        for binding in node.inputs:
            bindings.infer(binding.binding, scope, f"{path}, input {binding.var}", found)
        return
    bindings.check_all(node.inputs, interface, scope, path, found)


_NOT_FOUND = {
    identifier_pb2.TASK: errors.TASK_NOT_FOUND,
    identifier_pb2.WORKFLOW: errors.WORKFLOW_NOT_FOUND,
    identifier_pb2.LAUNCH_PLAN: errors.LAUNCH_PLAN_NOT_FOUND,
}


def _find_interface(node: workflow_pb2.Node, library: Library) -> Interface | None:
    is_array = node.WhichOneof("target") == "array_node"
    target = find_target(node.array_node.node if is_array else node)
    interface = library.find(target) if target is not None else None
    if is_array and interface is not None:
        return arrays.widen(node.array_node, interface)
    return interface


def _find_own_outputs(node: workflow_pb2.Node, library: Library, scope: Scope) -> Outputs | None:
    kind = node.WhichOneof("target")
    if kind == "gate_node":
        return gates.find_outputs(node, scope)
    if kind == "branch_node":
        inner: Sequence[Outputs | None] = [find_outputs(one, library, scope) for one in references.inner_nodes(node)]
        return branches.common_outputs(inner)
    interface = _find_interface(node, library)
    return interface.outputs if interface is not None else None


def _check_aliases(
    node: workflow_pb2.Node, library: Library, scope: Scope, path: str, found: list[CompileError]
) -> None:
    if not node.output_aliases:
        return
    outputs = _find_own_outputs(node, library, scope)
    taken = set(outputs or ())
    for alias in node.output_aliases:
        place = f"{path}, alias {alias.alias}"
        if outputs is not None and alias.var not in outputs:
            found.append(CompileError(errors.VARIABLE_NOT_FOUND, place, f"there is no output {alias.var}"))
        if alias.alias in taken:
            found.append(CompileError(errors.DUPLICATE_ALIAS, place, "another output has this name"))
        taken.add(alias.alias)
