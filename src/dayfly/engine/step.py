"""The one function: plan + state + event -> state + commands. Picks the rule for the event, then looks at the graph.

Called by `controller.turn` alone, which commits what comes back in one transaction. An event that is late, repeated,
out of order or about something unknown changes nothing at all: the very same state is returned, with no commands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from dayfly.engine import aborting, caching, finishing, settling, starting, timing_out
from dayfly.engine.drafting import Draft
from dayfly.engine.nodes import array, branch, dynamic, gate, launch_plan, subworkflow, task
from dayfly.model import events
from dayfly.model.commands import Command
from dayfly.model.events import Event
from dayfly.model.identifiers import NodeId
from dayfly.model.plan import Plan
from dayfly.model.run import RECENT_EVENTS, NodeState, RunState

_NONE: Mapping[str, Plan] = {}


class Step(msgspec.Struct, frozen=True):
    """What comes of one event."""

    state: RunState
    commands: tuple[Command, ...]
    """To be performed after the state is committed, in this order."""
    folded: Mapping[NodeId, NodeState] = {}
    """Elements of arrays that ended in this step, and are not in the state any more."""


def step(plan: Plan, state: RunState, event: Event, grown: Mapping[str, Plan] = _NONE) -> Step:
    """Return the state after the event, and what shall be done. `grown` holds the plans that dynamic tasks made.

    Pure: no clock, no I/O, no chance; all times come from the event. Raise `IllegalMove` where the engine itself is at
    fault; no order of events leads there.
    """
    if state.ended:
        return Step(state, ())
    draft = Draft(plan, grown, state, event.at)
    _RULES[type(event)](draft, event)
    if not draft.changed:
        return Step(state, ())
    settling.settle(draft)
    draft.edit(updated_at=draft.later(state.updated_at), recent=_recent(draft, event))
    return Step(draft.state, tuple(draft.commands), draft.folded)


def _timer_fired(draft: Draft, event: events.TimerFired) -> None:
    """Pick the rule of whoever set the timer."""
    machine, _, name = event.timer.partition("/")
    if machine in _TIMERS:
        _TIMERS[machine](draft, event, name)


_TIMERS: dict[str, Callable[[Draft, events.TimerFired, str], None]] = {
    "attempt": timing_out.attempt_fired,
    "node": timing_out.node_fired,
    "gate": gate.fired,
    "cache": caching.fired,
}

_RULES: dict[type, Callable[[Draft, Any], None]] = {
    events.Launched: starting.launch,
    events.AbortRequested: aborting.request,
    events.AttemptProgressed: task.progressed,
    events.AttemptSucceeded: task.succeeded,
    events.AttemptFailed: task.failed,
    events.AttemptStopped: task.stopped,
    events.InputsPrepared: subworkflow.prepared,
    events.BranchChosen: branch.chosen,
    events.ArrayMeasured: array.measured,
    events.GateOpened: gate.opened,
    events.ChildLaunched: launch_plan.launched,
    events.ChildEnded: launch_plan.ended,
    events.NodeFailed: finishing.node_failed,
    events.Grown: dynamic.grown,
    events.CacheHit: caching.hit,
    events.CacheMissed: task.missed,
    events.CacheBusy: caching.busy,
    events.CacheFilled: caching.filled,
    events.NodeRecovered: starting.recovered,
    events.NothingRecovered: starting.not_recovered,
    events.OutputsWritten: finishing.outputs_written,
    events.OutputsRejected: finishing.outputs_rejected,
    events.TimerFired: _timer_fired,
    events.SignalSet: gate.signalled,
}


def _recent(draft: Draft, event: Event) -> tuple[str, ...]:
    # Reports that move no phase come every second from a busy Dask cluster and would push the story out.
    if isinstance(event, events.AttemptProgressed) and not draft.moved:
        return draft.state.recent
    return (*draft.state.recent, _describe(event))[-RECENT_EVENTS:]


def _describe(event: Event) -> str:
    name = type(event).__name__
    if isinstance(event, events.AttemptProgressed):
        return f"{name} {event.node}/{event.attempt} {event.phase.name}"
    if isinstance(event, events.AttemptFailed):
        return f"{name} {event.node}/{event.attempt} {event.kind.name} {event.code[:80]}"
    if isinstance(event, (events.AttemptSucceeded, events.AttemptStopped)):
        return f"{name} {event.node}/{event.attempt}"
    if isinstance(event, events.TimerFired):
        return f"{name} {event.timer}"
    if isinstance(event, (events.OutputsRejected, events.NodeFailed)):
        return f"{name} {event.node} {event.kind.name} {event.code[:80]}"
    if isinstance(event, events.SignalSet):
        return f"{name} {event.signal_id[:80]}"
    return f"{name} {getattr(event, 'node', '')}".rstrip()
