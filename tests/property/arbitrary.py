"""Arbitrary plans of every kind of node, and options, small enough that everything meets everything else."""

from __future__ import annotations

from hypothesis import strategies as st

from dayfly.model.identifiers import START_NODE, EntityId, NodeId
from dayfly.model.phases import FailurePolicy
from dayfly.model.plan import CacheRules, Graph, NodeKind, Plan, PlanNode
from dayfly.model.run import RunOptions
from tests.property.chances import Chances

TASK = EntityId(1, "flytesnacks", "development", "a.task", "v1")
WORKFLOW = EntityId(2, "flytesnacks", "development", "a.workflow", "v1")
LAUNCH_PLAN = EntityId(3, "flytesnacks", "development", "a.launch_plan", "v1")
_SIZES = (0, 1, 2, 3, 4, 5, 6, 4, 5, 6)
_INNER_SIZES = (0, 1, 2, 3, 2, 1)
"""How many nodes are in the workflow itself, and in what is inside."""
DEEPEST = 3
SIGNALS = ("yes", "no")

KINDS = (
    *[NodeKind.TASK] * 6,
    *[NodeKind.SUB_WORKFLOW] * 3,
    *[NodeKind.BRANCH] * 2,
    *[NodeKind.LAUNCH_PLAN] * 2,
    *[NodeKind.GATE] * 2,
    *[NodeKind.ARRAY] * 2,
)
_CACHES = (None, None, None, CacheRules("1"), CacheRules("1", serializable=True))


def node(name: str, *upstream: str, **rules: object) -> PlanNode:
    """Return a node that waits for `upstream`, or for the start node; it runs a task if `rules` don't say else."""
    waits = tuple(NodeId(one) for one in sorted(upstream)) or (START_NODE,)
    return PlanNode(NodeId(name), **{"target": TASK, "upstream": waits, **rules})  # type: ignore[arg-type]


def graph_of(*nodes: PlanNode, **rules: object) -> Graph:
    """Return a graph of these nodes, in this order."""
    return Graph(nodes={one.id: one for one in nodes}, **rules)  # type: ignore[arg-type]


def plan_of(*nodes: PlanNode, **rules: object) -> Plan:
    """Return a plan of these nodes, in this order."""
    whole = {"workflow": WORKFLOW, "digest": "digest", **rules}
    return Plan(nodes={one.id: one for one in nodes}, **whole)  # type: ignore[arg-type]


def plans(
    *, timeouts: bool = True, policy: FailurePolicy | None = None, kinds: tuple[NodeKind, ...] = KINDS
) -> st.SearchStrategy[Plan]:
    """Any acyclic plan of nodes of these kinds, whatever is inside of them."""
    return st.binary(min_size=160, max_size=160).map(
        lambda drawn: PlanDrawing(Chances(drawn), timeouts=timeouts, policy=policy, kinds=kinds).plan("digest")
    )


def options() -> st.SearchStrategy[RunOptions]:
    """Any options, narrow ones included."""
    return st.binary(min_size=6, max_size=6).map(lambda drawn: draw_options(Chances(drawn)))


