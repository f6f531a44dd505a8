"""What must hold of everything that is committed: each commit is the engine's own step over what it read, and no other.

Told of every commit that the database took, whether or not the platform that made it lived to hear of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dayfly.engine.step import step
from dayfly.model.commands import Command
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.run import NodeState, RunState
from dayfly.ports.runs import Run, UnreadEvent
from tests.property import invariants
from tests.property.watch import Watch


class Oracle:
    """All executions of one world, as they should be."""

    def __init__(self) -> None:
        self.watches: dict[ExecutionId, Watch] = {}
        self._read: set[int] = set()

    def committed(
        self,
        run: Run,
        after: RunState,
        read: Sequence[UnreadEvent],
        commands: Sequence[Command],
        folded: Mapping[NodeId, NodeState],
    ) -> None:
        """Check one commit."""
        watch = self.watches.setdefault(run.id, Watch(run.plan))
        watch.grown.update(run.grown)
        assert run.state == watch.state, f"{run.id}: a commit was lost"
        given: list[Command] = []
        for item in read:
            assert item.sequence not in self._read, f"{run.id}: event {item.sequence} was read twice"
            self._read.add(item.sequence)
            done = step(run.plan, watch.state, item.event, run.grown)
            invariants.check_step(watch, item.event, done)
            given += done.commands
        assert after == watch.state, f"{run.id}: what was stored is not what follows"
        assert list(commands) == given, f"{run.id}: what was commanded is not what follows"

    def check(self) -> None:
        """Check all that ever was."""
        for watch in self.watches.values():
            invariants.check_history(watch)
