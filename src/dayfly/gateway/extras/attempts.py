"""Attempts as the routes of logs and clusters need them: whether one is there, and whether it has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from flyteidl.admin import task_execution_pb2

from dayfly.base.clock import SECOND, Micros
from dayfly.model import identifiers
from dayfly.model.identifiers import AttemptKey, ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_ATTEMPT, AttemptPhase
from dayfly.ports.runs import AttemptRow

FindAttempt = Callable[[ExecutionId, NodeId, int], Awaitable[AttemptRow | None]]
"""`ports.runs.Runs.find_attempt`."""


class Attempt:
    """One attempt. `row` is None where the database does not know it: its logs may be left all the same."""

    def __init__(self, key: AttemptKey, row: AttemptRow | None) -> None:
        self.key, self.row = key, row
        self.closure = task_execution_pb2.TaskExecutionClosure.FromString(row.closure if row is not None else b"")

    @property
    def phase(self) -> str:
        """Return the name of its phase, empty for one that is not known."""
        return AttemptPhase(self.closure.phase).name if self.row is not None else ""

    @property
    def ended(self) -> bool:
        """Say whether nothing of it lives any more."""
        return self.row is None or AttemptPhase(self.closure.phase) in TERMINAL_ATTEMPT

    @property
    def began(self) -> Micros:
        """Return when it was made; 0 if nobody knows."""
        made = self.closure.created_at
        return Micros(made.seconds * SECOND + made.nanos // 1000)


async def find(find_attempt: FindAttempt, key: AttemptKey) -> Attempt:
    """Return what is known of an attempt."""
    return Attempt(key, await find_attempt(*identifiers.parse_attempt_key(key)))
