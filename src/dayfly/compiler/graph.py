"""The shape of a workflow: edges, cycles, what the start reaches. Plain ids, no messages, no quadratic walk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flyteidl.core import compiler_pb2

from dayfly.model.identifiers import END_NODE, START_NODE

Edges = Mapping[str, "set[str]"]
"""Node id -> ids on the other end."""


def reverse(upstream: Edges) -> dict[str, set[str]]:
    """Return the edges the other way round."""
    downstream: dict[str, set[str]] = {}
    for node, befores in upstream.items():
        for before in befores:
            downstream.setdefault(before, set()).add(node)
    return downstream


def find_cycles(upstream: Edges) -> list[list[str]]:
    """Return one cycle of each group of nodes that wait for each other, in the order of execution; none if sound."""
    cycles = []
    for group in _components(upstream):
        if len(group) > 1 or group & upstream[min(group)]:
            cycles.append(_one_cycle(group, upstream))
    return sorted(cycles)


def find_unreachable(upstream: Edges) -> list[str]:
    """Return nodes that no path from the start node leads to, sorted."""
    downstream = reverse(upstream)
    reached, waiting = {str(START_NODE)}, [str(START_NODE)]
    while waiting:
        for node in downstream.get(waiting.pop(), ()):
            if node not in reached:
                reached.add(node)
                waiting.append(node)
    return sorted(set(upstream) - reached)


def connect(upstream: Edges, outputs: Iterable[str]) -> dict[str, set[str]]:
    """Return the edges with start and end node in place: a node without any hangs on them."""
    whole = {node: set(befores) or {str(START_NODE)} for node, befores in upstream.items()}
    followed = {before for befores in upstream.values() for before in befores}
    whole[END_NODE] = {node for node in upstream if node not in followed} | set(outputs)
    return whole


def to_connections(upstream: Edges) -> compiler_pb2.ConnectionSet:
    """Return the edges as the message that clients read."""
    connections = compiler_pb2.ConnectionSet()
    for node in sorted(upstream):
        connections.upstream[node].ids.extend(sorted(upstream[node]))
    downstream = reverse(upstream)
    for node in sorted(downstream):
        connections.downstream[node].ids.extend(sorted(downstream[node]))
    return connections


def _components(upstream: Edges) -> list[set[str]]:
    """Return the strongly connected components (Kosaraju's algorithm, without recursion)."""
    downstream = reverse(upstream)
    placed: set[str] = set()
    components = []
    for root in reversed(_finishing_order(upstream)):
        if root in placed:
            continue
        placed.add(root)
        component, waiting = {root}, [root]
        while waiting:
            for node in downstream.get(waiting.pop(), ()):
                if node not in placed:
                    placed.add(node)
                    component.add(node)
                    waiting.append(node)
        components.append(component)
    return components


def _finishing_order(upstream: Edges) -> list[str]:
    """Return the nodes in the order in which a depth-first walk against the edges leaves them."""
    order: list[str] = []
    seen: set[str] = set()
    for root in upstream:
        if root in seen:
            continue
        seen.add(root)
        path = [(root, iter(upstream[root]))]
        while path:
            node, befores = path[-1]
            following = next((one for one in befores if one in upstream and one not in seen), None)
            if following is None:
                order.append(node)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(upstream[following])))
    return order


def _one_cycle(component: set[str], upstream: Edges) -> list[str]:
    node = min(component)
    place: dict[str, int] = {}
    trail: list[str] = []
    while node not in place:
        place[node] = len(trail)
        trail.append(node)
        node = min(upstream[node] & component)
    cycle = trail[place[node] :][::-1]
    first = cycle.index(min(cycle))
    return cycle[first:] + cycle[:first]
