"""One step in the making: rules write on a draft, and `step` turns it into the new state and its commands.

The draft lives no longer than one call of `step`. It copies the dictionary of nodes at most once, sends every phase
through `moves`, and keeps count of live nodes, so that no rule can forget to.
"""

from __future__ import annotations

from typing import Any

from msgspec import structs

from dayfly.base.clock import Micros
from dayfly.engine import indexing, moves
from dayfly.model.commands import Command
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import TERMINAL_NODE, AttemptPhase, ExecutionPhase, NodePhase
from dayfly.model.plan import Plan
from dayfly.model.run import AttemptState, NodeState, RunState


class Draft:
    """The state as it becomes during one step, and the commands so far."""

    def __init__(self, plan: Plan, before: RunState, at: Micros) -> None:
        self.plan = plan
        self.index = indexing.of_plan(plan)
        self.at = at
        self.state = before
        self.commands: list[Command] = []
        self.ended_nodes: list[NodeId] = []
        """Nodes that came to an end in this step, for those rules that look at the graph."""
        self.moved = False
        """Whether any phase changed."""
        self._before = before

    @property
    def changed(self) -> bool:
        """Say whether anything is different from before."""
        return self.state is not self._before

    def later(self, *others: Micros | None) -> Micros:
        """Return the event's time, or the latest of `others` if that is later: clocks of the world disagree."""
        return max(self.at, *(other for other in others if other is not None), Micros(0))

    def command(self, command: Command) -> None:
        """Let this be done once the step is committed."""
        self.commands.append(command)

    def edit(self, **changes: Any) -> None:
        """Change fields of the execution other than its phase."""
        self.state = structs.replace(self.state, **changes)

    def move(self, phase: ExecutionPhase, **changes: Any) -> None:
        """Bring the execution into another phase."""
        moves.check("execution", moves.EXECUTION_MOVES, self.state.phase, phase, self.state.recent)
        self.moved = True
        self.edit(phase=phase, **changes)

    def find_last_attempt(self, node: NodeId) -> AttemptState | None:
        """Return the node's last attempt, live or not; None if it has none."""
        found = self.state.nodes.get(node)
        return found.attempts[-1] if found is not None and found.attempts else None

    def find_live(self, node: NodeId, attempt: int) -> AttemptState | None:
        """Return that attempt if it is the node's live one, else None."""
        last = self.find_last_attempt(node)
        return last if last is not None and last.number == attempt and last.live else None

    def add_node(self, node: NodeId) -> None:
        """Give a node its first state, QUEUED, with no attempt yet."""
        before = self.state.nodes[node].phase if node in self.state.nodes else NodePhase.UNDEFINED
        moves.check(f"node {node}", moves.NODE_MOVES, before, NodePhase.QUEUED, self.state.recent)
        self.moved = True
        queued_at = self.later(self.state.launched_at)
        self._put(node, NodeState(NodePhase.QUEUED, queued_at=queued_at, updated_at=queued_at))

    def edit_node(self, node: NodeId, **changes: Any) -> None:
        """Change fields of a node other than its phase."""
        before = self.state.nodes[node]
        self._put(node, structs.replace(before, updated_at=self.later(before.updated_at), **changes))

    def move_node(self, node: NodeId, phase: NodePhase, **changes: Any) -> None:
        """Bring a node into another phase; an end is noted with its time."""
        before = self.state.nodes[node]
        moves.check(f"node {node}", moves.NODE_MOVES, before.phase, phase, self.state.recent)
        self.moved = True
        if phase in TERMINAL_NODE:
            changes["ended_at"] = self.later(before.updated_at, before.started_at, changes.get("started_at"))
            self.ended_nodes.append(node)
        self.edit_node(node, phase=phase, **changes)

    def add_attempt(self, node: NodeId, *, interruptible: bool) -> AttemptState:
        """Give a node its next attempt, QUEUED, and return it. The node must have no live one."""
        before = self.state.nodes[node]
        if before.attempts and before.attempts[-1].live:
            last = before.attempts[-1]
            moves.check(
                f"attempt {node}/{last.number}",
                moves.ATTEMPT_MOVES,
                last.phase,
                AttemptPhase.UNDEFINED,
                self.state.recent,
            )
        queued_at = self.later(before.updated_at)
        added = AttemptState(
            len(before.attempts),
            AttemptPhase.QUEUED,
            queued_at=queued_at,
            interruptible=interruptible,
            updated_at=queued_at,
        )
        self.moved = True
        self.edit(live=self.state.live + 1)
        self.edit_node(node, attempts=(*before.attempts, added))
        return added

    def edit_attempt(self, node: NodeId, **changes: Any) -> None:
        """Change fields of a node's last attempt other than its phase."""
        before = self.state.nodes[node]
        attempts = (*before.attempts[:-1], structs.replace(before.attempts[-1], **changes))
        self._put(node, structs.replace(before, attempts=attempts))

    def move_attempt(self, node: NodeId, phase: AttemptPhase, **changes: Any) -> None:
        """Bring a node's last attempt into another phase; an end is noted with its time and frees its place."""
        before = self.state.nodes[node].attempts[-1]
        machine = f"attempt {node}/{before.number}"
        moves.check(machine, moves.ATTEMPT_MOVES, before.phase, phase, self.state.recent)
        self.moved = True
        if phase in (AttemptPhase.SUCCEEDED, AttemptPhase.FAILED, AttemptPhase.ABORTED):
            changes["ended_at"] = self.later(before.queued_at, before.started_at, changes.get("started_at"))
            changes.setdefault("updated_at", self.later(before.updated_at))
            self.edit(live=self.state.live - 1)
        self.edit_attempt(node, phase=phase, **changes)

    def _put(self, node: NodeId, after: NodeState) -> None:
        if self.state.nodes is self._before.nodes:
            self.edit(nodes=dict(self._before.nodes))
        self.state.nodes[node] = after
