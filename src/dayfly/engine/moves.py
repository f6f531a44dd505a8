"""The state machines as tables, and the one place that reads them.

`docs/state-machines.md` is drawn from these tables. An event of the world that would need an illegal move is late or
repeated and is ignored by its rule; a rule that asks for one is a bug of the engine and raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TypeVar

from dayfly.base import errors
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase, ScopePhase

Phase = TypeVar("Phase", bound=IntEnum)
Table = Mapping[Phase, frozenset[Phase]]

EXECUTION_MOVES: Table[ExecutionPhase] = {
    ExecutionPhase.UNDEFINED: frozenset({ExecutionPhase.RUNNING, ExecutionPhase.ABORTING}),
    ExecutionPhase.RUNNING: frozenset({ExecutionPhase.SUCCEEDING, ExecutionPhase.FAILING, ExecutionPhase.ABORTING}),
    ExecutionPhase.SUCCEEDING: frozenset({ExecutionPhase.SUCCEEDED, ExecutionPhase.FAILING, ExecutionPhase.ABORTING}),
    ExecutionPhase.FAILING: frozenset({ExecutionPhase.FAILED, ExecutionPhase.ABORTING}),
    ExecutionPhase.ABORTING: frozenset({ExecutionPhase.ABORTED}),
    ExecutionPhase.SUCCEEDED: frozenset(),
    ExecutionPhase.FAILED: frozenset(),
    ExecutionPhase.ABORTED: frozenset(),
}

_NODE_ENDS = frozenset({NodePhase.SUCCEEDED, NodePhase.FAILED, NodePhase.TIMED_OUT, NodePhase.ABORTED})

NODE_MOVES: Table[NodePhase] = {
    NodePhase.UNDEFINED: frozenset({NodePhase.QUEUED}),
    NodePhase.QUEUED: _NODE_ENDS | {NodePhase.RUNNING, NodePhase.DYNAMIC_RUNNING, NodePhase.RECOVERED},
    NodePhase.RUNNING: _NODE_ENDS | {NodePhase.DYNAMIC_RUNNING},
    NodePhase.DYNAMIC_RUNNING: _NODE_ENDS,
    NodePhase.RECOVERED: frozenset(),
    NodePhase.SUCCEEDED: frozenset(),
    NodePhase.FAILED: frozenset(),
    NodePhase.TIMED_OUT: frozenset(),
    NodePhase.ABORTED: frozenset(),
}

_ATTEMPT_ENDS = frozenset({AttemptPhase.SUCCEEDED, AttemptPhase.FAILED, AttemptPhase.ABORTED})
_ATTEMPT_WAITS = frozenset({AttemptPhase.QUEUED, AttemptPhase.WAITING_FOR_RESOURCES, AttemptPhase.INITIALIZING})

# The three ways of waiting may follow each other in any order: a pod that lost its node waits for room again.
ATTEMPT_MOVES: Table[AttemptPhase] = {
    AttemptPhase.UNDEFINED: frozenset({AttemptPhase.QUEUED}),
    **{
        phase: (_ATTEMPT_WAITS - {phase}) | {AttemptPhase.RUNNING} | _ATTEMPT_ENDS
        for phase in (AttemptPhase.QUEUED, AttemptPhase.WAITING_FOR_RESOURCES, AttemptPhase.INITIALIZING)
    },
    AttemptPhase.RUNNING: _ATTEMPT_ENDS,
    AttemptPhase.SUCCEEDED: frozenset(),
    AttemptPhase.FAILED: frozenset(),
    AttemptPhase.ABORTED: frozenset(),
}


_STOPS = frozenset({ScopePhase.FAILING, ScopePhase.ABORTING})

# A round that failed is followed by another where the node's retries allow it: ENDED is open again then.
SCOPE_MOVES: Table[ScopePhase] = {
    ScopePhase.CLOSED: frozenset({ScopePhase.OPEN, ScopePhase.ABORTING}),
    ScopePhase.OPEN: _STOPS | {ScopePhase.WRITING},
    ScopePhase.WRITING: _STOPS | {ScopePhase.ENDED},
    ScopePhase.FAILING: frozenset({ScopePhase.HANDLING, ScopePhase.ABORTING, ScopePhase.ENDED}),
    ScopePhase.HANDLING: frozenset({ScopePhase.ABORTING, ScopePhase.ENDED}),
    ScopePhase.ABORTING: frozenset({ScopePhase.ENDED}),
    ScopePhase.ENDED: frozenset({ScopePhase.OPEN}),
}


def allows(table: Table[Phase], before: Phase, after: Phase) -> bool:
    """Say whether the machine may go from `before` to `after`; staying is no move."""
    return after in table.get(before, frozenset())


def check(machine: str, table: Table[Phase], before: Phase, after: Phase, story: tuple[str, ...]) -> None:
    """Raise `IllegalMove`, with the execution's last events, unless the machine may go from `before` to `after`."""
    if not allows(table, before, after):
        raise errors.IllegalMove(machine, before.name, after.name, story=story)
