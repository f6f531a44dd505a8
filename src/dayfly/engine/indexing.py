"""What can be computed once per graph: who waits for whom, who comes first.

A step must not look through all nodes of a large graph, so that this is kept for the graphs stepped most recently. It
is keyed by the graph object itself: whoever drives executions should keep one object per digest, else each pays again.
"""

from __future__ import annotations

import functools

import msgspec

from dayfly.model.identifiers import START_NODE, NodeId
from dayfly.model.plan import Graph

KEPT_GRAPHS = 256
"""Graphs whose index is remembered."""


class GraphIndex(msgspec.Struct, frozen=True):
    """A graph, looked at from all sides."""

    order: dict[NodeId, int]
    """Each node's place in registered order."""
    roots: tuple[NodeId, ...]
    """Nodes that wait for the start node alone and for room, in registered order."""
    free_roots: tuple[NodeId, ...]
    """Those that wait for the start node alone and take no place, in registered order."""
    upstream: dict[NodeId, tuple[NodeId, ...]]
    """What each node waits for, start node apart, *last* registered first: that is the likeliest not to be done yet."""
    downstream: dict[NodeId, tuple[NodeId, ...]]
    """Who waits for each node, in registered order; nodes that nobody waits for are missing."""


def of_graph(graph: Graph) -> GraphIndex:
    """Return the graph's index."""
    return _build(_ByIdentity(graph))


class _ByIdentity:
    """A graph as a key of the cache. Holding the graph keeps its identity from being given to another."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __hash__(self) -> int:
        return id(self.graph)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and self.graph is other.graph


@functools.lru_cache(maxsize=KEPT_GRAPHS)
def _build(key: _ByIdentity) -> GraphIndex:
    graph = key.graph
    order = {node: place for place, node in enumerate(graph.nodes)}
    upstream = {
        node.id: tuple(
            sorted(
                {name for name in node.upstream if name != START_NODE},
                key=lambda name: order.get(name, -1),
                reverse=True,
            )
        )
        for node in graph.nodes.values()
    }
    first = [node for node in graph.nodes.values() if not upstream[node.id]]
    return GraphIndex(
        order=order,
        roots=tuple(node.id for node in first if node.takes_place),
        free_roots=tuple(node.id for node in first if not node.takes_place),
        upstream=upstream,
        downstream=graph.downstream,
    )
