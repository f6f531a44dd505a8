"""A node that waits: for a time, for a signal, for an approval."""

from __future__ import annotations

from dayfly.engine import timers
from dayfly.engine.drafting import Draft
from dayfly.model.commands import PrepareNode, SetTimer, WriteOutputs
from dayfly.model.events import GateOpened, SignalSet, TimerFired
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import NodePhase
from dayfly.model.plan import NodeKind


def begin(draft: Draft, node: NodeId) -> None:
    """Fall asleep, or have the signal made known that can be set from then on."""
    sleep_seconds = draft.rules(node).sleep_seconds
    if sleep_seconds is None:
        draft.command(PrepareNode(node))
        return
    draft.move_node(node, NodePhase.RUNNING)
    draft.command(SetTimer(timers.gate_timer(node), timers.due(draft.at, sleep_seconds)))


def opened(draft: Draft, event: GateOpened) -> None:
    """Wait for the signal; it may have come before this was told."""
    state = draft.find(event.node, NodeKind.GATE)
    if state is not None and state.phase is NodePhase.QUEUED:
        draft.move_node(event.node, NodePhase.RUNNING)
        if draft.rules(event.node).signal in draft.state.signals:
            _close(draft, event.node)


def signalled(draft: Draft, event: SignalSet) -> None:
    """Let all go on that wait for the signal. Looks through all nodes, for each signal once."""
    if event.signal_id in draft.state.signals or draft.state.launched_at is None:
        return
    draft.edit(signals=(*draft.state.signals, event.signal_id))
    for node, state in tuple(draft.state.nodes.items()):
        waits = state.kind is NodeKind.GATE and state.phase is NodePhase.RUNNING and not state.writing
        if waits and draft.rules(node).signal == event.signal_id:
            _close(draft, node)


def fired(draft: Draft, event: TimerFired, name: str) -> None:
    """Wake up."""
    state = draft.find(NodeId(name), NodeKind.GATE)
    if state is not None and not state.writing and draft.rules(NodeId(name)).sleep_seconds is not None:
        _close(draft, NodeId(name))


def _close(draft: Draft, node: NodeId) -> None:
    draft.edit_node(node, writing=True)
    draft.command(WriteOutputs(node))
