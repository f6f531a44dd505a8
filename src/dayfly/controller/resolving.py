"""Reads and puts together what nodes take and give, wherever in the execution they are.

Shared by everything in the controller that prepares a node or writes its outputs. Bindings name nodes of the same
workflow by their plan's ids; a node's outputs lie in the folder of its last attempt or round.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flyteidl.core import literals_pb2, types_pb2, workflow_pb2

from dayfly.base import errors
from dayfly.controller import offloading
from dayfly.model import layout, paths, placing, promises
from dayfly.model.identifiers import ROOT, START_NODE, NodeId

if TYPE_CHECKING:
    from collections.abc import Collection

    from dayfly.model.identifiers import ExecutionId
    from dayfly.model.run import Failure
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.runs import Run

ARRAYS_KEPT = 8
"""Arrays whose inputs are kept parsed."""

READ_AT_ONCE = 64
"""Nodes whose outputs are read side by side."""

ERROR_INPUT = "err"
"""Input of a failure node that is given the error it is run for, if it has one (flytekit's `FlyteError`)."""


class Resolver:
    """Inputs and outputs of nodes, as literals."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._offloaded = offloading.Offloaded(blobs)
        self._arrays: dict[tuple[ExecutionId, NodeId], tuple[literals_pb2.LiteralMap, frozenset[str]]] = {}
        self._reading_array = asyncio.Lock()

    async def store_inputs(self, run: Run, node: NodeId, *, whole: bool = False) -> literals_pb2.LiteralMap:
        """Resolve the node's bindings and store what comes of it, for the first time or again.

        `whole`: with the values of what was offloaded, which tasks fetch themselves. Raise `paths.BadPromise`,
        `BlobUnavailable`.
        """
        rules = placing.rules_of(run, node)
        scope = placing.workflow_scope(run, node)
        inputs = await self.resolve(run, scope, rules.document)
        if whole:
            inputs = await self._offloaded.made_whole(inputs)
        graph = placing.graph_of(run, scope)
        if ERROR_INPUT in inputs.literals and graph.failure_node is rules:
            state = run.state.scope(scope)
            failure = state.failure if state is not None else None
            if failure is not None:
                inputs.literals[ERROR_INPUT].CopyFrom(_error_literal(failure))
        await self.write(layout.node_inputs_uri(run.storage, run.id, node), inputs)
        return inputs

    async def stored_inputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        """Return the inputs that were stored of a node. Raise `BlobUnavailable`."""
        return await self.read(layout.node_inputs_uri(run.storage, run.id, node), f"the inputs of node {node}", run)

    async def element_inputs(
        self, run: Run, array: NodeId, index: int, *, as_lists: bool = False
    ) -> literals_pb2.LiteralMap:
        """Return what one element of an array takes: of each list that is not bound as a whole, its own part.

        `as_lists`: each part as a list of one, as the array of only that element would take. Raise `BlobUnavailable`.
        """
        return element_part(*await self._array_inputs(run, array), index, as_lists=as_lists)

    async def _array_inputs(self, run: Run, array: NodeId) -> tuple[literals_pb2.LiteralMap, frozenset[str]]:
        """Return an array's inputs and which of them are bound as wholes.

        Read once for all elements: a hundred thousand of them would each parse a hundred thousand values.
        """
        async with self._reading_array:
            kept = self._arrays.get((run.id, array))
            if kept is None:
                node = workflow_pb2.Node.FromString(placing.rules_of(run, array).document)
                kept = (await self.stored_inputs(run, array), frozenset(node.array_node.bound_inputs))
                if len(self._arrays) >= ARRAYS_KEPT:
                    del self._arrays[next(iter(self._arrays))]
                self._arrays[run.id, array] = kept
            return kept

    async def resolve(self, run: Run, scope: NodeId, document: bytes) -> literals_pb2.LiteralMap:
        """Return the inputs of the `flyteidl.core.Node` in `document`, whose bindings name nodes inside `scope`."""
        bindings = workflow_pb2.Node.FromString(document).inputs
        needed = sorted({node for binding in bindings for node in promises.upstream_nodes(binding.binding)})
        by_node: dict[str, literals_pb2.LiteralMap] = {}
        for start in range(0, len(needed), READ_AT_ONCE):
            some = needed[start : start + READ_AT_ONCE]
            read = await asyncio.gather(*(self._outputs_in(run, scope, NodeId(node)) for node in some))
            by_node.update(zip(some, read, strict=True))

        def lookup(node: str, variable: str) -> literals_pb2.Literal | None:
            values = by_node[node].literals
            # `get` makes no entry, as indexing a protobuf map would.
            found: literals_pb2.Literal | None = values.get(variable)
            return found if found is not None else values.get(_aliased(run, scope, NodeId(node), variable))

        fetched: dict[str, literals_pb2.Literal] = {}
        while True:
            try:
                return promises.resolve_inputs(bindings, lookup, fetched)
            except paths.NotFetched as needed_too:
                fetched[needed_too.uri] = await self._offloaded.fetch(needed_too.uri)

    async def outputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        """Return what a node that has succeeded gave. Raise `BlobUnavailable`."""
        state = run.state.nodes[node]
        uri = layout.outputs_uri(run.storage, run.id, node, state.round)
        return await self.read(uri, f"the outputs of node {node}", run)

    async def read(self, uri: str, what: str, run: Run) -> literals_pb2.LiteralMap:
        """Return the literals in a file of the execution. Raise `BlobUnavailable` where it is gone."""
        raw = await self._blobs.find(uri)
        if raw is None:
            raise errors.BlobUnavailable(
                f"{what} of {run.id} are gone from {uri}.",
                remedy="Was the storage cleaned up, or the platform started with another --storage?",
            )
        return literals_pb2.LiteralMap.FromString(raw)

    async def write(self, uri: str, values: literals_pb2.LiteralMap) -> None:
        """Store literals as a file."""
        await self._blobs.put(uri, values.SerializeToString(deterministic=True))

    async def _outputs_in(self, run: Run, scope: NodeId, spec_id: NodeId) -> literals_pb2.LiteralMap:
        if spec_id != START_NODE:
            return await self.outputs(run, placing.find_child(run, scope, spec_id))
        owner = START_NODE if scope == ROOT else scope
        return await self.stored_inputs(run, owner)


def element_part(
    inputs: literals_pb2.LiteralMap, bound: Collection[str], index: int, *, as_lists: bool = False
) -> literals_pb2.LiteralMap:
    """Return one element's part of an array's inputs, of which those in `bound` are taken whole."""
    own = literals_pb2.LiteralMap()
    for name, literal in inputs.literals.items():
        varies = name not in bound and literal.WhichOneof("value") == "collection"
        if varies and as_lists:
            own.literals[name].collection.literals.add().CopyFrom(literal.collection.literals[index])
        else:
            own.literals[name].CopyFrom(literal.collection.literals[index] if varies else literal)
    return own


def _aliased(run: Run, scope: NodeId, node: NodeId, variable: str) -> str:
    """Return the output that a node calls `variable` otherwise, or just that."""
    rules = placing.graph_of(run, scope).nodes.get(node)
    aliases = workflow_pb2.Node.FromString(rules.document).output_aliases if rules is not None else ()
    return next((alias.var for alias in aliases if alias.alias == variable), variable)


def _error_literal(failure: Failure) -> literals_pb2.Literal:
    error = types_pb2.Error(failed_node_id=failure.node or "", message=failure.message)
    kind = types_pb2.LiteralType(simple=types_pb2.ERROR, structure=types_pb2.TypeStructure(tag="FlyteError"))
    value = literals_pb2.Literal(scalar=literals_pb2.Scalar(error=error))
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(union=literals_pb2.Union(value=value, type=kind)))
