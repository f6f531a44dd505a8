"""The one function: plan + state + event -> state + commands. Picks the rule for the event, then looks at the graph.

Called by `controller.turn` alone, which commits what comes back in one transaction. An event that is late, repeated,
out of order or about something unknown changes nothing at all: the very same state is returned, with no commands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from dayfly.engine import aborting, failing, finishing, readying, timing_out
from dayfly.engine.drafting import Draft
from dayfly.engine.nodes import task
from dayfly.model import events
from dayfly.model.commands import Command
from dayfly.model.events import Event
from dayfly.model.plan import Plan
from dayfly.model.run import RECENT_EVENTS, RunState


class Step(msgspec.Struct, frozen=True):
    """What comes of one event."""

    state: RunState
    commands: tuple[Command, ...]
    """To be performed after the state is committed, in this order."""


def step(plan: Plan, state: RunState, event: Event) -> Step:
    """Return the state after the event, and what shall be done.

    Pure: no clock, no I/O, no chance; all times come from the event. Raise `IllegalMove` where the engine itself is at
    fault; no order of events leads there.
    """
    if state.ended:
        return Step(state, ())
    draft = Draft(plan, state, event.at)
    _RULES[type(event)](draft, event)
    if not draft.changed:
        return Step(state, ())
    failing.apply_policy(draft)
    readying.apply(draft)
    finishing.apply(draft)
    draft.edit(updated_at=draft.later(state.updated_at), recent=_recent(draft, event))
    return Step(draft.state, tuple(draft.commands))


def _ignore(draft: Draft, event: Event) -> None:
    """Change nothing: no node of this engine waits for what happened."""


_RULES: dict[type, Callable[[Draft, Any], None]] = {
    events.Launched: readying.launch,
    events.AbortRequested: aborting.request,
    events.AttemptProgressed: task.progressed,
    events.AttemptSucceeded: task.succeeded,
    events.AttemptFailed: task.failed,
    events.AttemptStopped: task.stopped,
    events.OutputsWritten: finishing.outputs_written,
    events.OutputsRejected: finishing.outputs_rejected,
    events.TimerFired: timing_out.fired,
    events.SignalSet: _ignore,
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
    if isinstance(event, events.OutputsRejected):
        return f"{name} {event.kind.name} {event.code[:80]}"
    return name
