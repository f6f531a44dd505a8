"""The interface of a node that runs another one over a list."""

from __future__ import annotations

from flyteidl.core import types_pb2, workflow_pb2

from dayfly.compiler.interfaces import Interface, Types


def widen(array: workflow_pb2.ArrayNode, interface: Interface) -> Interface:
    """Return the interface of the array, given that of what it runs.

    flytekit's `map_task` registers its task with lists already. Only where it says that the interface is the original
    one (mapping over a launch plan) are the inputs that vary, and all outputs, lists of what is declared.
    """
    if not array.is_original_sub_node_interface.value:
        return interface
    bound = set(array.bound_inputs)
    partial = array.WhichOneof("success_criteria") is not None and not _wants_all(array)
    return Interface(
        {name: declared if name in bound else _list_of(declared) for name, declared in interface.inputs.items()},
        _lists(interface.outputs, partial=partial),
        interface.required,
        interface.fixed,
    )


def _wants_all(array: workflow_pb2.ArrayNode) -> bool:
    return bool(array.WhichOneof("success_criteria") == "min_success_ratio" and array.min_success_ratio >= 1.0)


def _lists(outputs: Types, *, partial: bool) -> Types:
    return {name: _list_of(_or_none(declared) if partial else declared) for name, declared in outputs.items()}


def _list_of(declared: types_pb2.LiteralType) -> types_pb2.LiteralType:
    return types_pb2.LiteralType(collection_type=declared)


def _or_none(declared: types_pb2.LiteralType) -> types_pb2.LiteralType:
    none = types_pb2.LiteralType(simple=types_pb2.NONE, structure=types_pb2.TypeStructure(tag="none"))
    return types_pb2.LiteralType(union_type=types_pb2.UnionType(variants=[declared, none]))
