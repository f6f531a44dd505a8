"""Where a node of a running execution stands in its plan: by what rules it runs, in which graph, inside of whom.

Pure look-ups over plan and state. The engine asks for its draft, the controller for a stored run: both are `Inside`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from dayfly.model import identifiers
from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import ScopePhase
from dayfly.model.plan import Graph, NodeKind, Plan, PlanNode
from dayfly.model.run import RunState


class Inside(Protocol):
    """A plan with the plans that grew in it, and how far they are."""

    @property
    def plan(self) -> Plan:
        """The workflow's own."""
        ...

    @property
    def grown(self) -> Mapping[str, Plan]:
        """Those that dynamic tasks made, by digest."""
        ...

    @property
    def state(self) -> RunState:
        """How far they are."""
        ...


class Standing(NamedTuple):
    """The least that is `Inside`."""

    plan: Plan
    grown: Mapping[str, Plan]
    state: RunState


def rules_of(run: Inside, node: NodeId) -> PlanNode:
    """Return the rules that a started node runs by."""
    state = run.state.nodes[node]
    if state.parent == ROOT:
        return _in_graph(run.plan, state.spec_id)
    parent = run.state.nodes[state.parent]
    if parent.kind is NodeKind.ARRAY:
        element = rules_of(run, state.parent).element
        assert element is not None, f"array {state.parent} has no element"
        return element
    if parent.kind is NodeKind.BRANCH:
        cases = rules_of(run, state.parent).cases
        return next(case for case in cases if case.id == state.spec_id)
    return _in_graph(graph_of(run, state.parent), state.spec_id)


def graph_of(run: Inside, owner: NodeId) -> Graph:
    """Return the graph of what runs inside `owner`: the workflow itself, a sub-workflow, what a dynamic task made."""
    return graph_by(run, owner, rules_of(run, owner) if owner != ROOT else None)


def graph_by(run: Inside, owner: NodeId, rules: PlanNode | None) -> Graph:
    """Return the same where the owner's rules are known."""
    if rules is None:
        return run.plan
    if rules.kind is NodeKind.SUB_WORKFLOW:
        return plan_of(run, owner).subs[str(rules.target)]
    inner = run.state.nodes[owner].inner
    assert inner is not None, f"nothing runs inside node {owner}"
    return run.grown[inner.grown]


def plan_of(run: Inside, node: NodeId) -> Plan:
    """Return the plan that the node's rules are part of: the workflow's, or the one that grew around it."""
    while node != ROOT:
        node = run.state.nodes[node].parent
        if node == ROOT:
            break
        inner = run.state.nodes[node].inner
        if inner is not None and inner.grown:
            return run.grown[inner.grown]
    return run.plan


def workflow_scope(run: Inside, node: NodeId) -> NodeId:
    """Return the owner of the workflow that `node` is part of: what is in a branch or array stands beside it."""
    owner = run.state.nodes[node].parent
    while owner != ROOT and run.state.nodes[owner].kind in (NodeKind.BRANCH, NodeKind.ARRAY):
        owner = run.state.nodes[owner].parent
    return owner


def handles_a_failure(run: Inside, owner: NodeId) -> bool:
    """Say whether what is inside `owner` is a failure node or part of one: that is new in each execution."""
    while True:
        scope = run.state.scope(owner)
        if scope is not None and scope.phase is ScopePhase.HANDLING:
            return True
        if owner == ROOT:
            return False
        owner = run.state.nodes[owner].parent


def find_child(run: Inside, owner: NodeId, spec_id: NodeId) -> NodeId:
    """Return the unique id of a node inside `owner`, started or not."""
    if owner == ROOT:
        return spec_id
    nodes, scope = run.state.nodes, run.state.scope(owner)

    def taken(name: NodeId) -> bool:
        other = nodes.get(name)
        return other is not None and (other.parent, other.spec_id) != (owner, spec_id)

    return identifiers.child_id(owner, scope.round if scope is not None else 0, spec_id, taken)


def _in_graph(graph: Graph, spec_id: NodeId) -> PlanNode:
    found = graph.nodes.get(spec_id)
    if found is not None:
        return found
    assert graph.failure_node is not None, f"the plan has no node {spec_id}"
    return graph.failure_node
