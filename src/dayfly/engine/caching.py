"""Whether a task's result is looked for, waited for, kept: what the cache's answers mean to its node.

The controller looks and keeps (`controller.caching`); here is only what follows. Statuses are Flyte's own
(flytepropeller/pkg/controller/nodes/cache.go in flyteorg/flyte).
"""

from __future__ import annotations

from dayfly.engine import readying, timers
from dayfly.engine.drafting import Draft
from dayfly.model.commands import FillCache, LeaveCache, LookUpCache, SetTimer
from dayfly.model.events import CacheBusy, CacheFilled, CacheHit, TimerFired
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import CacheStatus, NodePhase

BUSY_SECONDS = 2.0
"""Before the cache is looked at again while another node makes the result."""


def begin(draft: Draft, node: NodeId) -> bool:
    """Look for the node's result, if it is to be looked for; say whether the node waits for that."""
    rules = draft.rules(node).cache
    if rules is None:
        return False
    if draft.state.options.overwrite_cache:
        draft.edit_node(node, cache=CacheStatus.SKIPPED)
        return False
    _look(draft, node)
    return True


def is_looking(draft: Draft, node: NodeId) -> bool:
    """Say whether the node waits for an answer of the cache."""
    state = draft.find(node)
    return (
        state is not None
        and state.phase is NodePhase.QUEUED
        and not state.attempts
        and state.looks > state.busy
        and state.stopping is None
    )


def hit(draft: Draft, event: CacheHit) -> None:
    """Succeed without an attempt."""
    if is_looking(draft, event.node):
        started_at = draft.later(draft.state.nodes[event.node].queued_at)
        draft.move_node(
            event.node, NodePhase.SUCCEEDED, cache=CacheStatus.HIT, catalog=event.catalog, started_at=started_at
        )


def busy(draft: Draft, event: CacheBusy) -> None:
    """Look again in a while."""
    state = draft.find(event.node)
    if state is None or not is_looking(draft, event.node) or event.look != state.looks - 1:
        return
    draft.edit_node(event.node, busy=state.busy + 1)
    _wait(draft, event.node)


def fired(draft: Draft, event: TimerFired, name: str) -> None:
    """Look again, if this is what the node waits for and there is room; else wait on.

    A node that waits takes no place: whoever makes the result may need it, for the nodes that a dynamic task makes.
    """
    node, _, look = name.rpartition("/")
    state = draft.find(NodeId(node))
    if state is None or not state.waits_for_cache or look != str(state.waits):
        return
    if readying.may_go_on(draft, NodeId(node)):
        _look(draft, NodeId(node))
    else:
        _wait(draft, NodeId(node))


def fill(draft: Draft, node: NodeId) -> bool:
    """Let the result be kept, if it is to be; say whether the node waits for that."""
    if draft.rules(node).cache is None:
        return False
    draft.edit_node(node, writing=True)
    draft.command(FillCache(node))
    return True


def filled(draft: Draft, event: CacheFilled) -> None:
    """Succeed: whether or not the result could be kept, it is there."""
    state = draft.find(event.node)
    if state is None or not state.writing or draft.rules(event.node).cache is None:
        return
    catalog = event.catalog or state.catalog
    draft.move_node(event.node, NodePhase.SUCCEEDED, cache=event.status, catalog=catalog)


def leave(draft: Draft, node: NodeId) -> None:
    """Give up the right to make the result that a node had, or may have got, and that ended without."""
    state, rules = draft.state.nodes[node], draft.rules(node).cache
    if rules is not None and rules.serializable and state.looks and state.phase is not NodePhase.SUCCEEDED:
        draft.command(LeaveCache(node))


def _wait(draft: Draft, node: NodeId) -> None:
    waits = draft.state.nodes[node].waits + 1
    draft.edit_node(node, waits=waits)
    draft.command(SetTimer(timers.cache_timer(node, waits), timers.due(draft.at, BUSY_SECONDS)))


def _look(draft: Draft, node: NodeId) -> None:
    looks = draft.state.nodes[node].looks
    draft.edit_node(node, looks=looks + 1)
    draft.command(LookUpCache(node, looks))
