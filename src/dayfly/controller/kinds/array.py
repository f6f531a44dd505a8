"""Arrays: how many elements their inputs make, and what the elements gave, put together.

Rules: flytepropeller/pkg/controller/nodes/array/handler.go in flyteorg/flyte.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flyteidl.core import literals_pb2, workflow_pb2

from dayfly.controller import resolving
from dayfly.model import events, identifiers, layout, paths, placing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.base.clock import Clock
    from dayfly.controller.resolving import Resolver
    from dayfly.controller.templates import Templates
    from dayfly.model.identifiers import NodeId
    from dayfly.ports.runs import ElementRow, Run, Runs

BAD_LENGTH = "InvalidArrayLength"
"""Code of an array whose lists differ in length, or that has none."""


class Arrays:
    """A `Kind`."""

    def __init__(self, resolver: Resolver, templates: Templates, runs: Runs, clock: Clock) -> None:
        self._resolver, self._templates, self._runs, self._clock = resolver, templates, runs, clock

    async def prepare(self, run: Run, node: NodeId) -> events.Event:
        """Store the inputs and measure them. Raises `paths.BadPromise`."""
        inputs = await self._resolver.store_inputs(run, node, whole=True)
        array = workflow_pb2.Node.FromString(placing.rules_of(run, node).document).array_node
        return events.ArrayMeasured(self._clock.now(), node, measure(inputs, array.bound_inputs))

    async def outputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        """Return a list for each output, in the order of the elements; None stands for those that failed."""
        element = placing.rules_of(run, node).element
        assert element is not None, f"array {node} has no element"
        names = sorted((await self._templates.outputs_of(run, node, element.target)).variables)
        rows = [row for row in await self._runs.list_elements(run.id, node) if row.ended]
        gathered = literals_pb2.LiteralMap()
        for name in names:
            gathered.literals[name].collection.SetInParent()
        for start in range(0, len(rows), resolving.READ_AT_ONCE):
            some = rows[start : start + resolving.READ_AT_ONCE]
            read = await asyncio.gather(*(self._read(run, node, row) for row in some))
            for values in read:
                _append(gathered, names, values)
        return gathered

    async def _read(self, run: Run, node: NodeId, row: ElementRow) -> literals_pb2.LiteralMap | None:
        if not row.succeeded:
            return None
        element = identifiers.element_id(node, row.element)
        uri = layout.outputs_uri(run.storage, run.id, element, row.attempt)
        return await self._resolver.read(uri, f"the outputs of element {row.element} of node {node}", run)


def measure(inputs: literals_pb2.LiteralMap, bound: Sequence[str]) -> int:
    """Return how many elements the lists among `inputs` make, those that are bound as a whole apart.

    Raise `paths.BadPromise`.
    """
    varying = {name: literal for name, literal in inputs.literals.items() if name not in bound}
    lengths = {
        name: len(literal.collection.literals)
        for name, literal in varying.items()
        if literal.WhichOneof("value") == "collection"
    }
    if not varying and inputs.literals:
        return 1
    if not lengths:
        raise paths.BadPromise(BAD_LENGTH, "no input is a list, so that there is nothing to run over")
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} has {length}" for name, length in sorted(lengths.items()))
        raise paths.BadPromise(BAD_LENGTH, f"the lists to run over differ in length: {told}")
    return next(iter(lengths.values()))


def _append(gathered: literals_pb2.LiteralMap, names: Sequence[str], values: literals_pb2.LiteralMap | None) -> None:
    for name in names:
        part = gathered.literals[name].collection.literals.add()
        if values is None or name not in values.literals:
            part.scalar.none_type.SetInParent()
        else:
            part.CopyFrom(values.literals[name])
