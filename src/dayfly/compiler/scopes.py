"""What bindings inside one workflow can refer to: its inputs and the outputs of its nodes.

Outputs are worked out when first asked for, since those of a branch or an approval depend on other nodes' outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flyteidl.core import types_pb2, workflow_pb2

from dayfly.model import identifiers

Outputs = Mapping[str, types_pb2.LiteralType]


MAX_DEPTH = 50
"""Nodes whose outputs hang on each other's, counted against the order in which they were registered."""


class Scope:
    """The nodes of one workflow, by id."""

    too_deep = False
    """Some outputs were not worked out, since they hang on too many others."""

    def __init__(
        self,
        inputs: Outputs,
        nodes: Mapping[str, workflow_pb2.Node],
        outputs_of: Callable[[workflow_pb2.Node, Scope], Outputs | None],
    ) -> None:
        self.nodes = nodes
        self._outputs_of = outputs_of
        self._depth = 0
        # "" is what clients write for the start node.
        self._outputs: dict[str, Outputs | None] = {identifiers.START_NODE: inputs, "": inputs}

    def has(self, node: str) -> bool:
        """Say whether a promise may name this node."""
        return node in self._outputs or node in self.nodes

    def find_outputs(self, node: str) -> Outputs | None:
        """Return the outputs of a node that `has` knows.

        None when nothing is known of them: its target is missing, which is an error of that node and not of those
        after it.
        """
        if node not in self._outputs:
            if self._depth == MAX_DEPTH:
                self.too_deep = True
                return None
            self._outputs[node] = None  # seen again below only in a cycle, which is told elsewhere
            self._depth += 1
            self._outputs[node] = self._outputs_of(self.nodes[node], self)
            self._depth -= 1
        return self._outputs[node]
