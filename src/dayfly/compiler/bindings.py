"""Type-check what is bound to an input: literals, promises with attribute paths, lists and maps of them.

Called by `nodes` for each input of a node and by `linking` for the outputs of the workflow. Rules:
flytepropeller/pkg/compiler/validators/bindings.go in flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Iterable

from flyteidl.core import literals_pb2, types_pb2

from dayfly.compiler import errors
from dayfly.compiler.errors import CompileError
from dayfly.compiler.interfaces import Interface
from dayfly.compiler.scopes import Scope
from dayfly.model import literals, paths, type_names, types


def check_all(
    bindings: Iterable[literals_pb2.Binding],
    interface: Interface,
    scope: Scope,
    path: str,
    found: list[CompileError],
    word: str = "input",
) -> None:
    """Add what is wrong with the inputs of one node, or with the outputs of the workflow, to `found`."""
    bound = set()
    for binding in bindings:
        var, place = binding.var, f"{path}, {word} {binding.var}"
        if var in bound:
            found.append(CompileError(errors.PARAMETER_BOUND_TWICE, place, "it is bound more than once"))
            continue
        bound.add(var)
        if var in interface.fixed:
            found.append(
                CompileError(errors.VARIABLE_NOT_FOUND, place, "it is fixed by the launch plan and cannot be bound")
            )
        elif var not in interface.inputs:
            known = ", ".join(interface.inputs) or "none"
            found.append(CompileError(errors.VARIABLE_NOT_FOUND, place, f"there is no such {word}; known: {known}"))
        else:
            check(binding.binding, interface.inputs[var], scope, place, found)
    for var in sorted(interface.required - bound):
        declared = type_names.describe(interface.inputs[var])
        found.append(
            CompileError(
                errors.PARAMETER_NOT_BOUND, f"{path}, {word} {var}", f"it is required ({declared}) but not bound"
            )
        )


def check(
    binding: literals_pb2.BindingData,
    expected: types_pb2.LiteralType,
    scope: Scope,
    path: str,
    found: list[CompileError],
) -> None:
    """Add what keeps `binding` from giving a value of type `expected` to `found`."""
    kind, wanted = binding.WhichOneof("value"), expected.WhichOneof("type")
    if kind in ("collection", "map") and wanted == "union_type":
        _check_variants(binding, expected, scope, path, found)
    elif kind == "collection" and wanted == "collection_type":
        for index, part in enumerate(binding.collection.bindings):
            check(part, expected.collection_type, scope, f"{path}[{index}]", found)
    elif kind == "map" and wanted == "map_value_type":
        for name in sorted(binding.map.bindings):
            check(binding.map.bindings[name], expected.map_value_type, scope, f"{path}[{name!r}]", found)
    elif kind in ("collection", "map"):
        word = "list" if kind == "collection" else "dict"
        message = f"a {word} is bound, and {type_names.describe(expected)} is declared"
        found.append(CompileError(errors.MISMATCHING_BINDINGS, path, message))
    else:
        given = infer(binding, scope, path, found)
        if given is not None and not types.castable(given, expected):
            message = (
                f"{_origin(binding)} is {type_names.describe(given)}, and {type_names.describe(expected)} is declared"
            )
            found.append(CompileError(errors.MISMATCHING_TYPES, path, message))
        elif given is not None and kind == "scalar":
            reason = literals.illegal_choice(literals_pb2.Literal(scalar=binding.scalar), expected)
            if reason:
                found.append(CompileError(errors.ILLEGAL_ENUM_VALUE, path, reason))


def infer(
    binding: literals_pb2.BindingData, scope: Scope, path: str, found: list[CompileError]
) -> types_pb2.LiteralType | None:
    """Return the type of what is bound; None when it cannot be told, for a reason in `found` or told elsewhere."""
    kind = binding.WhichOneof("value")
    if kind == "promise":
        return _infer_promise(binding.promise, scope, path, found)
    if kind == "scalar":
        try:
            return literals.scalar_type(binding.scalar)
        except literals.LiteralWithoutType as error:
            found.append(CompileError(errors.INVALID_LITERAL, path, error.message))
            return None
    if kind == "offloaded_metadata":
        return binding.offloaded_metadata.inferred_type
    if kind == "collection":
        element = _infer_element(binding.collection.bindings, scope, path, found)
        return types_pb2.LiteralType(collection_type=element) if element is not None else None
    if kind == "map":
        parts = [binding.map.bindings[name] for name in sorted(binding.map.bindings)]
        element = _infer_element(parts, scope, path, found)
        return types_pb2.LiteralType(map_value_type=element) if element is not None else None
    found.append(CompileError(errors.VALUE_REQUIRED, path, "the binding is empty"))
    return None


def _infer_promise(
    promise: types_pb2.OutputReference, scope: Scope, path: str, found: list[CompileError]
) -> types_pb2.LiteralType | None:
    if not scope.has(promise.node_id):
        found.append(
            CompileError(errors.NODE_NOT_FOUND, path, f"it is promised by node {promise.node_id}, which is not there")
        )
        return None
    outputs = scope.find_outputs(promise.node_id)
    if outputs is None:
        return None
    if promise.var not in outputs:
        known = ", ".join(outputs) or "none"
        source = (
            f"node {promise.node_id} has no output" if scope.nodes.get(promise.node_id) else "the workflow has no input"
        )
        found.append(CompileError(errors.VARIABLE_NOT_FOUND, path, f"{source} {promise.var}; known: {known}"))
        return None
    try:
        return types.resolve_path(outputs[promise.var], promise.attr_path)
    except types.AttributeNotInType as error:
        message = f"{_reference(promise)}: {error.message}"
        found.append(CompileError(errors.FIELD_NOT_FOUND, path, message))
        return None


def _infer_element(
    parts: Iterable[literals_pb2.BindingData], scope: Scope, path: str, found: list[CompileError]
) -> types_pb2.LiteralType | None:
    kinds: dict[bytes, types_pb2.LiteralType] = {}
    for index, part in enumerate(parts):
        one = infer(part, scope, f"{path}[{index}]", found)
        if one is None:
            return None
        kinds[one.SerializeToString(deterministic=True)] = one
    if not kinds:
        return types.NONE
    variants = [kinds[key] for key in sorted(kinds)]
    return (
        variants[0] if len(variants) == 1 else types_pb2.LiteralType(union_type=types_pb2.UnionType(variants=variants))
    )


def _check_variants(
    binding: literals_pb2.BindingData,
    expected: types_pb2.LiteralType,
    scope: Scope,
    path: str,
    found: list[CompileError],
) -> None:
    fitting, reasons = [], []
    for variant in expected.union_type.variants:
        wrong: list[CompileError] = []
        check(binding, variant, scope, path, wrong)
        if wrong:
            reasons.append(f"{type_names.describe(variant)}: {wrong[0].message}")
        else:
            fitting.append(type_names.describe(variant))
    if not fitting:
        message = f"none of the variants takes it ({'; '.join(reasons)})"
        found.append(CompileError(errors.INCOMPATIBLE_UNION, path, message))
    elif len(fitting) > 1:
        message = f"more than one variant takes it ({', '.join(fitting)})"
        found.append(CompileError(errors.AMBIGUOUS_UNION, path, message))


def _origin(binding: literals_pb2.BindingData) -> str:
    return _reference(binding.promise) if binding.WhichOneof("value") == "promise" else "the value"


def _reference(promise: types_pb2.OutputReference) -> str:
    node = promise.node_id or "start-node"
    where = f"workflow input {promise.var}" if node == "start-node" else f"output {promise.var} of node {node}"
    return where + (f" at {paths.describe(promise.attr_path)}" if promise.attr_path else "")
