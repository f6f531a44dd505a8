"""What a bystander knows of one execution: each node that ever was, its rules, and all that was ever commanded.

Elements of arrays leave the state when they end, and a sub-workflow's rounds follow each other under one owner; so
`invariants` looks at this, and not at the state alone. Where a node stands in its plan is worked out here from the
outside in, as nodes appear: the engine works it out from the inside.
"""

from __future__ import annotations

from collections import Counter

from dayfly.engine.step import Step
from dayfly.model import events
from dayfly.model.commands import CancelTimer, Command, SetTimer
from dayfly.model.events import Event
from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import ExecutionPhase
from dayfly.model.plan import Graph, NodeKind, Plan, PlanNode
from dayfly.model.run import NodeState, RunState

Family = dict[NodeId, NodeId]
"""The nodes of one round inside an owner: unique ids by their plan's ids."""


class Watch:
    """One execution and its past."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state = RunState()
        self.grown: dict[str, Plan] = {}
        self.nodes: dict[NodeId, NodeState] = {}
        """The last state of each node that ever was."""
        self.rules: dict[NodeId, PlanNode] = {}
        self.handling: set[NodeId] = set()
        """Failure nodes and all that is inside of them."""
        self.families: dict[NodeId, list[Family]] = {}
        """By owner, one for each round."""
        self.timers: dict[NodeId, set[str]] = {}
        """Those that are set now, by node."""
        self.keys: Counter[str] = Counter()
        self.closed_children: set[NodeId] = set()
        """Launch plans' nodes of which a child's success was told."""
        self.missed: Counter[NodeId] = Counter()
        """How often each node heard that another is making its result."""
        self._homes: dict[NodeId, Plan] = {ROOT: plan}

    def note(self, event: Event, done: Step) -> list[NodeId]:
        """Take in one step; return the nodes that changed in it, those first that others are inside of."""
        before, self.state = self.state.nodes, done.state
        changed = [
            *(name for name, node in done.state.nodes.items() if before.get(name) is not node),
            *done.folded,
        ]
        self.nodes.update((name, done.state.nodes.get(name) or done.folded[name]) for name in changed)
        for name in changed:
            if name not in self.rules:
                self._place(name, self.nodes[name])
        self._note_event(event)
        for command in done.commands:
            self._note_command(command)
        return changed

    def graph(self, owner: NodeId) -> Graph:
        """Return the graph of what runs inside `owner`."""
        if owner == ROOT:
            return self.plan
        if self.rules[owner].kind is NodeKind.SUB_WORKFLOW:
            return self._homes[owner].subs[str(self.rules[owner].target)]
        inner = self.nodes[owner].inner
        assert inner is not None, f"nothing runs inside {owner}"
        return self.grown[inner.grown]

    def family(self, owner: NodeId) -> Family:
        """Return what runs inside `owner` in its present round."""
        families = self.families.get(owner, [])
        number = self.round(owner)
        return families[number] if number < len(families) else {}

    def round(self, owner: NodeId) -> int:
        """Return how many rounds inside `owner` came before the present one: for a dynamic node there is only one."""
        inner = self.nodes[owner].inner if owner != ROOT else None
        return inner.round if inner is not None and not inner.grown else 0

    def inside(self, owner: NodeId) -> list[NodeId]:
        """Return all nodes that ever were inside `owner`, in all rounds."""
        return [name for family in self.families.get(owner, []) for name in family.values()]

    def _place(self, name: NodeId, node: NodeState) -> None:
        owner = node.parent
        assert owner == ROOT or owner in self.rules, f"{name} is inside of {owner}, which never was"
        self.rules[name] = self._rules_in(owner, name, node.spec_id)
        self._homes[name] = self._homes[owner]
        inner = self.nodes[owner].inner if owner != ROOT else None
        if inner is not None and inner.grown:
            self._homes[name] = self.grown[inner.grown]
        if owner in self.handling or self._is_failure_node(owner, node.spec_id):
            self.handling.add(name)
        families = self.families.setdefault(owner, [])
        while len(families) <= self.round(owner):
            families.append({})
        family = families[self.round(owner)]
        assert node.spec_id not in family, f"{node.spec_id} started twice in one round inside of {owner or 'all'}"
        family[node.spec_id] = name

    def _rules_in(self, owner: NodeId, name: NodeId, spec_id: NodeId) -> PlanNode:
        kind = self.rules[owner].kind if owner != ROOT else None
        if kind is NodeKind.ARRAY:
            element = self.rules[owner].element
            assert element is not None
            return element
        if kind is NodeKind.BRANCH:
            return next(case for case in self.rules[owner].cases if case.id == spec_id)
        graph = self.graph(owner)
        if spec_id in graph.nodes:
            return graph.nodes[spec_id]
        assert graph.failure_node is not None and graph.failure_node.id == spec_id, f"no plan has {name}"
        return graph.failure_node

    def _is_failure_node(self, owner: NodeId, spec_id: NodeId) -> bool:
        if owner != ROOT and self.rules[owner].kind in (NodeKind.ARRAY, NodeKind.BRANCH):
            return False
        return spec_id not in self.graph(owner).nodes

    def _note_event(self, event: Event) -> None:
        if isinstance(event, events.TimerFired):
            self._forget_timer(event.timer)
        elif isinstance(event, events.CacheBusy):
            self.missed[event.node] += 1
        elif isinstance(event, events.ChildEnded) and event.phase is ExecutionPhase.SUCCEEDED:
            self.closed_children.add(event.node)

    def _note_command(self, command: Command) -> None:
        self.keys[command.key] += 1
        if isinstance(command, SetTimer):
            self.timers.setdefault(timer_node(command.timer), set()).add(command.timer)
        elif isinstance(command, CancelTimer):
            self._forget_timer(command.timer)

    def _forget_timer(self, timer: str) -> None:
        self.timers.get(timer_node(timer), set()).discard(timer)


def timer_node(timer: str) -> NodeId:
    """Return the node that a timer was set for."""
    machine, _, name = timer.partition("/")
    return NodeId(name.rpartition("/")[0] if machine in ("attempt", "cache") else name)
