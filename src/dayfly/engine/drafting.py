"""One step in the making: rules write on a draft, and `step` turns it into the new state and its commands.

The draft lives no longer than one call of `step`. It copies the dictionary of nodes at most once, sends every phase
through `moves`, and keeps count of what takes a place, so that no rule can forget to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from dayfly.base.clock import Micros
from dayfly.engine import indexing, moves
from dayfly.engine.indexing import GraphIndex
from dayfly.model import placing
from dayfly.model.commands import Command
from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import (
    TERMINAL_ATTEMPT,
    TERMINAL_EXECUTION,
    TERMINAL_NODE,
    AttemptPhase,
    ExecutionPhase,
    NodePhase,
    ScopePhase,
)
from dayfly.model.plan import Graph, NodeKind, Plan, PlanNode
from dayfly.model.run import AttemptState, Failure, NodeState, RunState, ScopeState


class Draft:
    """The state as it becomes during one step, and the commands so far."""

    def __init__(self, plan: Plan, grown: Mapping[str, Plan], before: RunState, at: Micros) -> None:
        self.plan = plan
        self.grown = grown
        self.at = at
        self.state = before
        self.commands: list[Command] = []
        self.ended: list[NodeId] = []
        """Nodes that came to an end in this step, and of which what they are inside of has not been told yet."""
        self.closed: list[NodeId] = []
        """Owners of what came to an end inside of them, who have not been told yet."""
        self.starting: list[tuple[NodeId, PlanNode, NodeId]] = []
        """What shall start in this step: inside of whom, by what rules, under which name in the plan."""
        self.unsettled: list[NodeId] = []
        """Owners of what may have come to an end without any node's end."""
        self.folded: dict[NodeId, NodeState] = {}
        """Elements of arrays that ended: from now on they are only counted."""
        self.moved = False
        """Whether any phase changed."""
        self._before = before
        self._rules: dict[NodeId, PlanNode] = {}
        self._inside: dict[NodeId, list[NodeId]] | None = None

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

    # -- the plan ----------------------------------------------------------------------------------------------------
    def rules(self, node: NodeId) -> PlanNode:
        """Return the rules that a started node runs by."""
        found = self._rules.get(node)
        if found is None:
            found = self._rules[node] = placing.rules_of(self, node)
        return found

    def graph(self, owner: NodeId) -> Graph:
        """Return the graph of what runs inside `owner`."""
        return placing.graph_by(self, owner, self.rules(owner) if owner != ROOT else None)

    def index(self, owner: NodeId) -> GraphIndex:
        """Return the same, looked at from all sides."""
        return indexing.of_graph(self.graph(owner))

    def start(self, owner: NodeId, rules: PlanNode, spec_id: NodeId | None = None) -> None:
        """Let a node inside `owner` start in this step, unless `owner` comes to an end in it."""
        self.starting.append((owner, rules, rules.id if spec_id is None else spec_id))

    def child(self, owner: NodeId, spec_id: NodeId) -> NodeId:
        """Return the unique id of a node inside `owner`."""
        return placing.find_child(self, owner, spec_id)

    # -- the execution -----------------------------------------------------------------------------------------------
    def edit(self, **changes: Any) -> None:
        """Change fields of the execution other than its phase."""
        self.state = structs.replace(self.state, **changes)

    def move(self, phase: ExecutionPhase, **changes: Any) -> None:
        """Bring the execution into another phase; an end is noted with its time."""
        moves.check("execution", moves.EXECUTION_MOVES, self.state.phase, phase, self.state.recent)
        self.moved = True
        if phase in TERMINAL_EXECUTION:
            changes["ended_at"] = self.later(self.state.launched_at, self.state.started_at)
        self.edit(phase=phase, **changes)

    # -- what runs inside a node, or the execution ------------------------------------------------------------------
    def scope(self, owner: NodeId) -> ScopeState:
        """Return what runs inside `owner`: closed as long as nothing does."""
        return self.state.scope(owner) or _CLOSED

    def move_scope(self, owner: NodeId, phase: ScopePhase, **changes: Any) -> None:
        """Bring what runs inside `owner` into another phase."""
        moves.check(f"inside of {owner or 'all'}", moves.SCOPE_MOVES, self.scope(owner).phase, phase, self.state.recent)
        self.moved = True
        self.edit_scope(owner, phase=phase, **changes)
        shown = _SHOWN.get(phase) if owner == ROOT else None
        if shown is not None and shown is not self.state.phase:
            self.move(shown)
        if phase is ScopePhase.ENDED:
            self.closed.append(owner)

    def edit_scope(self, owner: NodeId, **changes: Any) -> None:
        """Change fields of what runs inside `owner`."""
        after = structs.replace(self.scope(owner), **changes)
        if owner == ROOT:
            self.edit(root=after, failure=after.failure)
        else:
            self.edit_node(owner, inner=after)

    # -- nodes -------------------------------------------------------------------------------------------------------
    def find(self, node: NodeId, kind: NodeKind | None = None) -> NodeState | None:
        """Return a node that has started and not ended, if a kind is given one of it that has begun; else None."""
        found = self.state.nodes.get(node)
        if found is None or found.ended:
            return None
        if kind is not None and (found.kind is not kind or found.recovering):
            return None
        return found

    def find_failure(self, node: NodeId) -> Failure | None:
        """Return why a node ended badly, naming the node that it began with; None where it did not."""
        failure = self.state.nodes[node].failure
        return failure if failure is None or failure.node is not None else structs.replace(failure, node=node)

    def inside(self, owner: NodeId) -> list[NodeId]:
        """Return the nodes directly inside `owner` that have started and not ended; looks through all nodes once."""
        if self._inside is None:
            self._inside = {}
            for node, state in self.state.nodes.items():
                if not state.ended:
                    self._inside.setdefault(state.parent, []).append(node)
        return [node for node in self._inside.get(owner, ()) if self.find(node) is not None]

    def is_element(self, node: NodeId) -> bool:
        """Say whether a node that has started is an array's element."""
        owner = self.state.nodes[node].parent
        return owner != ROOT and self.state.nodes[owner].kind is NodeKind.ARRAY

    def add_node(self, node: NodeId, owner: NodeId, rules: PlanNode, spec_id: NodeId | None = None) -> None:
        """Give a node inside `owner` its first state, QUEUED, with nothing done for it yet."""
        before = self.state.nodes[node].phase if node in self.state.nodes else NodePhase.UNDEFINED
        moves.check(f"node {node}", moves.NODE_MOVES, before, NodePhase.QUEUED, self.state.recent)
        self.moved = True
        queued_at = self.later(self.state.launched_at)
        self._rules[node], self._inside = rules, None
        self._put(
            node,
            NodeState(
                NodePhase.QUEUED,
                queued_at=queued_at,
                updated_at=queued_at,
                spec_id=rules.id if spec_id is None else spec_id,
                parent=owner,
                kind=rules.kind,
            ),
        )

    def edit_node(self, node: NodeId, **changes: Any) -> None:
        """Change fields of a node other than its phase."""
        before = self.state.nodes[node]
        self._put(node, structs.replace(before, updated_at=self.later(before.updated_at), **changes))

    def move_node(self, node: NodeId, phase: NodePhase, **changes: Any) -> None:
        """Bring a node into another phase; start and end are noted with their times."""
        before = self.state.nodes[node]
        moves.check(f"node {node}", moves.NODE_MOVES, before.phase, phase, self.state.recent)
        self.moved = True
        if phase is NodePhase.RUNNING:
            changes.setdefault("started_at", self.later(before.queued_at))
        if phase in TERMINAL_NODE:
            changes["ended_at"] = self.later(before.updated_at, before.started_at, changes.get("started_at"))
            changes.setdefault("writing", False)
            self.ended.append(node)
        self.edit_node(node, phase=phase, **changes)

    def fold(self, element: NodeId) -> None:
        """Forget an array's element that ended, after handing its last state to whoever keeps rows of it."""
        self.folded[element] = self.state.nodes[element]
        self._own_nodes()
        del self.state.nodes[element]

    # -- attempts ----------------------------------------------------------------------------------------------------
    def find_last_attempt(self, node: NodeId) -> AttemptState | None:
        """Return the node's last attempt, live or not; None if it has none."""
        found = self.state.nodes.get(node)
        return found.attempts[-1] if found is not None and found.attempts else None

    def find_live(self, node: NodeId, attempt: int) -> AttemptState | None:
        """Return that attempt if it is the node's live one, else None."""
        last = self.find_last_attempt(node)
        return last if last is not None and last.number == attempt and last.live else None

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
        self.edit_node(node, attempts=(*before.attempts, added))
        return added

    def edit_attempt(self, node: NodeId, **changes: Any) -> None:
        """Change fields of a node's last attempt other than its phase."""
        before = self.state.nodes[node]
        attempts = (*before.attempts[:-1], structs.replace(before.attempts[-1], **changes))
        self._put(node, structs.replace(before, attempts=attempts))

    def move_attempt(self, node: NodeId, phase: AttemptPhase, **changes: Any) -> None:
        """Bring a node's last attempt into another phase; an end is noted with its time."""
        before = self.state.nodes[node].attempts[-1]
        machine = f"attempt {node}/{before.number}"
        moves.check(machine, moves.ATTEMPT_MOVES, before.phase, phase, self.state.recent)
        self.moved = True
        if phase in TERMINAL_ATTEMPT:
            changes["ended_at"] = self.later(before.queued_at, before.started_at, changes.get("started_at"))
            changes.setdefault("updated_at", self.later(before.updated_at))
        self.edit_attempt(node, phase=phase, **changes)

    def _put(self, node: NodeId, after: NodeState) -> None:
        self._own_nodes()
        before = self.state.nodes.get(node)
        self.state.nodes[node] = after
        # An element takes no place of its own: its array has one for all.
        if not self.is_element(node):
            taken = int(after.takes_place) - int(before is not None and before.takes_place)
            if taken:
                self.edit(live=self.state.live + taken)

    def _own_nodes(self) -> None:
        if self.state.nodes is self._before.nodes:
            self.edit(nodes=dict(self._before.nodes))


_CLOSED = ScopeState()

_SHOWN = {
    ScopePhase.WRITING: ExecutionPhase.SUCCEEDING,
    ScopePhase.FAILING: ExecutionPhase.FAILING,
    ScopePhase.HANDLING: ExecutionPhase.FAILING,
}
"""The execution's phase, which follows what runs inside of it."""