class PlanDrawing:
    """Draws a plan from chances. Upstreams point to smaller numbers, registered order is any."""

    def __init__(
        self,
        chance: Chances,
        *,
        timeouts: bool = True,
        policy: FailurePolicy | None = None,
        kinds: tuple[NodeKind, ...] = KINDS,
    ) -> None:
        self.chance, self.timeouts, self.policy = chance, timeouts, policy
        self.kinds = (NodeKind.TASK,) if kinds is KINDS and chance.one_in(4) else kinds
        self.subs: dict[str, Graph] = {}
        self.used_again: list[EntityId] = []
        """Sub-workflows without further ones inside, so that using them again multiplies little."""

    def plan(self, digest: str, depth: int = 0) -> Plan:
        """Return a plan; one that begins deeper is smaller."""
        whole = self._graph(depth)
        return Plan(workflow=WORKFLOW, digest=digest, subs=self.subs, **whole)

    def _graph(self, depth: int) -> dict[str, object]:
        chance = self.chance
        size = chance.choose(_SIZES if depth == 0 else _INNER_SIZES)
        # Unique ids of what is inside long names are hashes.
        prefix = chance.choose(("n", "n", "n", "a-longer-name"))
        nodes = []
        for place in range(size):
            waits = chance.choose((0, 1, 1, 0, 2)) if place else 0
            upstream = {f"{prefix}{chance.pick(place)}" for _ in range(waits)}
            nodes.insert(chance.pick(place + 1), self._node(f"{prefix}{place}", upstream, depth))
        policy = chance.choose(tuple(FailurePolicy))
        return {
            "nodes": {one.id: one for one in nodes},
            "on_failure": policy if self.policy is None else self.policy,
            "interruptible": chance.one_in(2),
            "failure_node": self._node("efn", set(), depth + 1) if chance.one_in(3) else None,
        }

    def _node(self, name: str, upstream: set[str], depth: int) -> PlanNode:
        kind = self.chance.choose(self.kinds)
        if kind in (NodeKind.SUB_WORKFLOW, NodeKind.BRANCH) and depth >= DEEPEST:
            kind = NodeKind.TASK
        limit = (0.0, 0.0, 4.0) if self.timeouts else (0.0,)
        rules = {
            "kind": kind,
            "max_attempts": self.chance.pick(3) + 1,
            "attempt_timeout_seconds": self.chance.choose(limit),
        }
        return node(name, *upstream, **rules, **_DRAWN[kind](self, depth))

    def _task(self, depth: int) -> dict[str, object]:
        limit = (0.0, 0.0, 12.0) if self.timeouts else (0.0,)
        return {
            "target": TASK,
            "active_deadline_seconds": self.chance.choose(limit),
            "interruptible": self.chance.choose((None, True, False)),
            "cache": self.chance.choose(_CACHES),
        }

    def _sub_workflow(self, depth: int) -> dict[str, object]:
        if self.used_again and self.chance.one_in(3):
            return {"target": self.chance.choose(self.used_again)}
        graph = Graph(**self._graph(depth + 1))  # type: ignore[arg-type]
        target = EntityId(2, "flytesnacks", "development", f"sub{len(self.subs)}", "v1")
        self.subs[str(target)] = graph
        if not any(one.kind in (NodeKind.SUB_WORKFLOW, NodeKind.BRANCH) for one in graph.nodes.values()):
            self.used_again.append(target)
        return {"target": target}

    def _branch(self, depth: int) -> dict[str, object]:
        size = self.chance.pick(3) + 1
        return {"cases": tuple(self._node(f"case{place}", set(), depth + 1) for place in range(size))}

    def _launch_plan(self, depth: int) -> dict[str, object]:
        return {"target": LAUNCH_PLAN}

    def _gate(self, depth: int) -> dict[str, object]:
        seconds = self.chance.choose((None, None, 0.0, 3.0))
        return {"signal": self.chance.choose(SIGNALS)} if seconds is None else {"sleep_seconds": seconds}

    def _array(self, depth: int) -> dict[str, object]:
        kinds, self.kinds = self.kinds, (NodeKind.TASK, NodeKind.TASK, NodeKind.LAUNCH_PLAN)
        element = self._node("element", set(), depth + 1)
        self.kinds = kinds
        rules: dict[str, object] = {"element": element, "parallelism": self.chance.pick(3)}
        how = self.chance.pick(4)
        if how == 1:
            rules["min_successes"] = self.chance.pick(4)
        elif how > 1:
            rules["min_success_ratio"] = self.chance.choose((0.5, 0.07, 0.34, 0.0, 1.0))
        return rules


_DRAWN = {
    NodeKind.TASK: PlanDrawing._task,
    NodeKind.SUB_WORKFLOW: PlanDrawing._sub_workflow,
    NodeKind.BRANCH: PlanDrawing._branch,
    NodeKind.LAUNCH_PLAN: PlanDrawing._launch_plan,
    NodeKind.GATE: PlanDrawing._gate,
    NodeKind.ARRAY: PlanDrawing._array,
}


def draw_options(chance: Chances) -> RunOptions:
    """Return any options."""
    return RunOptions(
        max_parallelism=chance.choose((0, 1, 2, 3, 25, 1, 2)),
        interruptible=chance.choose((None, True, False)),
        system_retries=chance.pick(4),
        overwrite_cache=chance.one_in(6),
        recovers=chance.one_in(3),
        elements_at_once=chance.choose((100, 1, 2)),
    )
