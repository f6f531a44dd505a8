"""Turn a binding into a literal, given the outputs of the nodes before it.

Whoever puts a node's inputs together (or the execution's outputs) loads the outputs of its upstream nodes and calls
`resolve_binding`. The type hint `BindingData.union` does not matter here: flytekit takes an unwrapped value as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from flyteidl.core import literals_pb2, types_pb2

from dayfly.model import paths

Lookup = Callable[[str, str], "literals_pb2.Literal | None"]
"""(node id, variable) -> the literal, None when that node has no such output."""

_NOTHING: paths.Fetched = {}

OUTPUTS_NOT_FOUND = "OutputsNotFound"
BINDING_ERROR = "BindingResolutionError"

_ELEMENT = re.compile(r"\[(\d+)\]\.(.+)", re.DOTALL)
"""`[3].x`: element 3 of output x, as array nodes name it."""


def resolve_inputs(
    bindings: Iterable[literals_pb2.Binding], lookup: Lookup, fetched: paths.Fetched = _NOTHING
) -> literals_pb2.LiteralMap:
    """Return the inputs that `bindings` describe.

    Raise `paths.BadPromise`, its message naming the input, and `paths.NotFetched`.
    """
    resolved = {}
    for binding in bindings:
        try:
            resolved[binding.var] = resolve_binding(binding.binding, lookup, fetched)
        except paths.BadPromise as error:
            raise paths.BadPromise(
                error.code, f"input {binding.var!r}: {error.message}", remedy=error.remedy
            ) from error
    return literals_pb2.LiteralMap(literals=resolved)


def resolve_binding(
    binding: literals_pb2.BindingData, lookup: Lookup, fetched: paths.Fetched = _NOTHING
) -> literals_pb2.Literal:
    """Return the literal that a binding stands for.

    Raise `paths.BadPromise`: OutputsNotFound when a promised output is not there, PromiseAttributeResolveError when an
    attribute path leads nowhere, BindingResolutionError when the binding is empty. Raise `paths.NotFetched`.
    """
    kind = binding.WhichOneof("value")
    if kind == "scalar":
        return literals_pb2.Literal(scalar=binding.scalar)
    if kind == "promise":
        return _resolve_promise(binding.promise, lookup, fetched)
    if kind == "collection":
        parts = [resolve_binding(part, lookup, fetched) for part in binding.collection.bindings]
        return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=parts))
    if kind == "map":
        named = {name: resolve_binding(part, lookup, fetched) for name, part in binding.map.bindings.items()}
        return literals_pb2.Literal(map=literals_pb2.LiteralMap(literals=named))
    if kind == "offloaded_metadata":
        return literals_pb2.Literal(offloaded_metadata=binding.offloaded_metadata)
    raise paths.BadPromise(BINDING_ERROR, "the binding is empty")


def upstream_nodes(binding: literals_pb2.BindingData) -> Iterator[str]:
    """Yield the ids of all nodes that a binding has promises of, in order, repeats included."""
    kind = binding.WhichOneof("value")
    if kind == "promise":
        yield binding.promise.node_id
    elif kind == "collection":
        for part in binding.collection.bindings:
            yield from upstream_nodes(part)
    elif kind == "map":
        for name in sorted(binding.map.bindings):
            yield from upstream_nodes(binding.map.bindings[name])


def _resolve_promise(
    promise: types_pb2.OutputReference, lookup: Lookup, fetched: paths.Fetched
) -> literals_pb2.Literal:
    node = promise.node_id
    element = _ELEMENT.fullmatch(promise.var)
    name = element[2] if element else promise.var
    found = lookup(node, name)
    if found is None:
        raise paths.BadPromise(OUTPUTS_NOT_FOUND, f"node {node} has no output {name!r}")
    if element:
        parts = paths.whole(found, fetched).collection.literals
        if int(element[1]) >= len(parts):
            raise paths.BadPromise(OUTPUTS_NOT_FOUND, f"output {name!r} of node {node} has only {len(parts)} elements")
        found = parts[int(element[1])]
    try:
        return paths.resolve(found, promise.attr_path, fetched)
    except paths.BadPromise as error:
        raise paths.BadPromise(error.code, f"output {name!r} of node {node}: {error.message}") from error
