"""What can be computed once per plan: who waits for whom, who comes first.

A step must not look through all nodes of a large plan, so that this is kept for the plans stepped most recently. It is
keyed by the plan object itself: whoever drives executions should keep one object per digest, else each pays again.
"""

from __future__ import annotations

import functools

import msgspec

from dayfly.model.identifiers import START_NODE, NodeId
from dayfly.model.plan import Plan

KEPT_PLANS = 64
"""Plans whose index is remembered."""


class PlanIndex(msgspec.Struct, frozen=True):
    """A plan, looked at from all sides."""

    order: dict[NodeId, int]
    """Each node's place in registered order."""
    roots: tuple[NodeId, ...]
    """Nodes that wait for the start node alone, in registered order."""
    upstream: dict[NodeId, tuple[NodeId, ...]]
    """What each node waits for, start node apart, *last* registered first: that is the likeliest not to be done yet."""
    downstream: dict[NodeId, tuple[NodeId, ...]]
    """Who waits for each node, in registered order; nodes that nobody waits for are missing."""


def of_plan(plan: Plan) -> PlanIndex:
    """Return the plan's index."""
    return _build(_ByIdentity(plan))


class _ByIdentity:
    """A plan as a key of the cache. Holding the plan keeps its identity from being given to another."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __hash__(self) -> int:
        return id(self.plan)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and self.plan is other.plan


@functools.lru_cache(maxsize=KEPT_PLANS)
def _build(key: _ByIdentity) -> PlanIndex:
    plan = key.plan
    order = {node: place for place, node in enumerate(plan.nodes)}
    upstream = {
        node.id: tuple(
            sorted(
                {name for name in node.upstream if name != START_NODE},
                key=lambda name: order.get(name, -1),
                reverse=True,
            )
        )
        for node in plan.nodes.values()
    }
    roots = tuple(node for node, waits in upstream.items() if not waits)
    return PlanIndex(order=order, roots=roots, upstream=upstream, downstream=plan.downstream)
