"""Which nodes may start now: all upstreams succeeded, and room under the execution's parallelism."""

from __future__ import annotations

import bisect
from collections.abc import Iterator

from dayfly.engine.drafting import Draft
from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import NodePhase, ScopePhase
from dayfly.model.plan import NodeKind, PlanNode

SUCCEEDED = (NodePhase.SUCCEEDED, NodePhase.RECOVERED)


def open_scope(draft: Draft, owner: NodeId, *, round: int = 0, grown: str = "") -> None:
    """Begin with what runs inside `owner`: the nodes without upstreams are the first to start or to wait for room."""
    draft.move_scope(
        owner,
        ScopePhase.OPEN,
        round=round,
        grown=grown,
        cursor=0,
        ready=(),
        live=0,
        succeeded=0,
        failure=None,
    )
    index, graph = draft.index(owner), draft.graph(owner)
    for node in index.free_roots:
        draft.start(owner, graph.nodes[node])
    if index.roots:
        _queue(draft, owner)
    draft.unsettled.append(owner)


def succeeded(draft: Draft, owner: NodeId, spec_id: NodeId) -> None:
    """Start what the success of a node inside `owner` made ready, or put it on the list of what waits for room."""
    index, graph = draft.index(owner), draft.graph(owner)
    waiters = [one for one in index.downstream.get(spec_id, ()) if _is_ready(draft, owner, one)]
    placed = [one for one in waiters if graph.nodes[one].takes_place]
    for one in waiters:
        if not graph.nodes[one].takes_place:
            draft.start(owner, graph.nodes[one])
    if placed:
        draft.edit_scope(owner, ready=_in_order(draft, owner, placed))
        _queue(draft, owner)


def want(draft: Draft, owner: NodeId, rules: PlanNode) -> None:
    """Start a single node inside `owner`, the case of a branch or a failure node, as soon as there is room for it."""
    if rules.takes_place:
        _queue(draft, owner)
    else:
        draft.start(owner, rules)


def fill(draft: Draft) -> None:
    """Start as much of what waits as there is room for, and what others wait for that hold all places."""
    free = room(draft)
    while draft.state.queue:
        owner = draft.state.queue[0] if free > 0 else _find_urgent(draft)
        if owner is None:
            return
        rules = _take(draft, owner)
        if rules is None:
            draft.edit(queue=tuple(one for one in draft.state.queue if one != owner))
            continue
        draft.start(owner, rules)
        free -= 1


def waits(draft: Draft, owner: NodeId) -> bool:
    """Say whether anything inside `owner` waits for room."""
    scope = draft.scope(owner)
    return bool(scope.ready) or scope.cursor < len(draft.index(owner).roots)


def may_go_on(draft: Draft, node: NodeId) -> bool:
    """Say whether there is a place for a node that had given its own up while it waited for the cache."""
    if draft.is_element(node) or room(draft) > 0:
        return True
    maker = _find_maker(draft, draft.state.nodes[node].parent)
    return maker is not None and not _is_under_way(draft, maker)


def _find_urgent(draft: Draft) -> NodeId | None:
    """Return who may start a node where there is no room.

    A dynamic task that has the right to make a cached result may be what launch plans and arrays wait for, deep inside
    of them, and keep their places meanwhile: for want of one for its own nodes, nobody would ever go on. So it always
    has one node under way.
    """
    for owner in draft.state.queue:
        maker = _find_maker(draft, owner)
        if maker is not None and not _is_under_way(draft, maker):
            return owner
    return None


def _find_maker(draft: Draft, owner: NodeId) -> NodeId | None:
    """Return the innermost dynamic task around or at `owner` for whose result others may wait."""
    while owner != ROOT:
        state = draft.state.nodes[owner]
        if state.phase is NodePhase.DYNAMIC_RUNNING and state.looks:
            rules = draft.rules(owner).cache
            if rules is not None and rules.serializable:
                return owner
        owner = state.parent
    return None


def _is_under_way(draft: Draft, maker: NodeId) -> bool:
    """Say whether anything inside `maker`, however deep, takes a place or is about to."""
    if any(_is_inside(draft, owner, maker) for owner, _, _ in draft.starting):
        return True
    # Those that started last are most likely to be live.
    nodes = draft.state.nodes
    return any(node.takes_place and _is_inside(draft, node.parent, maker) for node in reversed(nodes.values()))


def _is_inside(draft: Draft, owner: NodeId, maker: NodeId) -> bool:
    while owner not in (ROOT, maker):
        owner = draft.state.nodes[owner].parent
    return owner == maker


def _queue(draft: Draft, owner: NodeId) -> None:
    if owner not in draft.state.queue:
        draft.edit(queue=(*draft.state.queue, owner))


def _take(draft: Draft, owner: NodeId) -> PlanNode | None:
    """Take the first that waits inside `owner` off its list; None where nothing does, or nothing may."""
    if draft.scope(owner).phase is ScopePhase.OPEN:
        spec_id = _take_ready(draft, owner)
        return None if spec_id is None else draft.graph(owner).nodes[spec_id]
    single = _find_single(draft, owner)
    if single is None or draft.child(owner, single.id) in draft.state.nodes:
        return None
    return None if any(one == owner for one, _, _ in draft.starting) else single


def _find_single(draft: Draft, owner: NodeId) -> PlanNode | None:
    """Return the one node that is to run inside `owner`: the case a branch took, or a failure node."""
    if draft.scope(owner).phase is ScopePhase.HANDLING:
        return draft.graph(owner).failure_node
    state = draft.find(owner, NodeKind.BRANCH)
    return None if state is None or state.chosen is None else draft.rules(owner).cases[state.chosen]


def _take_ready(draft: Draft, owner: NodeId) -> NodeId | None:
    scope, index = draft.scope(owner), draft.index(owner)
    first = scope.ready[0] if scope.ready else None
    if scope.cursor < len(index.roots):
        root = index.roots[scope.cursor]
        if first is None or index.order[root] < index.order[first]:
            draft.edit_scope(owner, cursor=scope.cursor + 1)
            return root
    if first is not None:
        draft.edit_scope(owner, ready=scope.ready[1:])
    return first


def _is_ready(draft: Draft, owner: NodeId, spec_id: NodeId) -> bool:
    nodes = draft.state.nodes
    if draft.child(owner, spec_id) in nodes or spec_id in draft.scope(owner).ready:
        return False
    return all(phase in SUCCEEDED for phase in _upstream_phases(draft, owner, spec_id))


def _upstream_phases(draft: Draft, owner: NodeId, spec_id: NodeId) -> Iterator[NodePhase]:
    for name in draft.index(owner).upstream[spec_id]:
        found = draft.state.nodes.get(name if owner == ROOT else draft.child(owner, name))
        yield NodePhase.UNDEFINED if found is None else found.phase


def _in_order(draft: Draft, owner: NodeId, ready: list[NodeId]) -> tuple[NodeId, ...]:
    order = draft.index(owner).order
    waiting = list(draft.scope(owner).ready)
    if len(ready) > 1 and len(ready) * 8 > len(waiting):
        return tuple(sorted([*waiting, *ready], key=order.__getitem__))
    for node in ready:
        bisect.insort(waiting, node, key=order.__getitem__)
    return tuple(waiting)


def room(draft: Draft) -> int:
    """Return how many more nodes that take a place may start."""
    limit = draft.state.options.max_parallelism
    return _NO_LIMIT if limit <= 0 else max(0, limit - draft.state.live)


_NO_LIMIT = 2**31
