"""What the engine needs to know of a workflow: the compiler writes it, the engine and the controller read it.

A plan is derived from registered documents and never changes; `digest` names it. Bindings stay the `flyteidl`
messages they were registered as, in bytes: only the controller opens them.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from dayfly.model.identifiers import EntityId, NodeId
from dayfly.model.phases import FailurePolicy

NO_ENTITY = EntityId(0, "", "", "", "")
"""What a node refers to that runs nothing registered: a branch, a gate."""


class NodeKind(IntEnum):
    """What a node does; `engine.nodes` has a file for each."""

    TASK = 0
    SUB_WORKFLOW = 1
    BRANCH = 2
    LAUNCH_PLAN = 3
    GATE = 4
    ARRAY = 5


class CacheRules(msgspec.Struct, frozen=True):
    """How the results of a task are kept and found again."""

    version: str
    """The task's cache version, which is not that of its registration."""
    serializable: bool = False
    """Of several nodes that want the same result at a time, one makes it and the others wait."""
    ignored: tuple[str, ...] = ()
    """Inputs that do not matter to the result."""


class PlanNode(msgspec.Struct, frozen=True):
    """One node of a graph, a case of a branch, or what an array repeats."""

    id: NodeId
    """Its name in the compiled workflow; `identifiers.child_id` makes the unique one of it."""
    target: EntityId = msgspec.field(name="task", default=NO_ENTITY)
    """The task, sub-workflow or launch plan that it runs."""
    document: bytes = b""
    """The compiled `flyteidl.core.Node`: bindings, metadata, overrides."""
    upstream: tuple[NodeId, ...] = ()
    """Ids of the nodes that must have succeeded first, sorted; `start-node` when there is no other."""
    kind: NodeKind = NodeKind.TASK
    name: str = ""
    """What people call it: the node's metadata name, else the task's."""
    task_type: str = ""
    """The task template's type, by which an executor is chosen."""
    max_attempts: int = 1
    """Attempts the user allows in all: retries of the node, else of the task, plus one."""
    attempt_timeout_seconds: float = 0.0
    """From the attempt's RUNNING to its end; 0 is no limit."""
    active_deadline_seconds: float = 0.0
    """From the node's first QUEUED to its end, over all attempts; 0 is no limit."""
    interruptible: bool | None = None
    """The node's own wish; None inherits the execution's, then the workflow's."""
    cache: CacheRules | None = None
    cases: tuple[PlanNode, ...] = ()
    """Of a branch: the nodes it chooses from, in the order of its conditions, the default last."""
    element: PlanNode | None = None
    """Of an array: what it repeats."""
    parallelism: int = 0
    """Of an array: elements at once; 0 leaves it to the platform."""
    min_successes: int | None = None
    """Of an array: how many elements must succeed; None is as `min_success_ratio` says."""
    min_success_ratio: float = 1.0
    signal: str = ""
    """Of a gate: the signal or approval it waits for."""
    sleep_seconds: float | None = None
    """Of a gate: how long it sleeps; None where it waits for a signal."""

    @property
    def takes_place(self) -> bool:
        """Say whether it counts under `max_parallelism`."""
        return self.kind in (NodeKind.TASK, NodeKind.LAUNCH_PLAN, NodeKind.ARRAY)


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes of one workflow and how they hang together."""

    nodes: dict[NodeId, PlanNode]
    """In registered order; start and end node are implied."""
    end_document: bytes = b""
    """The end node's `flyteidl.core.Node`, whose inputs are the workflow's output bindings."""
    on_failure: FailurePolicy = FailurePolicy.FAIL_IMMEDIATELY
    interruptible: bool = False
    """Default for nodes that say nothing."""
    failure_node: PlanNode | None = None
    """Run when the workflow has failed, before it ends."""

    @property
    def downstream(self) -> dict[NodeId, tuple[NodeId, ...]]:
        """Return, for each node with any, the nodes that wait for it, in registered order."""
        waiting: dict[NodeId, list[NodeId]] = {}
        for node in self.nodes.values():
            for upstream in node.upstream:
                waiting.setdefault(upstream, []).append(node.id)
        return {upstream: tuple(nodes) for upstream, nodes in waiting.items()}


class Plan(Graph, frozen=True, kw_only=True):
    """One workflow, ready to run."""

    workflow: EntityId
    digest: str
    interface: bytes = b""
    """The workflow's `flyteidl.core.TypedInterface`."""
    subs: dict[str, Graph] = {}
    """The sub-workflows it reaches, by the text of their ids."""
    tasks: dict[str, bytes] = {}
    """Of a workflow that a dynamic task made: the `TaskTemplate`s it brought along, by the text of their ids."""


def encode(plan: Plan) -> bytes:
    """Return the plan as bytes (msgpack)."""
    return msgspec.msgpack.encode(plan)


def decode(raw: bytes) -> Plan:
    """Return the plan that `encode` wrote."""
    return msgspec.msgpack.decode(raw, type=Plan)
