"""Which nodes may start now: all upstreams succeeded, and room under the execution's parallelism."""

from __future__ import annotations

import bisect

from dayfly.engine.drafting import Draft
from dayfly.engine.nodes import task
from dayfly.model.events import Launched
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import ExecutionPhase, NodePhase


def launch(draft: Draft, event: Launched) -> None:
    """Begin the execution; nodes without upstreams are the first to wait for room."""
    if draft.state.phase is not ExecutionPhase.UNDEFINED:
        return
    draft.move(
        ExecutionPhase.RUNNING,
        options=event.options,
        launched_at=event.at,
        started_at=event.at,
        waiting=draft.index.roots,
    )


def apply(draft: Draft) -> None:
    """Put on the list what this step's successes made ready, and start as much of the list as there is room for."""
    if draft.state.phase is not ExecutionPhase.RUNNING:
        return
    ready = [
        waiter
        for node in draft.ended_nodes
        if draft.state.nodes[node].phase is NodePhase.SUCCEEDED
        for waiter in draft.index.downstream.get(node, ())
        if _is_ready(draft, waiter)
    ]
    waiting = _in_order(draft, ready)
    starting = waiting[: _room(draft, len(waiting))]
    for node in starting:
        task.start(draft, node)
    if ready or starting:
        draft.edit(waiting=tuple(waiting[len(starting) :]))


def _is_ready(draft: Draft, node: NodeId) -> bool:
    nodes = draft.state.nodes
    return node not in nodes and all(
        (upstream := nodes.get(name)) is not None and upstream.phase is NodePhase.SUCCEEDED
        for name in draft.index.upstream[node]
    )


def _in_order(draft: Draft, ready: list[NodeId]) -> list[NodeId]:
    waiting = list(draft.state.waiting)
    if len(ready) > 1 and len(ready) * 8 > len(waiting):
        return sorted({*waiting, *ready}, key=draft.index.order.__getitem__)
    for node in ready:
        bisect.insort(waiting, node, key=draft.index.order.__getitem__)
    return waiting


def _room(draft: Draft, wanted: int) -> int:
    limit = draft.state.options.max_parallelism
    return wanted if limit <= 0 else max(0, min(wanted, limit - draft.state.live))
