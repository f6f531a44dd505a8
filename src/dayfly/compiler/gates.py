"""Gate nodes: sleeping, waiting for a signal, waiting for an approval."""

from __future__ import annotations

from flyteidl.core import workflow_pb2

from dayfly.compiler import bindings, errors
from dayfly.compiler.errors import CompileError
from dayfly.compiler.scopes import Outputs, Scope


def check(node: workflow_pb2.Node, scope: Scope, path: str, found: list[CompileError]) -> None:
    """Add what is wrong with the gate to `found`."""
    gate = node.gate_node
    kind = gate.WhichOneof("condition")
    if kind is None:
        found.append(CompileError(errors.NO_CONDITION, path, "the gate waits neither for time, signal nor approval"))
    elif kind != "sleep" and not getattr(gate, kind).signal_id:
        found.append(CompileError(errors.VALUE_REQUIRED, path, "the signal it waits for has no name"))
    if kind == "signal" and gate.signal.type.WhichOneof("type") is None:
        found.append(CompileError(errors.VALUE_REQUIRED, path, "the signal it waits for has no type"))
    for binding in node.inputs:
        bindings.infer(binding.binding, scope, f"{path}, input {binding.var}", found)


def find_outputs(node: workflow_pb2.Node, scope: Scope) -> Outputs | None:
    """Return what the gate gives: the signal's value, or what is approved, as it was bound."""
    kind = node.gate_node.WhichOneof("condition")
    if kind == "signal":
        signal = node.gate_node.signal
        return {signal.output_variable_name: signal.type}
    if kind != "approve":
        return {}
    outputs = {binding.var: bindings.infer(binding.binding, scope, "", []) for binding in node.inputs}
    known = {name: declared for name, declared in outputs.items() if declared is not None}
    return known if len(known) == len(outputs) else None
