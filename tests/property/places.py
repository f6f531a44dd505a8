"""What counts under `max_parallelism`, and whom others may wait for: said without the engine's own rules."""

from __future__ import annotations

from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import TERMINAL_NODE, NodePhase
from dayfly.model.plan import NodeKind
from tests.property.watch import Watch

PLACED = {NodeKind.TASK, NodeKind.LAUNCH_PLAN, NodeKind.ARRAY}


def makers_around(watch: Watch, owner: NodeId) -> list[NodeId]:
    """Return the dynamic tasks around or at `owner` for whose cached result others may wait, the innermost first."""
    found = []
    while owner != ROOT:
        node, cache = watch.state.nodes[owner], watch.rules[owner].cache
        if node.phase is NodePhase.DYNAMIC_RUNNING and node.looks and cache is not None and cache.serializable:
            found.append(owner)
        owner = node.parent
    return found


def is_under_way(watch: Watch, maker: NodeId) -> bool:
    """Say whether anything inside of it takes a place."""
    return any(takes_place(watch, name) and maker in makers_around(watch, name) for name in watch.state.nodes)


def takes_place(watch: Watch, name: NodeId) -> bool:
    """Say whether a node takes a place; an array has one for all its elements."""
    node = watch.state.nodes[name]
    return (
        node.phase not in TERMINAL_NODE
        and node.phase is not NodePhase.DYNAMIC_RUNNING
        and node.kind in PLACED
        and not (0 < node.looks == node.busy and not node.attempts)
        and (node.parent == ROOT or watch.rules[node.parent].kind is not NodeKind.ARRAY)
    )
